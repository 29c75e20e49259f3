//! A disk that fails when a test says so, for one program: its calls are caught by a library of a few lines
//! (`faults.c`, by `LD_PRELOAD`), so that the program and all of its libraries are the real ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::succeed;

/// What fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Writing, with this number of an error.
    Write(i32),
    /// Making durable what was written.
    Sync(i32),
}

/// The disk under files whose names end in `.redb`.
#[derive(Debug)]
pub struct Faults {
    library: PathBuf,
    switch: PathBuf,
}

impl Faults {
    /// A disk that works; its files are below `directory`.
    ///
    /// # Panics
    /// There is no C compiler.
    pub fn new(directory: &Path) -> Faults {
        let (source, library) = (directory.join("faults.c"), directory.join("faults.so"));
        fs::write(&source, include_str!("faults.c")).unwrap();
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]).arg(&library).arg(&source).arg("-ldl");
        succeed(cc);
        Faults { library, switch: directory.join("faults") }
    }

    /// The command that a program is started under.
    pub fn under(&self) -> [String; 3] {
        [
            "env".to_owned(),
            format!("LD_PRELOAD={}", self.library.display()),
            format!("FAULTS={}", self.switch.display()),
        ]
    }

    /// From now on it fails.
    pub fn begin(&self, fault: Fault) {
        let text = match fault {
            Fault::Write(error) => error.to_string(),
            Fault::Sync(error) => format!("s{error}"),
        };
        let beside = self.switch.with_extension("new");
        fs::write(&beside, text).unwrap();
        fs::rename(beside, &self.switch).unwrap();
    }

    /// From now on it works.
    pub fn end(&self) {
        fs::remove_file(&self.switch).unwrap();
    }
}
