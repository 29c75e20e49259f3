//! Where an inventory's files come from.
//!
//! A source lists files with their versions and reads them. Equal versions promise equal octets; the
//! reverse need not hold (`touch`), so the loader hashes what it reads.

mod dir;
pub mod git;
mod lock;
mod memory;
mod overlay;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::model::Commit;

pub use dir::Directory;
pub use lock::{EditLock, LookLock};
pub use memory::Memory;
pub use overlay::Overlay;

/// Tells two states of a file apart without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// From `stat`: device, inode, size, mtime and ctime in nanoseconds.
    Stat([i128; 5]),
    /// A number that the source counts up.
    Count(u64),
    /// Name of a git object; those of SHA-1 have zeros at the end.
    Object([u8; 32]),
}

/// The files of an inventory at one moment.
#[derive(Debug, Default)]
pub struct Listing {
    /// Every `*.toml` file that counts, sorted by path (relative to the root, with `/`).
    pub files: Vec<(Arc<str>, Version)>,
    /// Directories and files that could not be looked at, with the reason.
    pub unreadable: Vec<(Arc<str>, String)>,
}

/// Why a file could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// It is not there (any more).
    Missing,
    /// It changes faster than it can be read.
    Unsettled,
    /// The reason, for people.
    Unreadable(String),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Missing => f.write_str("is not there"),
            ReadError::Unsettled => f.write_str("changes while it is read"),
            ReadError::Unreadable(why) => write!(f, "cannot be read: {why}"),
        }
    }
}

/// The inventory at `place`: a directory, or a branch of a git repository, `PATH.git#branch`.
pub fn open(place: &Path) -> Box<dyn Source> {
    match git::Location::parse(place) {
        Some(location) => Box::new(git::GitBranch::new(location)),
        None => Box::new(Directory::new(place)),
    }
}

/// A place that holds an inventory.
pub trait Source: Send + Sync {
    /// Every inventory file with its version. Problems are part of the answer.
    fn list(&self) -> Listing;

    /// Version of one file, below the root.
    ///
    /// # Errors
    /// It is not there, or cannot be looked at.
    fn version(&self, path: &str) -> Result<Version, ReadError>;

    /// Octets of one file, and the version that they belong to.
    ///
    /// # Errors
    /// It is not there, cannot be read, or keeps changing.
    fn read(&self, path: &str) -> Result<(Version, Vec<u8>), ReadError>;

    /// For messages: where this is.
    fn describe(&self) -> String;

    /// The commit that the last listing is of, where there is such a thing.
    fn commit(&self) -> Option<Commit> {
        None
    }

    /// Lets go of what only the next look needs: called when a look ends.
    fn rest(&self) {}

    /// Keeps the tool's edits out while it lives, so that a look sees an edit of several files whole.
    fn hold(&self) -> Option<LookLock> {
        None
    }
}

/// Directories of the root that hold other things than inventory files.
pub const RESERVED_DIRECTORIES: [&str; 4] = ["config", "files", "templates", "zones"];

/// Largest file that is read, in octets. A million hosts in one file are a quarter of it.
pub const FILE_OCTETS_MAX: u64 = 1 << 30;

/// Whether a file of this name counts: `*.toml`, not hidden.
pub fn is_inventory_file(name: &str) -> bool {
    name.ends_with(".toml") && !name.starts_with('.')
}
