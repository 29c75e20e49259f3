//! `[network.X.match.NAME]`: DHCPv4 options, addresses and a lease time for those clients of a network that answer to a
//! description.

use std::net::Ipv4Addr;

use super::Range;
use crate::options::DhcpOption;
use crate::span::Span;

/// What clients of a network are told and given that answer to a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// Its name.
    pub name: Box<str>,
    /// The header of its table.
    pub span: Span,
    /// Whom it is about.
    pub conditions: Conditions,
    /// Options over those of the network, sorted by code.
    pub options: Box<[DhcpOption]>,
    /// IPv4 pools that nobody else is given an address of, sorted; some of the network's `pools`.
    pub pools: Box<[Range]>,
    /// Lease time in seconds over that of the network, of the same range.
    pub lease_seconds: Option<u32>,
}

/// A description of clients: each list that is not empty must have something that holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Vendor class (option 60).
    pub vendor_class: Box<[Pattern]>,
    /// User class (option 77).
    pub user_class: Box<[Pattern]>,
    /// Architecture types (option 93).
    pub architecture: Box<[u16]>,
    /// Address of the relay agent.
    pub relay: Box<[Ipv4Addr]>,
    /// The relay agent's circuit id (option 82.1).
    pub circuit_id: Box<[Pattern]>,
    /// The relay agent's remote id (option 82.2).
    pub remote_id: Box<[Pattern]>,
    /// Tags of the host that the client is.
    pub tags: Box<[Box<str>]>,
}

/// Octets, or octets that something begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The octets.
    pub octets: Box<[u8]>,
    /// Whether more may follow.
    pub is_prefix: bool,
}

impl Pattern {
    /// Whether `octets` are such.
    pub fn holds(&self, octets: &[u8]) -> bool {
        if self.is_prefix { octets.starts_with(&self.octets) } else { *octets == *self.octets }
    }
}

/// What architecture types (option 93) are called: by PXE and by HTTP boot (RFC 4578 and its registry).
pub const ARCHITECTURES: &[(&str, &[u16])] = &[
    ("bios", &[0, 20]),
    ("uefi-ia32", &[6, 15]),
    ("uefi-x64", &[7, 9, 16, 17]),
    ("uefi-arm32", &[10, 18]),
    ("uefi-arm64", &[11, 19]),
    ("uefi-riscv64", &[27, 28]),
];
