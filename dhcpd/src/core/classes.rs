//! Which descriptions of its network a client answers to: `[network.X.match.NAME]`.

use std::borrow::Cow;
use std::net::Ipv4Addr;

use super::packet::Message;
use crate::code;
use crate::view::{NetworkView, OptionBlock, Part, Reservation, Traits};

/// What a message says of its client.
struct Said<'m> {
    vendor_class: Option<Cow<'m, [u8]>>,
    user_class: Option<Cow<'m, [u8]>>,
    architectures: Option<Cow<'m, [u8]>>,
    relay: Option<Ipv4Addr>,
    circuit_id: Option<Cow<'m, [u8]>>,
    remote_id: Option<Cow<'m, [u8]>>,
}

impl<'m> Said<'m> {
    fn of(message: &'m Message<'_>) -> Said<'m> {
        let options = &message.options;
        Said {
            vendor_class: options.get(code::VENDOR_CLASS),
            user_class: options.get(code::USER_CLASS),
            architectures: options.get(code::CLIENT_ARCHITECTURE),
            relay: Some(message.giaddr()).filter(|agent| !agent.is_unspecified()),
            circuit_id: options.relay(code::RELAY_CIRCUIT_ID),
            remote_id: options.relay(code::RELAY_REMOTE_ID),
        }
    }

    fn with<'s>(&'s self, nic: Option<&Reservation<'s>>) -> Traits<'s> {
        Traits {
            vendor_class: self.vendor_class.as_deref(),
            user_class: self.user_class.as_deref(),
            architectures: self.architectures.as_deref(),
            relay: self.relay,
            circuit_id: self.circuit_id.as_deref(),
            remote_id: self.remote_id.as_deref(),
            tags: nic.map_or(&[], Reservation::tags),
        }
    }
}

/// Options of the descriptions that the client of `message` answers to, in the order of the inventory: the
/// first that has an option goes before the others, a host's own before all.
pub(super) fn classes<'v>(
    message: &Message<'_>,
    network: &'v NetworkView,
    nic: Option<&Reservation<'v>>,
) -> Vec<&'v OptionBlock> {
    if network.matches.is_empty() {
        return Vec::new();
    }
    let said = Said::of(message);
    let traits = said.with(nic);
    network.matches.iter().filter(|one| one.holds(&traits)).map(|one| &one.options).collect()
}

/// Seconds of a lease of the client of `message`: its nic's, else those of the first description that it
/// answers to and that has any, else the network's.
pub(super) fn lease_seconds(
    message: &Message<'_>,
    network: &NetworkView,
    nic: Option<&Reservation<'_>>,
) -> u32 {
    let own = nic.and_then(Reservation::lease_seconds);
    if own.is_some() || !network.has_leases_by_match() {
        return own.unwrap_or(network.lease_seconds);
    }
    network.lease_seconds_of(own, &Said::of(message).with(nic))
}

/// The encoded option with this code of the first class that has it.
pub(super) fn find<'v>(classes: &[&'v OptionBlock], code: u8) -> Option<&'v [u8]> {
    classes.iter().find_map(|options| options.get(code))
}

/// The pool of `network` that the client of `message` is given an address of.
pub(super) fn part_for(message: &Message<'_>, network: &NetworkView, nic: Option<&Reservation<'_>>) -> Part {
    if !network.has_parts() {
        return 0;
    }
    network.part_for(&Said::of(message).with(nic))
}

/// Whether the client of `message` may have `address` of a pool of `network`. One that asks by unicast says
/// nothing of its relay agent.
pub(super) fn may_have(
    message: &Message<'_>,
    network: &NetworkView,
    nic: Option<&Reservation<'_>>,
    address: Ipv4Addr,
    is_direct: bool,
) -> bool {
    if !network.pool.contains(address) || !network.has_parts() {
        return network.pool.contains(address);
    }
    let said = Said::of(message);
    let traits = said.with(nic);
    if is_direct {
        return network.may_keep(&traits, address);
    }
    network.part_for(&traits) == network.part_of(address)
}
