//! Whose a lease is.
//!
//! By the client identifier (RFC 2131, section 4.2), else by the hardware address. An identifier that is
//! only the hardware address again (type and address, as boot loaders send it) counts as the latter, so
//! that firmware and boot loader have one lease. A host of the inventory is its card through all stages
//! of a boot, whatever identifier each of them sends; what is plugged into a port of the inventory is the
//! card that it asks with.

use std::fmt;
use std::str::FromStr;

use inventory_core::mac::MacAddr;
use inventory_core::octets::Octets;

use super::packet::Message;
use super::v6::IaKind;
use crate::code;
use crate::view::Reservation;

/// Identity of a client: hardware type and address, or client identifier, or identity association.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientKey {
    kind: Kind,
    octets: Octets,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Hardware,
    Identifier,
    Addresses,
    Temporary,
    Prefixes,
}

impl Kind {
    const ALL: [Kind; 5] =
        [Kind::Hardware, Kind::Identifier, Kind::Addresses, Kind::Temporary, Kind::Prefixes];

    fn word(self) -> &'static str {
        match self {
            Kind::Hardware => "hw",
            Kind::Identifier => "id",
            Kind::Addresses => "na",
            Kind::Temporary => "ta",
            Kind::Prefixes => "pd",
        }
    }
}

/// The clients that the sender of a message counts as.
#[derive(Clone, Debug)]
pub(super) struct ClientKeys {
    /// Whose the leases are that it gets.
    pub(super) own: ClientKey,
    /// What it was known by before it was written down, where that is something else: it keeps its leases.
    before: Option<ClientKey>,
}

impl ClientKeys {
    /// Those of `message`; `nic` if the inventory knows the client. `None`: it does not say who it is.
    pub(super) fn of(message: &Message<'_>, nic: Option<&Reservation<'_>>) -> Option<ClientKeys> {
        let own = ClientKey::of(message, nic)?;
        let before = nic.and_then(|_| ClientKey::of(message, None)).filter(|before| *before != own);
        Some(ClientKeys { own, before })
    }

    /// Whether `client` is one of them.
    pub(super) fn have(&self, client: &ClientKey) -> bool {
        self.iter().any(|key| key == client)
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &ClientKey> {
        std::iter::once(&self.own).chain(&self.before)
    }
}

impl ClientKey {
    /// The client that sent `message`; `nic` if the inventory knows it. `None`: it does not say who it is.
    pub(super) fn of(message: &Message<'_>, nic: Option<&Reservation<'_>>) -> Option<ClientKey> {
        let is_by_port = nic.is_some_and(Reservation::is_by_port);
        if let Some(mac) = nic.and_then(Reservation::mac).filter(|_| !is_by_port) {
            return Some(ClientKey::of_mac(mac));
        }
        let hardware = ClientKey::of_hardware(message);
        if is_by_port && hardware.is_some() {
            return hardware;
        }
        let Some(id) = message.options.get(code::CLIENT_ID).filter(|id| id.len() >= 2) else {
            return hardware;
        };
        if hardware.as_ref().is_some_and(|hardware| *hardware.octets == *id) {
            return hardware;
        }
        Some(ClientKey { kind: Kind::Identifier, octets: Octets::from(&*id) })
    }

    /// The client by its hardware address alone; `None` if it has none, or one that no interface has.
    pub(super) fn of_hardware(message: &Message<'_>) -> Option<ClientKey> {
        let (htype, _, _) = message.hardware();
        let address = message.chaddr();
        if address.iter().all(|octet| *octet == 0) {
            return None;
        }
        Some(ClientKey {
            kind: Kind::Hardware,
            octets: std::iter::once(&htype).chain(address).copied().collect(),
        })
    }

    /// The clients that may have sent this identifier: one that is only a hardware address counts as that.
    pub(super) fn of_identifier(id: &[u8]) -> [Option<ClientKey>; 2] {
        let key = |kind| Some(ClientKey { kind, octets: id.into() });
        [key(Kind::Identifier), key(Kind::Hardware)]
    }

    /// Its identifier, where it is known by one.
    pub(crate) fn identifier(&self) -> Option<&[u8]> {
        (self.kind == Kind::Identifier).then_some(&*self.octets)
    }

    /// Type and address of its hardware, where it is known by that.
    pub(crate) fn hardware(&self) -> Option<(u8, &[u8])> {
        let (htype, address) = self.octets.split_first()?;
        (self.kind == Kind::Hardware).then_some((*htype, address))
    }

    /// The client with this Ethernet address.
    pub fn of_mac(mac: MacAddr) -> ClientKey {
        ClientKey { kind: Kind::Hardware, octets: std::iter::once(1).chain(mac.0).collect() }
    }

    /// The identity association `id` of the DHCPv6 client with this DUID.
    pub(super) fn of_association(kind: IaKind, id: u32, duid: &[u8]) -> ClientKey {
        let kind = match kind {
            IaKind::Na => Kind::Addresses,
            IaKind::Ta => Kind::Temporary,
            IaKind::Pd => Kind::Prefixes,
        };
        ClientKey { kind, octets: id.to_be_bytes().iter().chain(duid).copied().collect() }
    }

    /// Kind and number of the identity association of a DHCPv6 client and its DUID, where it is known by that.
    pub fn association(&self) -> Option<(IaKind, u32, &[u8])> {
        let kind = match self.kind {
            Kind::Hardware | Kind::Identifier => return None,
            Kind::Addresses => IaKind::Na,
            Kind::Temporary => IaKind::Ta,
            Kind::Prefixes => IaKind::Pd,
        };
        let (id, duid) = self.octets.split_first_chunk()?;
        Some((kind, u32::from_be_bytes(*id), duid))
    }

    /// Nobody: for addresses that a stranger to DHCP uses.
    pub(super) fn nobody() -> ClientKey {
        ClientKey { kind: Kind::Hardware, octets: Octets::from(&[][..]) }
    }
}

impl fmt::Display for ClientKey {
    /// `hw:01:02:00:…` or `id:ff:00:…`: kind, then octets in hexadecimal. In DHCPv6 the kind is that of the
    /// identity association (`na`, `ta`, `pd`), and the octets are its number and the DUID.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.word())?;
        let mut text = [0; RUN * 3];
        self.octets.chunks(RUN).try_for_each(|run| f.write_str(colons(run, &mut text)))
    }
}

/// Octets that are written at once.
const RUN: usize = 16;

/// Octets as `:01:02:…`, written to the beginning of `text`, which has three for each. Every record of a lease has
/// some, and formatting them one by one takes longer than all else of it.
pub(super) fn colons<'t>(octets: &[u8], text: &'t mut [u8]) -> &'t str {
    let digit = |half: u8| if half < 10 { b'0' + half } else { b'a' + half - 10 };
    for (place, octet) in text.chunks_exact_mut(3).zip(octets) {
        place.copy_from_slice(&[b':', digit(octet >> 4), digit(octet & 15)]);
    }
    let text = text.get(..octets.len() * 3).unwrap_or_default();
    std::str::from_utf8(text).unwrap_or_default()
}

impl fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for ClientKey {
    type Err = String;

    fn from_str(text: &str) -> Result<ClientKey, String> {
        let wrong = || format!("`{text}` is no client: it reads `hw:01:02:…` or `id:ff:…`");
        let mut parts = text.split(':');
        let word = parts.next();
        let kind = Kind::ALL.into_iter().find(|kind| Some(kind.word()) == word).ok_or_else(wrong)?;
        let octet = |part: &str| {
            let is_hex = part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_hexdigit());
            is_hex.then(|| u8::from_str_radix(part, 16).ok()).flatten()
        };
        let octets = parts.map(octet).collect::<Option<_>>().ok_or_else(wrong)?;
        Ok(ClientKey { kind, octets })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_read_back_from_its_text() {
        let id = ClientKey { kind: Kind::Identifier, octets: Octets::from(&[0xff, 0, 9][..]) };
        for (key, text) in [
            (ClientKey::of_mac(MacAddr([2, 0, 0, 0, 0, 0xaa])), "hw:01:02:00:00:00:00:aa"),
            (id, "id:ff:00:09"),
            (ClientKey::nobody(), "hw"),
            (ClientKey::of_association(IaKind::Pd, 7, &[0, 3]), "pd:00:00:00:07:00:03"),
        ] {
            assert_eq!(key.to_string(), text);
            assert_eq!(text.parse(), Ok(key));
        }
        for kind in [IaKind::Na, IaKind::Ta, IaKind::Pd] {
            let key = ClientKey::of_association(kind, 0x0102_0304, &[0, 3, 9]);
            assert_eq!(key.association(), Some((kind, 0x0102_0304, &[0, 3, 9][..])));
        }
        assert_eq!(ClientKey::of_mac(MacAddr([2; 6])).association(), None);
        assert_eq!("na:01:02".parse::<ClientKey>().unwrap().association(), None, "no whole number");
        for text in ["", "mac:01", "hw:1", "hw:+1", "id:fff", "id:0g", "hw:01:"] {
            assert!(text.parse::<ClientKey>().is_err(), "{text}");
        }
    }
}
