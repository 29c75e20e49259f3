//! What reaches the core: everything that it decides on beside the view.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV6};

use serde::{Deserialize, Serialize};

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Input<'a> {
    /// A datagram came in.
    Packet(Packet<'a>),
    /// The interfaces that are served are these, from now on.
    Links(Vec<Link>),
    /// All records up to this position are durable.
    Committed(u64),
    /// Records cannot be made durable at the moment; replies that waited for them are thrown away.
    StoreFailing,
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
    pub from: SocketAddrV6,
    /// Destination address in its IP header: mostly a multicast address.
    pub destination: Option<Ipv6Addr>,
}

/// An interface that is served, as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The kernel's index.
    pub index: u32,
    /// Its IPv6 addresses, the link-local ones among them.
    pub addresses: Vec<Ipv6Addr>,
    /// Its IPv4 addresses: they tell the network as well.
    pub addresses4: Vec<Ipv4Addr>,
    /// Largest IP packet in octets.
    pub mtu: u32,
}
