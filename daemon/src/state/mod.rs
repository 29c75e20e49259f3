//! The state directory: what a daemon learns and must find again after a restart or a power cut.
//!
//! One process at a time holds it (flock(2): the kernel lets go of the lock however the process ends).
//! Files are replaced whole: after a crash a file has its old or its new contents, never a mixture.

mod error;
mod replace;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

pub use error::StateError;

use crate::privileges::User;

/// A state directory that this process holds until the value is dropped.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    next_temporary: AtomicU64,
    _lock: Flock<File>,
}

const LOCK: &str = "lock";

impl StateDir {
    /// Creates the directory where it is missing (mode 0750) and takes hold of it.
    ///
    /// What it creates belongs to `owner`. Leftovers of interrupted writes are removed. A disk that is full or
    /// read-only is no error as long as the lock file exists: ask [`check_writable`](StateDir::check_writable).
    pub fn open(path: &Path, owner: Option<&User>) -> Result<StateDir, StateError> {
        let created = create(path).map_err(|error| StateError::new("create state directory", path, error))?;
        if created {
            give_to(owner, path)?;
        }
        let lock = lock(path, owner)?;
        let state = StateDir { path: path.to_owned(), next_temporary: AtomicU64::new(0), _lock: lock };
        state.remove_leftovers();
        Ok(state)
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Tells whether a file can be written here now, by writing one. To be called as the user who will
    /// write later, so after privileges were given up.
    pub fn check_writable(&self) -> Result<(), StateError> {
        // A whole block: an empty file would fit on a full disk.
        const PROBE: &str = "write-check";
        self.write(PROBE, &[0; 4096])?;
        let path = self.path.join(PROBE);
        fs::remove_file(&path).map_err(|error| StateError::new("remove", &path, error))
    }

    /// The contents of the file `name`, `None` when there is none.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StateError> {
        let path = self.path.join(name);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StateError::new("read", &path, error)),
        }
    }

    /// Replaces the file `name` (mode 0640) by one with the contents `bytes`; durable on return.
    ///
    /// On an error the old file is still there, unless only the last step failed, the sync of the
    /// directory: then it is the old or the new one. Blocks for the disk.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StateError> {
        self.replace(name, |file| file.write_all(bytes))
    }

    /// The same of what nobody else may read (mode 0600).
    ///
    /// # Errors
    /// As [`StateDir::write`].
    pub fn write_secret(&self, name: &str, bytes: &[u8]) -> Result<(), StateError> {
        self.replace_with_mode(name, 0o600, |file| file.write_all(bytes))
    }
}

/// Returns whether the last component had to be made.
fn create(path: &Path) -> io::Result<bool> {
    if path.is_dir() {
        return Ok(false);
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    match DirBuilder::new().mode(0o750).create(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(false),
        Err(error) => Err(error),
    }
}

fn lock(directory: &Path, owner: Option<&User>) -> Result<Flock<File>, StateError> {
    let path = directory.join(LOCK);
    let failed = |error: io::Error| StateError::new("lock", &path, error);
    let new = !path.exists();
    let open = |writing| {
        let mut options = OpenOptions::new();
        options.read(true).write(writing).create(writing).truncate(false).mode(0o640);
        options.custom_flags(libc::O_NOFOLLOW).open(&path)
    };
    // A file can be locked that cannot be written, and there is work that needs no writing.
    let file = open(true).or_else(|error| match error.kind() {
        io::ErrorKind::ReadOnlyFilesystem if !new => open(false),
        _ => Err(error),
    });
    let file = file.map_err(failed)?;
    if new {
        give_to(owner, &path)?;
    }
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(mut lock) => {
            // Only a hint for people, so a full disk is no reason to stop here.
            let _ = lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id()));
            Ok(lock)
        }
        Err((mut file, Errno::EWOULDBLOCK)) => {
            let mut text = String::new();
            let _ = file.read_to_string(&mut text);
            Err(StateError::InUse { path: directory.to_owned(), pid: text.trim().parse().ok() })
        }
        Err((_, errno)) => Err(failed(errno.into())),
    }
}

fn give_to(owner: Option<&User>, path: &Path) -> Result<(), StateError> {
    let Some(owner) = owner else { return Ok(()) };
    chown(path, Some(owner.uid), Some(owner.gid))
        .map_err(|error| StateError::new("change the owner of", path, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::Explain;
    use crate::testing::TempDir;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_missing_directory_is_made_for_its_owner_only() {
        let temp = TempDir::new("state");
        let path = temp.path().join("a/b/dnsd");
        let state = StateDir::open(&path, None).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(state.path()) & !0o750, 0);
        state.write("x", b"y").unwrap();
        assert_eq!(mode(&path.join("x")) & !0o640, 0);
        state.write_secret("s", b"key").unwrap();
        assert_eq!(mode(&path.join("s")), 0o600);
        state.check_writable().unwrap();
        assert_eq!(state.read("x").unwrap().unwrap(), b"y");
        assert_eq!(state.read("write-check").unwrap(), None);
    }

    #[test]
    fn a_second_daemon_on_the_same_directory_is_refused_and_told_who_holds_it() {
        let temp = TempDir::new("state");
        let first = StateDir::open(temp.path(), None).unwrap();
        let error = StateDir::open(temp.path(), None).unwrap_err();
        let pid = std::process::id();
        assert_eq!(
            error.to_string(),
            format!("state directory `{}` is in use by process {pid}", temp.path().display())
        );
        assert!(error.help().unwrap().contains("--state DIR"));
        drop(first);
        StateDir::open(temp.path(), None).unwrap();
    }

    #[test]
    fn a_file_in_the_way_is_an_error_that_says_so() {
        let temp = TempDir::new("state");
        let path = temp.path().join("file");
        fs::write(&path, b"").unwrap();
        let error = StateDir::open(&path, None).unwrap_err();
        assert!(error.to_string().starts_with("cannot create state directory `"), "{error}");
        assert!(error.help().unwrap().contains("in the way"));
    }

    #[test]
    fn a_lock_that_is_a_symbolic_link_is_not_followed() {
        let temp = TempDir::new("state");
        let victim = temp.path().join("victim");
        fs::write(&victim, b"precious").unwrap();
        std::os::unix::fs::symlink(&victim, temp.path().join(LOCK)).unwrap();
        assert!(StateDir::open(temp.path(), None).is_err());
        assert_eq!(fs::read(&victim).unwrap(), b"precious");
    }
}
