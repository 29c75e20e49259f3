//! `hostbook man`: manual pages, from the command line's own description.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Command, CommandFactory};
use clap_mangen::Man;

use crate::args::Cli;
use crate::exit::{Failure, Outcome};
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct Pages {
    /// The directory to write the pages to, such as /usr/local/share/man/man1; without it, the page of
    /// `hostbook` is printed.
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
}

pub(crate) fn run(args: &Pages) -> Outcome {
    let root = Cli::command();
    match &args.directory {
        None => {
            let mut page = Vec::new();
            Man::new(root).render(&mut page)?;
            output::line(&String::from_utf8_lossy(&page));
        }
        Some(directory) => {
            std::fs::create_dir_all(directory)?;
            let count = write(&root, "hostbook", directory)?;
            output::line(&format!("{count} pages in {}", directory.display()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes the page of `command` and those of its own commands; returns how many.
fn write(command: &Command, name: &str, directory: &Path) -> Result<usize, Failure> {
    let path = directory.join(format!("{name}.1"));
    let mut page = Vec::new();
    let titled = command.clone().display_name(name.to_owned()).bin_name(name.replace('-', " "));
    Man::new(titled).render(&mut page)?;
    std::fs::write(&path, page)
        .map_err(|error| Failure::new(format!("cannot write `{}`: {error}", path.display())))?;
    let mut count = 1;
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        count += write(inner, &format!("{name}-{}", inner.get_name()), directory)?;
    }
    Ok(count)
}
