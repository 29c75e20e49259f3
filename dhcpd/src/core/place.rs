//! Where a client is: the networks that it may have an address of, and our address that it sees.
//!
//! By the relay agent's address, else, for a client that has an address and asks us directly, by that
//! address, else by the addresses of the interface that the message came in by (RFC 2131, section
//! 4.3.1). Several networks may share a link: what the inventory says are the others on it comes after
//! those that were found so.
//!
//! A relay agent may name the client's link apart from its own address (RFC 3527), and the address by
//! which the client knows the server (RFC 5107): then that agent passes on what the client sends there.

use std::net::Ipv4Addr;

use super::input::{Link, Packet};
use super::packet::Message;
use super::reason::Reason;
use crate::code;
use crate::view::{DhcpView, NetworkView};

/// Where a client is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'v> {
    view: &'v DhcpView,
    link: &'v Link,
    how: How<'v>,
    destination: Option<Ipv4Addr>,
}

/// How a client's place is known.
#[derive(Clone, Copy, Debug)]
enum How<'v> {
    /// By the relay agent's address.
    Relay(&'v NetworkView),
    /// By the client's own address, since it came by unicast from wherever it is.
    Client(&'v NetworkView),
    /// By the network that it chooses itself (RFC 3011).
    Chosen(&'v NetworkView, Ipv4Addr),
    /// By the interface.
    Link,
}

impl<'v> Place<'v> {
    /// The place of the client that sent `message` in `packet`.
    pub(super) fn find(
        view: &'v DhcpView,
        links: &'v [Link],
        packet: &Packet<'_>,
        message: &Message<'_>,
    ) -> Result<Place<'v>, Reason> {
        let link = links.iter().find(|link| link.index == packet.interface).ok_or(Reason::OtherInterface)?;
        let destination = packet.destination.filter(|to| is_own(links, *to));
        if link.addresses.is_empty() && destination.is_none() {
            return Err(Reason::NoServerAddress);
        }
        let place = |how| Place { view, link, how, destination };
        let chosen = chosen(view, message);
        let is_reachable = message.giaddr().is_unspecified() || relayed_from(view, message).is_some();
        if let Some((network, address)) = chosen.filter(|_| is_reachable) {
            return Ok(place(How::Chosen(network, address)));
        }
        if !message.giaddr().is_unspecified() {
            let network = relayed_from(view, message);
            return network.map(|network| place(How::Relay(network))).ok_or(Reason::UnknownRelay);
        }
        if destination.is_some() && !message.ciaddr().is_unspecified() {
            let network = view.network_of(message.ciaddr()).ok_or(Reason::NoNetwork)?;
            return Ok(place(How::Client(network)));
        }
        let place = place(How::Link);
        if place.networks().next().is_none() { Err(Reason::NoNetwork) } else { Ok(place) }
    }

    /// The networks that the client may have an address of: those that tell where it is, then the others on
    /// their link.
    pub(super) fn networks(&self) -> impl Iterator<Item = &'v NetworkView> + use<'v> {
        let (one, addresses): (_, &[Ipv4Addr]) = match self.how {
            How::Relay(network) | How::Client(network) | How::Chosen(network, _) => (Some(network), &[]),
            How::Link => (None, &self.link.addresses),
        };
        let view = self.view;
        let found = move || {
            let by_address = addresses.iter().filter_map(move |address| view.network_of(*address));
            one.into_iter().chain(by_address)
        };
        let others = found().flat_map(move |network| {
            let others = view.others_on_link(network.id).iter();
            others.filter(move |other| !found().any(|network| network.id == **other))
        });
        found().chain(others.filter_map(move |id| view.network(*id)))
    }

    /// The client's network that holds `address`.
    pub(super) fn network_of(&self, address: Ipv4Addr) -> Option<&'v NetworkView> {
        self.networks().find(|network| network.prefix.contains(&address))
    }

    /// Whether the client asked us by unicast from wherever it is.
    pub(super) fn is_direct(&self) -> bool {
        matches!(self.how, How::Client(_))
    }

    /// Whether it is for us to refuse leases that nobody knows: we were asked, or say so of a network.
    pub(super) fn is_authoritative(&self) -> bool {
        self.is_direct() || self.networks().any(|network| network.dhcp && network.authoritative)
    }

    /// The address by which the client has chosen its network.
    pub(super) fn chosen(&self) -> Option<Ipv4Addr> {
        match self.how {
            How::Chosen(_, address) => Some(address),
            How::Relay(_) | How::Client(_) | How::Link => None,
        }
    }

    /// The view that it was found in.
    pub(super) fn view(&self) -> &'v DhcpView {
        self.view
    }

    /// The interface that the message came in by.
    pub(super) fn link(&self) -> &'v Link {
        self.link
    }

    /// Whether a broadcast on the interface can reach a client with this address.
    pub(super) fn reaches_by_broadcast(&self, address: Ipv4Addr) -> bool {
        let here = Place { how: How::Link, ..*self };
        address.is_unspecified() || here.network_of(address).is_some()
    }

    /// Our address as the clients of `network` know it (option 54): the one that was asked; else the
    /// interface's address in that network; else, facing a relay agent, the interface's first.
    pub(super) fn server_id(&self, network: Option<&NetworkView>) -> Ipv4Addr {
        let mut own = self.link.addresses.iter().copied();
        let in_network = |address: &Ipv4Addr| network.is_some_and(|network| network.prefix.contains(address));
        let first = own.clone().next();
        let known = self.destination.or_else(|| own.find(in_network)).or(first);
        known.unwrap_or(Ipv4Addr::UNSPECIFIED)
    }
}

/// The network of the client behind a relay agent.
fn relayed_from<'v>(view: &'v DhcpView, message: &Message<'_>) -> Option<&'v NetworkView> {
    let agent = message.giaddr();
    if let Some(link) = suboption(message, code::RELAY_LINK_SELECTION) {
        // The agent's own address may be of any network, but it must be one that can be sent to.
        let reachable = !(agent.is_multicast() || agent.is_broadcast() || agent.is_loopback());
        return view.network_of(link).filter(|_| reachable);
    }
    view.network_of(agent).filter(|network| network.has_host(agent))
}

/// The network that the client wants an address of, if that network lets it choose (RFC 3011). What the relay
/// agent says of its link goes before (RFC 3527, section 2).
fn chosen<'v>(view: &'v DhcpView, message: &Message<'_>) -> Option<(&'v NetworkView, Ipv4Addr)> {
    let address = Ipv4Addr::from(message.options.fixed::<4>(code::SUBNET_SELECTION).ok()??);
    let network = view.network_of(address).filter(|network| network.subnet_selection)?;
    suboption(message, code::RELAY_LINK_SELECTION).is_none().then_some((network, address))
}

/// Our address as the relay agent wants it told to the client (RFC 5107, section 4).
pub(super) fn server_override(message: &Message<'_>) -> Option<Ipv4Addr> {
    if message.giaddr().is_unspecified() {
        return None;
    }
    suboption(message, code::RELAY_SERVER_OVERRIDE).filter(|address| !address.is_unspecified())
}

fn suboption(message: &Message<'_>, suboption: u8) -> Option<Ipv4Addr> {
    let octets: [u8; 4] = (*message.options.relay(suboption)?).try_into().ok()?;
    Some(octets.into())
}

/// Whether `address` is one of ours on the served interfaces.
pub(super) fn is_own(links: &[Link], address: Ipv4Addr) -> bool {
    links.iter().any(|link| link.addresses.contains(&address))
}
