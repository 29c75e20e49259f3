//! What keeps dnsd from starting: everything else is counted, answered or logged.

use daemon::exit::{Exit, Fatal};
use daemon::follow::StartError;

/// The inventory is broken and no last good one is there.
pub(crate) fn no_inventory(error: &StartError) -> Fatal {
    Fatal::new(error.to_string()).with_exit(Exit::BadInventory)
}

/// Something that the operating system refused.
pub(crate) fn system(action: &str, error: &std::io::Error) -> Fatal {
    Fatal::new(format!("cannot {action}: {error}"))
}
