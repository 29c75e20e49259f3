//! `$EDITOR` on a copy, checked before it is written.

use std::fs::{self, DirBuilder};
use std::io::{BufRead, IsTerminal, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use inventory_core::diag;

use super::session::Session;
use crate::exit::Failure;
use crate::output;

/// Opens `file`, as `session` has it, at `line`, again and again until the result passes the check or the
/// operator gives up. The lock is free meanwhile; what others wrote in that time is not lost.
pub(super) fn edit(mut session: Session, file: &str, line: usize) -> Result<Session, Failure> {
    let root = session.root().to_owned();
    let text = session.doc(file)?.text().to_owned();
    let before = session.found(file);
    drop(session);
    let copy = Copy::new(file, &text)?;
    loop {
        run(&copy.path, line)?;
        let mut session = Session::open(&root)?;
        session.doc(file)?;
        if session.found(file) != before {
            return Err(Failure::new(format!(
                "`{file}` was changed by somebody else meanwhile; {}",
                copy.keep()
            )));
        }
        let text = fs::read_to_string(&copy.path)?;
        session.replace(file, text);
        let Err(diagnostics) = session.judge() else { return Ok(session) };
        drop(session);
        for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.is_error()) {
            eprintln!("{}\n", diag::terminal(diagnostic, output::colour_of_errors()));
        }
        if !std::io::stdin().is_terminal() || !again()? {
            return Err(Failure::new(format!("nothing is written; {}", copy.keep())).with_inventory_code());
        }
    }
}

/// A copy of a file in a directory of its own, which nobody else can read.
struct Copy {
    path: PathBuf,
}

impl Copy {
    fn new(file: &str, text: &str) -> Result<Copy, Failure> {
        let directory = std::env::temp_dir().join(format!("hostbook-edit-{}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&directory)?;
        let path = directory.join(Path::new(file).file_name().unwrap_or_default());
        fs::write(&path, text)?;
        Ok(Copy { path })
    }

    /// Leaves the copy where it is; says where that is.
    fn keep(&self) -> String {
        let kept = self.path.with_extension("kept.toml");
        let path = if fs::copy(&self.path, &kept).is_ok() { &kept } else { &self.path };
        format!("your text is in `{}`", path.display())
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
        // Stays if something was kept there.
        let _ = self.path.parent().map(fs::remove_dir);
    }
}

fn run(path: &Path, line: usize) -> Result<(), Failure> {
    let named = ["VISUAL", "EDITOR"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let editor = named.unwrap_or_else(|| "vi".to_owned());
    // As git does it: the value is a command line, and the shell reads it.
    let status = Command::new("sh")
        .arg("-c")
        .arg(format!("{editor} \"$@\""))
        .arg(&editor)
        .arg(format!("+{line}"))
        .arg(path)
        .status()
        .map_err(|error| Failure::new(format!("cannot run `{editor}`: {error}")))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("`{editor}` failed; nothing is written")))
    }
}

fn again() -> Result<bool, Failure> {
    eprint!("Edit again? [Y/n] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer)?;
    Ok(read > 0 && !answer.trim().to_ascii_lowercase().starts_with('n'))
}
