//! Who asks, what the inventory says of it, and the names that its leases are under.
//!
//! A host of the inventory is itself, whatever it asks for: firmware uses several identity associations
//! in one boot. A machine that nobody has written down is each of its identity associations.

use ipnet::Ipv6Net;

use super::ia::{Ia, IaKind};
use super::identify::{identify, mac_of};
use super::input::Packet;
use super::message::Message;
use super::options::Parameters;
use super::place::Place;
use super::reason::Reason;
use crate::code6;
use crate::core::client::ClientKey;
use crate::core::ledger::Tenant;
use crate::view::{NetworkView6, Reservation};

/// Octets of a client's own name that are kept.
const NAME_OCTETS: usize = 63;

/// What the inventory says of a client.
#[derive(Clone, Copy, Debug)]
pub(super) enum Client<'v> {
    /// It is this nic of this network.
    Known(Reservation<'v>, &'v NetworkView6),
    /// Nobody has written it down.
    Stranger,
    /// It is planned or retired.
    Withdrawn,
    /// DHCP is off for it.
    Off,
}

/// A message and what is known of who sent it.
pub(super) struct Asker<'m, 'a, 'v> {
    pub(super) message: &'m Message<'a>,
    packet: &'m Packet<'m>,
    pub(super) place: Place<'v>,
    pub(super) client: Client<'v>,
    pub(super) ias: Vec<Ia<'a>>,
}

impl<'m, 'a, 'v> Asker<'m, 'a, 'v> {
    /// Who sent `message`, which is valid.
    pub(super) fn find(
        message: &'m Message<'a>,
        packet: &'m Packet<'m>,
        place: Place<'v>,
    ) -> Result<Asker<'m, 'a, 'v>, Reason> {
        let client = match identify(message, packet, &place) {
            Some((nic, network)) if !nic.has_dhcp() || !network.dhcp => Client::Off,
            Some((nic, _)) if !nic.is_served() => Client::Withdrawn,
            Some((nic, network)) => Client::Known(nic, network),
            None if place.networks().all(|network| !network.dhcp) => Client::Off,
            None => Client::Stranger,
        };
        Ok(Asker { message, packet, place, client, ias: Ia::read_all(&message.options)? })
    }

    /// The nic that it is, with its network.
    pub(super) fn known(&self) -> Option<(Reservation<'v>, &'v NetworkView6)> {
        match self.client {
            Client::Known(nic, network) => Some((nic, network)),
            Client::Stranger | Client::Withdrawn | Client::Off => None,
        }
    }

    /// Networks whose pools it may have something of.
    pub(super) fn networks(&self) -> impl Iterator<Item = &'v NetworkView6> + use<'v> {
        let client = self.client;
        self.place.networks().filter(move |network| match client {
            Client::Known(_, home) => network.dhcp && network.id == home.id,
            Client::Stranger => network.dhcp && network.serves_strangers,
            Client::Withdrawn | Client::Off => false,
        })
    }

    /// A network whose options it gets, if it gets nothing else.
    pub(super) fn served_network(&self) -> Option<&'v NetworkView6> {
        let known = self.known().map(|(_, network)| network);
        known.or_else(|| self.place.networks().find(|network| network.dhcp))
    }

    /// What it can be told of `network` and of `nic`; `port` is the boot service's, if there is one.
    pub(super) fn parameters(
        &self,
        network: &'v NetworkView6,
        nic: Option<Reservation<'v>>,
        port: Option<u16>,
    ) -> Parameters<'v> {
        Parameters::new((self.message, self.packet), self.place.link(), (network, nic), port)
    }

    /// What the inventory reserves for it.
    pub(super) fn reserved(&self, kind: IaKind) -> Vec<Ipv6Net> {
        let Some((nic, _)) = self.known() else { return Vec::new() };
        match kind {
            IaKind::Na => nic.address6().map(Ipv6Net::from).into_iter().collect(),
            IaKind::Ta => Vec::new(),
            IaKind::Pd => nic.delegations().collect(),
        }
    }

    /// Whether its leases of this kind are the host's, and not those of one identity association.
    pub(super) fn is_host(&self, kind: IaKind) -> bool {
        self.known().is_some() && kind != IaKind::Ta
    }

    /// The name that a lease for `ia` is under.
    pub(super) fn key(&self, ia: &Ia<'_>) -> ClientKey {
        let mac = self.known().map(|(nic, _)| nic.mac()).filter(|_| self.is_host(ia.kind));
        match mac {
            Some(Some(mac)) => ClientKey::of_mac(mac),
            Some(None) => ClientKey::of_association(ia.kind, 0, self.duid()),
            None => ClientKey::of_association(ia.kind, ia.id, self.duid()),
        }
    }

    /// The names that it may have leases under: it may not have been known before.
    pub(super) fn keys(&self, ia: &Ia<'_>) -> [Option<ClientKey>; 2] {
        [Some(self.key(ia)), Some(ClientKey::of_association(ia.kind, ia.id, self.duid()))]
    }

    /// Whether leases of `client` are those for `ia`.
    pub(super) fn is_its(&self, client: &ClientKey, ia: &Ia<'_>) -> bool {
        self.keys(ia).iter().flatten().any(|key| key == client)
    }

    /// Who a lease for `ia` is for.
    pub(super) fn tenant(&self, ia: &Ia<'_>) -> Tenant {
        Tenant {
            client: self.key(ia),
            mac: mac_of(self.message, self.packet),
            name: self.own_name(),
            relay_agent: None,
        }
    }

    fn duid(&self) -> &'a [u8] {
        self.message.duid().ok().flatten().unwrap_or_default()
    }

    /// The name that it gives itself (option 39, RFC 4704), as text.
    fn own_name(&self) -> Option<Box<str>> {
        let (_, mut rest) = self.message.options.get(code6::CLIENT_FQDN)?.split_first()?;
        let mut name = String::new();
        while let Some((len, after)) = rest.split_first().filter(|(len, _)| **len > 0) {
            let (label, after) = after.split_at_checked(usize::from(*len))?;
            let fits = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
            if !label.iter().all(fits) || name.len() + label.len() >= NAME_OCTETS {
                return None;
            }
            if !name.is_empty() {
                name.push('.');
            }
            name.push_str(std::str::from_utf8(label).ok()?);
            rest = after;
        }
        (!name.is_empty()).then(|| name.into())
    }
}
