//! What goes wrong between the operator's tool and a daemon, on both sides.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::explain::{Explain, reason};

/// A control socket that cannot be opened, or a question without an answer.
#[derive(Debug)]
pub enum ControlError {
    /// Client: there is no socket, or nobody behind it.
    NotRunning {
        /// The socket.
        path: PathBuf,
    },
    /// Client: this user may not ask.
    PermissionDenied {
        /// The socket.
        path: PathBuf,
    },
    /// Client: no answer in time.
    Timeout {
        /// The socket.
        path: PathBuf,
        /// The time that was given.
        after: Duration,
    },
    /// Client: what came back is no answer.
    BadAnswer {
        /// The socket.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Client: the daemon's own refusal.
    Refused(String),
    /// Server: somebody answers at this path already.
    InUse {
        /// The socket.
        path: PathBuf,
    },
    /// Server: something else is in the way.
    NotASocket {
        /// What is there.
        path: PathBuf,
    },
    /// Either side: a system call failed.
    System {
        /// What was tried: a verb, with its preposition.
        action: &'static str,
        /// The socket or its directory.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl ControlError {
    pub(super) fn system(action: &'static str, path: &Path, source: io::Error) -> ControlError {
        ControlError::System { action, path: path.to_owned(), source }
    }

    pub(super) fn bad_answer(path: &Path, why: impl Into<String>) -> ControlError {
        ControlError::BadAnswer { path: path.to_owned(), why: why.into() }
    }
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ControlError::NotRunning { path } => write!(f, "no daemon listens at `{}`", path.display()),
            ControlError::PermissionDenied { path } => {
                write!(f, "no permission to ask the daemon at `{}`", path.display())
            }
            ControlError::Timeout { path, after } => {
                write!(f, "the daemon at `{}` has not answered within {after:?}", path.display())
            }
            ControlError::BadAnswer { path, why } => {
                write!(f, "what listens at `{}` gave no proper answer: {why}", path.display())
            }
            ControlError::Refused(why) => f.write_str(why),
            ControlError::InUse { path } => write!(f, "another daemon answers at `{}`", path.display()),
            ControlError::NotASocket { path } => write!(f, "`{}` is not a socket", path.display()),
            ControlError::System { action, path, source } => {
                write!(f, "cannot {action} `{}`: {}", path.display(), reason(source))
            }
        }
    }
}

impl Error for ControlError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            ControlError::System { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl Explain for ControlError {
    fn help(&self) -> Option<String> {
        match self {
            ControlError::NotRunning { path } => {
                let service = service(path);
                Some(format!(
                    "is {service} running? `systemctl status {service}` tells; a daemon started with another \
                     `--control PATH` is asked with the same"
                ))
            }
            ControlError::PermissionDenied { path } => Some(format!(
                "ask as root, or as a member of the socket's group (`ls -l {}`)",
                path.display()
            )),
            ControlError::Timeout { .. } => Some(
                "it may be busy with a very large inventory: look into its log, and try again".to_owned(),
            ),
            ControlError::BadAnswer { .. } => {
                Some("is it a hostbook daemon of the same version as this program?".to_owned())
            }
            ControlError::InUse { .. } => {
                Some("stop it, or give this one a socket of its own with `--control PATH`".to_owned())
            }
            ControlError::NotASocket { .. } => {
                Some("remove it, or name another place with `--control PATH`".to_owned())
            }
            ControlError::System { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Some(
                    "name a place where this user may write with `--control PATH`, or give the service a \
                     `RuntimeDirectory=hostbook`"
                        .to_owned(),
                ),
                _ => None,
            },
            ControlError::Refused(_) => None,
        }
    }
}

/// The daemon whose socket has this name by default.
fn service(path: &Path) -> &'static str {
    match path.file_stem().and_then(|stem| stem.to_str()) {
        Some("dnsd") => "hostbook-dnsd",
        Some("dhcpd") => "hostbook-dhcpd",
        _ => "the daemon",
    }
}
