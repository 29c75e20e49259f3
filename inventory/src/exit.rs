//! How the tool ends: 0 fine, 1 failed, 2 usage, 65 the inventory has errors.

use std::fmt;
use std::process::ExitCode;

/// The inventory has errors (`EX_DATAERR` of sysexits).
pub(crate) const INVENTORY: u8 = 65;

/// Why a command ends with another code than 0.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// Exit code 1 with a message.
    pub(crate) fn new(message: impl fmt::Display) -> Failure {
        Failure { code: 1, message: message.to_string() }
    }

    /// Exit code 2: the command line cannot be understood.
    pub(crate) fn usage(message: impl fmt::Display) -> Failure {
        Failure { code: 2, message: message.to_string() }
    }

    /// Exit code 65: what is to be looked up cannot be had from a broken inventory.
    pub(crate) fn auto_needs_good() -> Failure {
        let message =
            "the inventory has errors, so what is free and what is near is not known; see `hostbook check`";
        Failure { code: INVENTORY, message: message.to_owned() }
    }

    /// The same with exit code 65: the inventory would have errors.
    pub(crate) fn with_inventory_code(self) -> Failure {
        Failure { code: INVENTORY, ..self }
    }

    /// Exit code 65, when what is wrong has been printed already.
    pub(crate) fn inventory() -> Failure {
        Failure { code: INVENTORY, message: String::new() }
    }

    /// Exit code 1, when what is wrong has been printed already.
    pub(crate) fn silent() -> Failure {
        Failure { code: 1, message: String::new() }
    }

    /// Prints the message and gives the code.
    pub(crate) fn report(self) -> ExitCode {
        if !self.message.is_empty() {
            eprintln!("hostbook: {}", self.message);
        }
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        Failure::new(error)
    }
}

/// What every command returns.
pub(crate) type Outcome = Result<ExitCode, Failure>;
