//! What there is to decide about a message: the answers of [`super::decide`], which [`super::Core`] carries out.

use std::net::Ipv4Addr;

use super::reason::{Reason, Refusal};
use crate::view::{NetworkView, Reservation};

/// What to do about a message.
#[derive(Debug)]
pub(super) enum Decision<'v> {
    /// DHCPOFFER, or BOOTREPLY, of a reserved address.
    Offer(Grant<'v>),
    /// DHCPOFFER of an address from a pool.
    OfferLease(Want<'v>),
    /// DHCPACK of an address.
    Ack(Grant<'v>),
    /// DHCPACK with options only.
    Inform(&'v NetworkView, Option<Reservation<'v>>),
    /// DHCPNAK; the client's lease of this address ends.
    Refuse(Refusal, Option<Ipv4Addr>),
    /// Nothing, since another machine uses this host's address.
    Conflict(Grant<'v>),
    /// Nothing, since another machine uses this address of a pool.
    Decline(Ipv4Addr),
    /// Nothing; the client's lease of this address ends.
    Release(Ipv4Addr),
    /// Nothing.
    Silence(Reason),
}

/// An address for a client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grant<'v> {
    /// The network that it is of.
    pub(super) network: &'v NetworkView,
    /// The nic that the client is, if it is known.
    pub(super) nic: Option<Reservation<'v>>,
    /// The address.
    pub(super) address: Ipv4Addr,
    /// For how long.
    pub(super) seconds: u32,
    /// Whether it is leased: it is of a pool, or of a port, which any machine may be plugged into.
    pub(super) is_leased: bool,
}

impl Grant<'_> {
    /// Whether it is the nic's own address.
    pub(super) fn is_reserved(&self) -> bool {
        self.nic.is_some_and(|nic| nic.address() == Some(self.address))
    }
}

/// A client that needs an address from a pool.
#[derive(Clone, Copy, Debug)]
pub(super) struct Want<'v> {
    /// The nic that the client is and its network, if it is known.
    pub(super) known: Option<(Reservation<'v>, &'v NetworkView)>,
    /// Longest lease in seconds: until the client's own address may be free.
    pub(super) seconds_max: u32,
}
