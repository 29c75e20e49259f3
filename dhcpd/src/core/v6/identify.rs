//! Which nic of the inventory a client is.
//!
//! By hardware address first, as in DHCPv4, so that one `mac` line serves both families: as the relay
//! agent saw it (RFC 6939), else from a link-local address made of it (RFC 4291, appendix A). A DUID
//! changes between firmware and system, and clones of one disk share it. Then by DUID, in both byte
//! orders of a UUID; by the hardware address within a DUID, which may be another nic's; by the relay
//! agent's port. A key counts in its network only.

use std::net::Ipv6Addr;

use inventory_core::mac::MacAddr;

use super::input::Packet;
use super::message::Message;
use super::place::Place;
use crate::code6;
use crate::core::identify::swapped_uuid;
use crate::view::{NetworkView6, Reservation};

/// Hardware types whose addresses are EUI-48: Ethernet and IEEE 802.
const ETHERNET: [u16; 2] = [1, 6];

/// The nic that a client is, with the network that it is in.
pub(super) fn identify<'v>(
    message: &Message<'_>,
    packet: &Packet<'_>,
    place: &Place<'v>,
) -> Option<(Reservation<'v>, &'v NetworkView6)> {
    let find = |by: &dyn Fn(&'v NetworkView6) -> Option<Reservation<'v>>| {
        place.networks().find_map(|network| Some((by(network)?, network)))
    };
    let view = place.view();
    let by_mac = |mac: Option<MacAddr>| mac.and_then(|mac| find(&|network| view.by_mac(network.id, mac)));
    if let Some(found) = by_mac(seen(message, packet)) {
        return Some(found);
    }
    if let Ok(Some(duid)) = message.duid() {
        let swapped = swapped_uuid(duid);
        let by_duid = |network: &'v NetworkView6| {
            view.by_duid(network.id, duid).or_else(|| view.by_duid(network.id, swapped.as_ref()?))
        };
        if let Some(found) = find(&by_duid).or_else(|| by_mac(mac_of_duid(duid))) {
            return Some(found);
        }
    }
    let relay = message.nearest_relay()?;
    let port = relay.options.get(code6::INTERFACE_ID)?;
    let remote = relay.options.get(code6::REMOTE_ID).and_then(|remote| remote.get(4..));
    find(&|network| view.by_port(network.id, port, remote))
}

/// The client's hardware address, if anything tells it.
pub(super) fn mac_of(message: &Message<'_>, packet: &Packet<'_>) -> Option<MacAddr> {
    seen(message, packet).or_else(|| mac_of_duid(message.duid().ok()??))
}

/// The client's hardware address as its link showed it.
fn seen(message: &Message<'_>, packet: &Packet<'_>) -> Option<MacAddr> {
    let Some(relay) = message.nearest_relay() else { return mac_of_link_local(*packet.from.ip()) };
    let by_relay = relay.options.get(code6::CLIENT_LINK_LAYER).and_then(typed_mac);
    by_relay.or_else(|| mac_of_link_local(relay.peer))
}

/// Two octets of hardware type, then the address.
fn typed_mac(octets: &[u8]) -> Option<MacAddr> {
    let (kind, address) = octets.split_first_chunk::<2>()?;
    let mac = MacAddr(address.try_into().ok()?);
    ETHERNET.contains(&u16::from_be_bytes(*kind)).then_some(mac)
}

/// The hardware address in a DUID of type 1 (with a time) or 3 (RFC 8415, sections 11.2 and 11.4).
fn mac_of_duid(duid: &[u8]) -> Option<MacAddr> {
    match duid {
        [0, 1, high, low, _, _, _, _, mac @ ..] | [0, 3, high, low, mac @ ..] => {
            let mac = MacAddr(mac.try_into().ok()?);
            ETHERNET.contains(&u16::from_be_bytes([*high, *low])).then_some(mac)
        }
        _ => None,
    }
}

/// The hardware address that a link-local address was made of, if it was.
fn mac_of_link_local(address: Ipv6Addr) -> Option<MacAddr> {
    match address.octets() {
        [0xfe, 0x80, 0, 0, 0, 0, 0, 0, a, b, c, 0xff, 0xfe, d, e, f] => Some(MacAddr([a ^ 2, b, c, d, e, f])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: MacAddr = MacAddr([0x52, 0x54, 0, 0x77, 0, 0x16]);

    #[test]
    fn a_link_local_address_tells_the_hardware_address_it_was_made_of() {
        assert_eq!(mac_of_link_local("fe80::5054:ff:fe77:16".parse().unwrap()), Some(MAC));
        for other in
            ["fe80::5054:ff:ff77:16", "2001:db8::5054:ff:fe77:16", "fe80:0:0:1:5054:ff:fe77:16", "::"]
        {
            assert_eq!(mac_of_link_local(other.parse().unwrap()), None, "{other}");
        }
    }

    #[test]
    fn a_duid_of_type_1_or_3_tells_a_hardware_address_and_others_do_not() {
        assert_eq!(mac_of_duid(&[0, 3, 0, 1, 0x52, 0x54, 0, 0x77, 0, 0x16]), Some(MAC));
        assert_eq!(mac_of_duid(&[0, 1, 0, 1, 9, 9, 9, 9, 0x52, 0x54, 0, 0x77, 0, 0x16]), Some(MAC));
        assert_eq!(mac_of_duid(&[0, 3, 0, 32, 0x52, 0x54, 0, 0x77, 0, 0x16]), None, "InfiniBand");
        assert_eq!(mac_of_duid(&[0, 3, 0, 1, 0x52, 0x54, 0, 0x77, 0]), None);
        assert_eq!(mac_of_duid(&[0, 2, 0, 1, 0x52, 0x54, 0, 0x77, 0, 0x16]), None);
    }

    #[test]
    fn what_a_relay_agent_saw_is_an_ethernet_address_or_nothing() {
        assert_eq!(typed_mac(&[0, 1, 0x52, 0x54, 0, 0x77, 0, 0x16]), Some(MAC));
        assert_eq!(typed_mac(&[0, 32, 0x52, 0x54, 0, 0x77, 0, 0x16]), None);
        assert_eq!((typed_mac(&[0, 1]), typed_mac(&[])), (None, None));
    }
}
