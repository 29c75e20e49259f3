//! What can be wrong with the state directory, and what to do about it.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;

use crate::explain::{Explain, reason};

/// A state directory, or a file in it, that cannot be used.
#[derive(Debug)]
pub enum StateError {
    /// Another process holds the directory.
    InUse {
        /// The directory.
        path: PathBuf,
        /// The process, when it has left its id.
        pid: Option<u32>,
    },
    /// A system call failed.
    System {
        /// What was tried: a verb.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl StateError {
    pub(super) fn new(action: &'static str, path: &Path, source: impl Into<io::Error>) -> StateError {
        StateError::System { action, path: path.to_owned(), source: source.into() }
    }

    /// Whether the disk is full or the quota used up: what heals by itself once somebody makes room.
    pub fn is_full(&self) -> bool {
        let StateError::System { source, .. } = self else { return false };
        matches!(source.raw_os_error(), Some(libc::ENOSPC | libc::EDQUOT))
    }
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StateError::InUse { path, pid: Some(pid) } => {
                write!(f, "state directory `{}` is in use by process {pid}", path.display())
            }
            StateError::InUse { path, pid: None } => {
                write!(f, "state directory `{}` is in use by another process", path.display())
            }
            StateError::System { action, path, source } => {
                write!(f, "cannot {action} `{}`: {}", path.display(), reason(source))
            }
        }
    }
}

impl Error for StateError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            StateError::InUse { .. } => None,
            StateError::System { source, .. } => Some(source),
        }
    }
}

impl Explain for StateError {
    fn help(&self) -> Option<String> {
        let (path, source) = match self {
            StateError::InUse { .. } => {
                let help = "the same daemon runs already: stop it, or give this one a directory of its own with \
                            `--state DIR`";
                return Some(help.to_owned());
            }
            StateError::System { path, source, .. } => (path.display(), source),
        };
        match source.raw_os_error()? {
            libc::ENOSPC => {
                Some(format!("make room: `df -h {path}` and `df -i {path}` show how full its disk is"))
            }
            libc::EDQUOT => {
                Some(format!("the quota is used up: make room, or raise it (`quota`, `df -h {path}`)"))
            }
            libc::EROFS => Some(format!(
                "its file system is read-only (`findmnt -T {path}`). Mount it writable, name another directory \
                 with `--state DIR`, or give the service a `StateDirectory=`"
            )),
            libc::EACCES | libc::EPERM => Some(format!(
                "user {} has no permission for it (`namei -l {path}` shows which part): change its owner, or name \
                 another directory with `--state DIR`",
                user()
            )),
            libc::EIO => Some("the disk reports errors: look into the kernel's log (`dmesg`)".to_owned()),
            libc::ENOTDIR | libc::EEXIST => Some(
                "a file is in the way: remove it, or name another directory with `--state DIR`".to_owned(),
            ),
            _ => None,
        }
    }
}

/// Who this process is, by name where it has one.
fn user() -> String {
    let uid = geteuid();
    match nix::unistd::User::from_uid(uid) {
        Ok(Some(user)) => format!("`{}`", user.name),
        _ => uid.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_a_disk_fails_says_what_to_do() {
        let error = |errno| {
            let path = Path::new("/var/lib/hostbook/dnsd/last-good");
            StateError::new("write", path, io::Error::from_raw_os_error(errno))
        };
        let full = error(libc::ENOSPC);
        assert_eq!(
            full.to_string(),
            "cannot write `/var/lib/hostbook/dnsd/last-good`: no space left on device"
        );
        assert!(full.is_full() && full.help().unwrap().contains("df -h /var/lib/hostbook/dnsd/last-good"));
        assert!(error(libc::EROFS).help().unwrap().contains("read-only"));
        assert!(error(libc::EACCES).help().unwrap().contains("--state DIR"));
        assert!(error(libc::EIO).help().unwrap().contains("dmesg"));
    }
}
