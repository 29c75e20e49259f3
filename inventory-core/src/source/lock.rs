//! An advisory lock on an inventory directory: edits by the tool exclude each other and whoever looks.
//!
//! It is a lock on the directory itself (`flock`), so that no file is left behind. Editors and git know
//! nothing of it; the tool compares before it writes. On a file system without such locks there is none.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

/// Held while files are edited.
#[derive(Debug)]
pub struct EditLock(Option<Flock<File>>);

/// Held while files are looked at.
#[derive(Debug)]
pub struct LookLock(#[expect(dead_code, reason = "dropping it unlocks")] Flock<File>);

/// Longest wait of a look. An edit takes milliseconds, and one that hangs must not stop a daemon.
const LOOK_WAIT: Duration = Duration::from_secs(2);
/// How often a taken lock is tried again.
const POLL: Duration = Duration::from_millis(10);

impl EditLock {
    /// Waits at most `patience` for other edits and looks to end.
    ///
    /// # Errors
    /// The directory cannot be opened, or others hold the lock for longer: [`io::ErrorKind::TimedOut`].
    pub fn take(root: &Path, patience: Duration) -> io::Result<EditLock> {
        match acquire(File::open(root)?, FlockArg::LockExclusiveNonblock, patience) {
            Ok(lock) => Ok(EditLock(Some(lock))),
            Err(Errno::EWOULDBLOCK) => Err(io::ErrorKind::TimedOut.into()),
            Err(_) => Ok(EditLock(None)),
        }
    }

    /// Whether this file system has such locks.
    pub fn is_real(&self) -> bool {
        self.0.is_some()
    }
}

impl LookLock {
    /// Waits a little while for edits to end; `None` if that takes too long, or there are no locks here.
    pub(super) fn take(root: &Path) -> Option<LookLock> {
        let directory = File::open(root).ok()?;
        acquire(directory, FlockArg::LockSharedNonblock, LOOK_WAIT).ok().map(LookLock)
    }
}

fn acquire(mut directory: File, how: FlockArg, patience: Duration) -> Result<Flock<File>, Errno> {
    let deadline = Instant::now() + patience;
    loop {
        match Flock::lock(directory, how) {
            Ok(lock) => return Ok(lock),
            Err((file, Errno::EINTR)) => directory = file,
            Err((file, Errno::EWOULDBLOCK)) if Instant::now() < deadline => {
                directory = file;
                std::thread::sleep(POLL);
            }
            Err((_, error)) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_excludes_edits_and_looks_until_it_ends() {
        let root = std::env::temp_dir().join(format!("hostbook-lock-{}", std::process::id()));
        std::fs::create_dir_all(&root).unwrap();
        let edit = EditLock::take(&root, Duration::ZERO).unwrap();
        assert!(edit.is_real());
        let second = EditLock::take(&root, Duration::ZERO).unwrap_err();
        assert_eq!(second.kind(), io::ErrorKind::TimedOut);
        let directory = File::open(&root).unwrap();
        assert!(acquire(directory, FlockArg::LockSharedNonblock, Duration::ZERO).is_err());
        drop(edit);
        let look = LookLock::take(&root).unwrap();
        assert!(LookLock::take(&root).is_some(), "looks do not exclude each other");
        assert!(EditLock::take(&root, Duration::ZERO).is_err());
        drop(look);
        assert!(EditLock::take(&root, Duration::ZERO).is_ok());
        std::fs::remove_dir_all(&root).unwrap();
    }
}
