//! How a program ends: its exit code and its last words.

use std::fmt;
use std::process::ExitCode;

use crate::explain::Explain;
use crate::log;

/// Exit codes that operators script against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All went well.
    Fine,
    /// Something failed.
    Failed,
    /// The command line is wrong.
    Usage,
    /// The inventory has errors, and there is no last good one to serve.
    BadInventory,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Exit::Fine => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::BadInventory => 65, // EX_DATAERR of sysexits(3)
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// An error that ends the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fatal {
    /// The exit code.
    pub exit: Exit,
    /// What failed, where and why: one line, lower case, no full stop.
    pub text: String,
    /// What to do.
    pub help: Option<String>,
}

impl Fatal {
    /// An error with code 1 and no advice.
    pub fn new(text: impl Into<String>) -> Fatal {
        Fatal { exit: Exit::Failed, text: text.into(), help: None }
    }

    /// Something that the operating system refused.
    pub fn system(action: &str, error: &std::io::Error) -> Fatal {
        Fatal::new(format!("cannot {action}: {error}"))
    }

    /// The same error with advice.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Fatal {
        self.help = Some(help.into());
        self
    }

    /// The same error with another exit code.
    #[must_use]
    pub fn with_exit(mut self, exit: Exit) -> Fatal {
        self.exit = exit;
        self
    }

    /// Logs the error as a warning of one line, for a daemon that goes on without what failed.
    pub fn warn(&self) {
        match &self.help {
            Some(help) => tracing::warn!("{}: {help}", self.text),
            None => tracing::warn!("{}", self.text),
        }
    }

    /// Prints the error to stderr (with the journal's priority where stderr is the journal) and returns
    /// the exit code for `main`.
    pub fn report(&self, program: &str) -> ExitCode {
        let prefix = if log::stderr_is_journal() { "<3>" } else { "" };
        for line in format!("{program}: {self}").lines() {
            // A closed stderr is no reason to change the exit code, as eprintln's panic would.
            let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{prefix}{line}\n").as_bytes());
        }
        self.exit.into()
    }
}

impl fmt::Display for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.text)?;
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

impl<E: Explain> From<E> for Fatal {
    fn from(error: E) -> Fatal {
        Fatal { exit: Exit::Failed, text: error.to_string(), help: error.help() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_the_contract() {
        let codes = [Exit::Fine, Exit::Failed, Exit::Usage, Exit::BadInventory].map(Exit::code);
        assert_eq!(codes, [0, 1, 2, 65]);
    }

    #[test]
    fn an_error_that_explains_itself_brings_its_help_along() {
        let error = crate::privileges::User::find("hostbook-nobody-has-this").unwrap_err();
        let fatal = Fatal::from(error);
        assert_eq!(fatal.exit, Exit::Failed);
        let text = fatal.to_string();
        assert!(
            text.starts_with("error: no user `hostbook-nobody-has-this` on this machine\n  help: "),
            "{text}"
        );
    }
}
