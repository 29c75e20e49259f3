//! The history of leases: what the lease store forgets, for whoever asks later who had an address.
//!
//! Files of JSON lines, one [`Record`] each, in the order in which they became durable; only the newest is
//! written, at its end. They are bounded in octets and in age, and the oldest goes first. Nothing is
//! decided by them: a record may be missing after a power cut or on a full disk, and no lease waits for one.

mod read;
mod write;

pub use read::{Past, past_of};
pub use write::{History, Limits};

use std::io;
use std::path::{Path, PathBuf};

/// Folder of the history in dhcpd's state directory.
pub const FOLDER: &str = "history";

/// The files, oldest first, with the time in seconds since 1970 from which each begins.
fn files(folder: &Path) -> io::Result<Vec<(i64, PathBuf)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if let Some(begins) = begins(&path) {
            files.push((begins, path));
        }
    }
    files.sort();
    Ok(files)
}

fn begins(path: &Path) -> Option<i64> {
    path.file_name()?.to_str()?.strip_prefix("leases-")?.strip_suffix(".jsonl")?.parse().ok()
}

/// Name of the file that begins at `seconds`, such that names are in the order of time.
fn file_name(seconds: i64) -> String {
    format!("leases-{seconds:012}.jsonl")
}
