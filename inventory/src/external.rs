//! `hostbook X` runs `hostbook-X`, as git and cargo do.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use crate::exit::{Failure, Outcome};

/// Replaces this program by `hostbook-X`. Returns only when that fails.
pub(crate) fn run(words: &[OsString]) -> Outcome {
    let Some((name, rest)) = words.split_first() else {
        return Err(Failure::new("no command; see `hostbook --help`"));
    };
    let program = program(name);
    let error = Command::new(&program).args(rest).exec();
    let name = name.to_string_lossy();
    if error.kind() == std::io::ErrorKind::NotFound {
        return Err(Failure::new(format!(
            "`{name}` is no command, and there is no program `hostbook-{name}`; see `hostbook --help`"
        )));
    }
    Err(Failure::new(format!("cannot run `{}`: {error}", program.display())))
}

/// `hostbook-NAME` beside this program; else by the search path.
pub(crate) fn program(name: &OsStr) -> PathBuf {
    let mut file = OsString::from("hostbook-");
    file.push(name);
    let beside =
        std::env::current_exe().ok().map(|exe| exe.with_file_name(&file)).filter(|path| path.is_file());
    beside.unwrap_or_else(|| PathBuf::from(file))
}
