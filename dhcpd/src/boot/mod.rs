//! Network boot, decided without I/O: what a machine is sent at each stage, made from a snapshot.
//!
//! [`Service`] answers for everything that is not a file on disk. [`tftp`] is the protocol's state
//! machine. Sockets and files are [`crate::shell`]'s.
//!
//! DHCP's answer is a function of the snapshot alone. What must happen once, an installation, is decided
//! by the script: it boots the profile until the installer has fetched its `done_url`, and goes on to the
//! local disk from then on. So a machine whose firmware boots from the network first is not installed
//! again and again, whatever the order of its boot devices.

#![deny(clippy::indexing_slicing, clippy::too_many_lines)]

mod event;
mod firmware;
pub mod host_keys;
mod installs;
mod script;
mod service;
mod target;
pub mod tftp;
mod url;

pub use event::BootEvent;
pub use firmware::{Architecture, Saying, Stage};
pub use installs::{HostKeys, Installs, Machines};
pub use service::{Answer, Asker, Service};
pub use target::{PREFIX, Report, Target, What, Whom, encoded};
pub use url::{script_path, server_url};

use inventory_core::model::ContentHash;

/// Digits of a hash that tell snapshots apart in URLs.
pub const VERSION_DIGITS: usize = 12;

/// How a snapshot is called in URLs.
pub fn version_of(hash: ContentHash) -> String {
    format!("{hash:.VERSION_DIGITS$}")
}
