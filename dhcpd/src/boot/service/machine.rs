//! Which host asks, by its address, and what has become of it since its boot began.

use std::net::IpAddr;

use inventory_core::model::{Host, Inventory, Snapshot};
use inventory_core::name::Name;

use super::Refusal;
use crate::boot::BootEvent;
use crate::boot::installs::{cards, with_cards};

/// The host with this FQDN, which is in lower case and without the dot at its end.
pub(super) fn find(inventory: &Inventory, fqdn: &str) -> Option<Host> {
    inventory.host_named(&Name::parse(fqdn, None).ok()?)
}

/// Nothing, if `peer` can be `host` and gets something.
pub(super) fn judge(host: &Host, peer: IpAddr, snapshot: &Snapshot) -> Result<(), Refusal> {
    if !is_of(host, peer, snapshot) || is_anothers(host, peer, snapshot) {
        return Err(other_machine(host, peer));
    }
    if host.state.is_served() { Ok(()) } else { Err(not_served(host)) }
}

/// The machine that was `host` when its boot began, as it is in `current`: by its name, or by its cards if
/// it was renamed. It keeps what it began with though its address be edited, unless that address is
/// another machine's by now.
pub(super) fn latest(host: &Host, peer: IpAddr, current: &Snapshot) -> Result<Host, Refusal> {
    let same = current.inventory.host_named(&host.name.fqdn);
    let same = same.or_else(|| with_cards(&current.inventory, &cards(host)).next());
    let Some(same) = same else {
        return Err((BootEvent::NotFound, format!("`{}` is not there any more", host.name.fqdn)));
    };
    if !same.state.is_served() {
        return Err(not_served(&same));
    }
    if is_anothers(&same, peer, current) { Err(other_machine(host, peer)) } else { Ok(same) }
}

/// Whether `peer` is written down as an address of another host.
fn is_anothers(host: &Host, peer: IpAddr, snapshot: &Snapshot) -> bool {
    let has = |other: &Host| other.nics.iter().any(|nic| nic.addresses.contains(&peer));
    snapshot.inventory.each_host().any(|other| has(&other) && other.name.fqdn != host.name.fqdn)
}

/// Whether `peer` can be `host`: it is one of its addresses, or lies in a network where the host takes
/// what address it is given. A host with an IPv4 address only is given none for IPv6, so that a
/// neighbour who comes by IPv6 is another machine.
fn is_of(host: &Host, peer: IpAddr, snapshot: &Snapshot) -> bool {
    host.nics.iter().any(|nic| {
        let mut own = nic.addresses.iter().filter(|address| address.is_ipv4() == peer.is_ipv4()).peekable();
        if own.peek().is_none() && (peer.is_ipv4() || nic.addresses.is_empty()) {
            return snapshot.inventory.globals.network(nic.network).contains(peer);
        }
        own.any(|address| *address == peer)
    })
}

pub(super) fn not_served(host: &Host) -> Refusal {
    (BootEvent::NotServed, format!("`{}` is {}", host.name.fqdn, host.state.word()))
}

fn other_machine(host: &Host, peer: IpAddr) -> Refusal {
    (BootEvent::OtherMachine, format!("{peer} is not an address of `{}`", host.name.fqdn))
}
