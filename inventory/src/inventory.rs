//! Loading the inventory for a command.

use std::path::Path;

use inventory_core::diag::{self, Diagnostic};
use inventory_core::load::{Loaded, Loader};
use inventory_core::model::Snapshot;
use inventory_core::source;

use crate::exit::Failure;

/// The inventory and what is odd in it, or every mistake.
pub(crate) fn load(root: &Path) -> Result<(Snapshot, Vec<Diagnostic>), Vec<Diagnostic>> {
    match Loader::new(source::open(root)).load() {
        Loaded::Good { snapshot, warnings } => Ok((snapshot, warnings)),
        Loaded::Broken { diagnostics } => Err(diagnostics),
        Loaded::Unchanged => Err(Vec::new()),
    }
}

/// The inventory for a command that needs a whole one. Mistakes go to standard error.
pub(crate) fn require(root: &Path) -> Result<Snapshot, Failure> {
    load(root).map(|(snapshot, _)| snapshot).map_err(|diagnostics| broken(&diagnostics))
}

/// Prints the mistakes to standard error, and gives the exit code for them.
pub(crate) fn broken(diagnostics: &[Diagnostic]) -> Failure {
    for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.is_error()) {
        eprintln!("{}", diag::short(diagnostic));
    }
    eprintln!("hostbook: the inventory has errors; `hostbook check` shows them with their lines");
    Failure::inventory()
}
