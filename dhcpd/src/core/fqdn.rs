//! The client FQDN option (81, RFC 4702): what the client is called, and who keeps it in the DNS.
//!
//! Names follow from the inventory and are served as they stand there, so the answer to every client
//! that asks is the same: this is your name, and we see to it.

use std::borrow::Cow;
use std::net::Ipv4Addr;

use inventory_core::name::Name;

use super::packet::Message;
use crate::code;
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
        Some(nic) => Cow::Borrowed(nic.fqdn()?),
        None if address.is_unspecified() => return None,
        None => Cow::Owned(derived(network, address)?),
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

/// The name that an address of a pool has in the DNS.
fn derived(network: &NetworkView, address: Ipv4Addr) -> Option<Name> {
    let [a, b, c, d] = address.octets();
    network.zone.as_ref()?.child(&format!("dhcp-{a}-{b}-{c}-{d}")).ok()
}
