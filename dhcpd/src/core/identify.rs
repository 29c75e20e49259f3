//! Which nic of the inventory a client is.
//!
//! By hardware address first: the client identifier (option 61) changes between the stages of one boot,
//! while firmware, boot loader and system share the card. Then by client identifier, by the DUID in it
//! (RFC 4361, section 6.1), by the same DUID made of the UUID that firmware sends (option 97, RFC 4578, section
//! 2.3), by the relay agent's port (RFC 3046). A key counts in its network only: a
//! machine known in another network is unknown here.

use super::packet::Message;
use super::place::Place;
use crate::code;
use crate::view::{DhcpView, NetworkView, Reservation};

/// A client that the inventory knows.
#[derive(Clone, Copy)]
pub(super) struct Identified<'v> {
    /// The nic that it is.
    pub(super) nic: Reservation<'v>,
    /// The network that it is in.
    pub(super) network: &'v NetworkView,
}

/// The nic that a client is.
pub(super) fn identify<'v>(message: &Message<'_>, place: &Place<'v>) -> Option<Identified<'v>> {
    let find = |by: &dyn Fn(&'v NetworkView) -> Option<Reservation<'v>>| {
        place.networks().find_map(|network| Some(Identified { nic: by(network)?, network }))
    };
    let view = place.view();
    if let Some(mac) = message.mac()
        && let Some(found) = find(&|network| view.by_mac(network.id, mac))
    {
        return Some(found);
    }
    if let Some(id) = message.options.get(code::CLIENT_ID) {
        if let Some(found) = find(&|network| view.by_client_id(network.id, &id)) {
            return Some(found);
        }
        if let Some(found) = duid_of(&id).and_then(|duid| find(&|network| by_duid(view, network, duid))) {
            return Some(found);
        }
    }
    if let Some(found) = uuid_of(message).and_then(|duid| find(&|network| by_duid(view, network, &duid))) {
        return Some(found);
    }
    let circuit = message.options.relay(code::RELAY_CIRCUIT_ID)?;
    let remote = message.options.relay(code::RELAY_REMOTE_ID);
    find(&|network| view.by_port(network.id, &circuit, remote.as_deref()))
}

/// The nic with this DUID, or with the other spelling of it.
fn by_duid<'v>(view: &'v DhcpView, network: &NetworkView, duid: &[u8]) -> Option<Reservation<'v>> {
    view.by_duid(network.id, duid).or_else(|| view.by_duid(network.id, &swapped_uuid(duid)?))
}

/// The DUID in a client identifier: type 255, four octets of IAID, DUID.
fn duid_of(client_id: &[u8]) -> Option<&[u8]> {
    match client_id {
        [255, _, _, _, _, duid @ ..] if duid.len() >= 2 => Some(duid),
        _ => None,
    }
}

/// The DUID of type 4 with the machine's UUID (option 97: type 0 and the UUID).
fn uuid_of(message: &Message<'_>) -> Option<[u8; 18]> {
    let [0, uuid @ ..] = message.options.fixed::<17>(code::CLIENT_UUID).ok()?? else { return None };
    let mut duid = [0; 18];
    let (kind, rest) = duid.split_first_chunk_mut::<2>()?;
    *kind = [0, 4];
    rest.copy_from_slice(&uuid);
    Some(duid)
}

/// A DUID of type 4 (a UUID, RFC 6355) with the UUID's first three fields in the other byte order:
/// firmware and boot loaders of one machine disagree about it.
pub(super) fn swapped_uuid(duid: &[u8]) -> Option<[u8; 18]> {
    let mut swapped: [u8; 18] = duid.try_into().ok()?;
    let [0, 4, a @ .., _, _, _, _, _, _, _, _] = &mut swapped else { return None };
    let a: &mut [u8; 8] = a;
    let [b, c, d, e, f, g, h, i] = *a;
    *a = [e, d, c, b, g, f, i, h];
    Some(swapped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_swapped_as_smbios_and_the_rfc_disagree() {
        let wire: [u8; 18] = [0, 4, 0, 0, 0, 0x77, 0, 0, 0, 0x40, 1, 2, 3, 4, 5, 6, 7, 8];
        let other = [0, 4, 0x77, 0, 0, 0, 0, 0, 0x40, 0, 1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(swapped_uuid(&wire), Some(other));
        assert_eq!(swapped_uuid(&other), Some(wire));
        assert_eq!(swapped_uuid(&[0, 1, 0, 0, 0, 0x77, 0, 0, 0, 0x40, 1, 2, 3, 4, 5, 6, 7, 8]), None);
        assert_eq!(swapped_uuid(&wire[..17]), None);
    }

    #[test]
    fn a_duid_is_found_in_identifiers_of_type_255_only() {
        assert_eq!(duid_of(&[255, 0, 0, 0, 4, 0, 1, 9]), Some(&[0, 1, 9][..]));
        assert_eq!(duid_of(&[255, 0, 0, 0, 4]), None);
        assert_eq!(duid_of(&[1, 2, 0, 0, 0, 0, 1]), None);
    }
}
