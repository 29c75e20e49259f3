//! Who may copy zones, and the keys that prove it.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use crate::name::Name;
use crate::span::Span;

/// A shared secret for transaction signatures (RFC 8945). The secret itself is in a file that is no part
/// of the inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name, which both sides write.
    pub name: Name,
    /// The header of its table.
    pub span: Span,
    /// How messages are signed with it.
    pub algorithm: KeyAlgorithm,
    /// Absolute path of the file that holds the secret.
    pub file: Box<str>,
}

/// How messages are signed (RFC 8945, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyAlgorithm {
    /// HMAC with SHA-256.
    HmacSha256,
    /// HMAC with SHA-384.
    HmacSha384,
    /// HMAC with SHA-512.
    HmacSha512,
}

/// A server that may copy zones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secondary {
    /// From where it asks.
    pub net: IpNet,
    /// Where it is told of changes (RFC 1996).
    pub notify: Option<SocketAddr>,
    /// The key that it has to sign with.
    pub key: Option<Name>,
}

impl KeyAlgorithm {
    /// All of them.
    pub const ALL: [KeyAlgorithm; 3] =
        [KeyAlgorithm::HmacSha256, KeyAlgorithm::HmacSha384, KeyAlgorithm::HmacSha512];

    /// Its name, in the inventory and on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            KeyAlgorithm::HmacSha256 => "hmac-sha256",
            KeyAlgorithm::HmacSha384 => "hmac-sha384",
            KeyAlgorithm::HmacSha512 => "hmac-sha512",
        }
    }
}

impl Secondary {
    /// Whether who asks from `address`, with a signature by `key` or none, is this one.
    pub fn is(&self, address: IpAddr, key: Option<&Name>) -> bool {
        self.net.contains(&address.to_canonical()) && self.key.as_ref() == key
    }
}
