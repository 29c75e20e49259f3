//! The client FQDN option (81, RFC 4702): what the client is called, and who keeps it in the DNS.
//!
//! Names follow from the inventory and are served as they stand there, so the answer to every client
//! that asks is the same: this is your name, and we see to it.

use std::net::{IpAddr, Ipv4Addr};

use inventory_core::model::PoolLabel;
use inventory_core::name::Name;

use super::dynamic::own_name;
use super::packet::Message;
use crate::code;
use crate::names::host_label;
use crate::view::{NetworkView, Reservation};

/// The server keeps the A record.
const SERVER: u8 = 1;
/// And does so against the client's wish.
const OVERRIDE: u8 = 2;
/// The name is in wire format, not in text.
const ENCODED: u8 = 4;
/// Response codes are of no use: "SHOULD be 255" (RFC 4702, section 2.2).
const NO_CODE: u8 = 255;

/// The option's data for the client that `nic` and `address` say; `None` if it did not send the option
/// or has no name.
pub(super) fn answer(
    message: &Message<'_>,
    network: &NetworkView,
    nic: Option<&Reservation<'_>>,
    address: Ipv4Addr,
) -> Option<Vec<u8>> {
    let asked = message.options.get(code::CLIENT_FQDN)?;
    let asked = *asked.first()?;
    let name = match nic {
        Some(nic) => nic.fqdn()?,
        None if address.is_unspecified() => return None,
        None => own(message, network).or_else(|| derived(network, address))?,
    };
    let overridden = if asked & SERVER == 0 { OVERRIDE } else { 0 };
    let mut data = vec![SERVER | overridden | (asked & ENCODED), NO_CODE, NO_CODE];
    if asked & ENCODED == 0 {
        data.extend(name.to_string().trim_end_matches('.').bytes());
    } else {
        data.extend(name.as_wire());
    }
    Some(data)
}

/// The name that the client says there, as text (RFC 4702, section 2.3).
pub(super) fn name_of(message: &Message<'_>) -> Option<Vec<u8>> {
    let option = message.options.get(code::CLIENT_FQDN)?;
    let (&[flags, _, _], name) = option.split_first_chunk::<3>()?;
    if flags & ENCODED == 0 {
        return Some(name.to_vec());
    }
    let mut text = Vec::new();
    let mut rest = name;
    while let Some((length, after)) = rest.split_first().filter(|(length, _)| **length > 0) {
        let (label, after) = after.split_at_checked(usize::from(*length))?;
        if !text.is_empty() {
            text.push(b'.');
        }
        text.extend_from_slice(label);
        rest = after;
    }
    Some(text)
}

/// The name that the client of an address of a pool gives itself, where it has that in the DNS as well.
fn own(message: &Message<'_>, network: &NetworkView) -> Option<Name> {
    let zone = network.zone.as_ref().filter(|_| network.dynamic_names)?;
    zone.child(&host_label(&own_name(message)?)?).ok()
}

/// The name in `zone` of an address of a pool.
pub(super) fn pool_name(zone: &Name, address: IpAddr) -> Option<Name> {
    zone.child(&String::from_utf8_lossy(PoolLabel::new(address).text())).ok()
}

/// The name that an address of a pool has in the DNS.
fn derived(network: &NetworkView, address: Ipv4Addr) -> Option<Name> {
    pool_name(network.zone.as_ref()?, address.into())
}
