//! A way to a target, and what can go wrong on it.

use std::fmt;
use std::fs::File;

use super::programs::Programs;
use super::ssh::SshLink;
use crate::core::batch::Batch;
use crate::core::reply::{Garbled, Reply};

/// Why a batch was not answered.
#[derive(Debug)]
pub enum TransportError {
    /// There was no connection, or the target refuses to take part.
    Refused(String),
    /// The connection was there and is gone.
    Lost(String),
    /// Nothing came for this many seconds.
    Silent(u64),
    /// The run is to stop.
    Stopped,
    /// The target answers something else than it should.
    Garbled(Garbled),
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TransportError::Refused(why) => write!(f, "no connection: {why}"),
            TransportError::Lost(why) => write!(f, "the connection was lost: {why}"),
            TransportError::Silent(seconds) => write!(f, "no answer for {seconds} s"),
            TransportError::Stopped => f.write_str("interrupted"),
            TransportError::Garbled(garbled) => garbled.fmt(f),
        }
    }
}

impl std::error::Error for TransportError {}

/// What a connection has cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Processes started to reach the target.
    pub processes: u64,
    /// Times that something was sent and its answer waited for.
    pub round_trips: u64,
}

/// A file to be laid on the target.
#[derive(Debug)]
pub struct Upload {
    /// Its content.
    pub content: File,
    /// Octets of it.
    pub size: u64,
}

/// Takes note of a script that ended: its number and exit code.
pub type OnEnd<'a> = &'a mut dyn FnMut(usize, i32);

/// A way to a target.
#[derive(Debug)]
pub enum Link {
    /// A shell that stays there, over one ssh.
    Ssh(Box<SshLink>),
    /// Programs of the user, started for each batch.
    Programs(Box<Programs>),
}

impl Link {
    /// Runs a batch. `on_end` hears of every script as it ends. After an error the link is of no use.
    ///
    /// # Errors
    /// See [`TransportError`]; scripts that `on_end` heard of have ended all the same.
    pub fn run(&mut self, batch: &Batch, on_end: OnEnd<'_>) -> Result<Reply, TransportError> {
        match self {
            Link::Ssh(link) => link.exchange(&batch.text(), None, on_end),
            Link::Programs(link) => link.exchange(&batch.text(), on_end),
        }
    }

    /// Runs a batch that a file follows.
    ///
    /// # Errors
    /// See [`TransportError`].
    pub fn run_with(&mut self, batch: &Batch, upload: Upload) -> Result<Reply, TransportError> {
        match self {
            Link::Ssh(link) => link.exchange(&batch.text(), Some(upload), &mut |_, _| {}),
            Link::Programs(_) => {
                Err(TransportError::Refused("the programs given are to be called".to_owned()))
            }
        }
    }

    /// Ends it, which makes the target clean up. Returns what it has cost.
    pub fn close(self) -> Cost {
        match self {
            Link::Ssh(link) => link.cost(),
            // Cleaning up is one more call.
            Link::Programs(link) => Cost { processes: link.cost().processes + 1, ..link.cost() },
        }
    }
}
