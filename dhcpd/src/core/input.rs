//! What reaches the core: everything that it decides on beside the view.
//!
//! Inputs can be written down and played again; the same ones in the same order give the same outputs.

use std::borrow::Cow;
use std::net::{Ipv4Addr, SocketAddrV4};

use serde::{Deserialize, Serialize};

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Input<'a> {
    /// A datagram came in.
    Packet(Packet<'a>),
    /// A datagram to [`super::BOOT_PORT`] came in.
    BootPacket(Packet<'a>),
    /// The interfaces that are served are these, from now on.
    Links(Vec<Link>),
    /// All records up to this position are durable.
    Committed(u64),
    /// Records cannot be made durable at the moment; replies that waited for them are thrown away.
    StoreFailing,
    /// Somebody uses this address: the answer to a probe.
    InUse {
        /// The address.
        address: Ipv4Addr,
        /// Hardware address of who uses it, where that is known.
        mac: Option<[u8; 6]>,
    },
    /// Nothing but time. To be given at [`super::Core::deadline`].
    Tick,
}

/// A datagram to the server's port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packet<'a> {
    /// Its payload.
    pub bytes: Cow<'a, [u8]>,
    /// Index of the interface it came in by.
    pub interface: u32,
    /// Who sent it.
    pub from: SocketAddrV4,
    /// Destination address in its IP header, broadcast addresses included.
    pub destination: Option<Ipv4Addr>,
}

/// An interface that is served, as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The kernel's index.
    pub index: u32,
    /// Its IPv4 addresses, the primary one first.
    pub addresses: Vec<Ipv4Addr>,
    /// Largest IP packet in octets.
    pub mtu: u32,
}

/// When an event happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    /// Milliseconds since the machine started, suspended time included. This clock never steps.
    pub monotonic_ms: u64,
    /// Milliseconds since 1970. This clock may step; it says only what is written down for other boots.
    pub unix_ms: i64,
}

impl Now {
    /// Milliseconds since the machine started, for differences of either sign.
    pub fn ms(self) -> i64 {
        i64::try_from(self.monotonic_ms).unwrap_or(i64::MAX)
    }

    /// Wall clock less the boot's clock, in milliseconds: another one after the wall clock was stepped.
    pub(super) fn wall_offset_ms(self) -> i64 {
        self.unix_ms.saturating_sub(self.ms())
    }
}
