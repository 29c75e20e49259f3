//! Where a client is: the networks that it may have an address of.
//!
//! By the link that the relay agent nearest to the client names (RFC 8415, section 13.1): agents within
//! switches name none (RFC 6221), so the next one does. Else by the addresses of the interface, IPv4's
//! among them, since a server need not have an address of a network to serve it.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::input::{Link, Packet};
use super::message::Message;
use super::reason::Reason;
use crate::view::{DhcpView, NetworkView6};

/// Where a client is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'v> {
    view: &'v DhcpView,
    link: &'v Link,
    relay: Option<&'v NetworkView6>,
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
        let from = packet.from.ip();
        if from.is_unspecified() || from.is_multicast() {
            return Err(Reason::NoSource);
        }
        let named = message.relays.iter().rev().find(|hop| hop.names_link());
        if let Some(hop) = named {
            let network = view.network6_of(hop.link).ok_or(Reason::UnknownRelay)?;
            return Ok(Place { view, link, relay: Some(network) });
        }
        let place = Place { view, link, relay: None };
        if place.networks().next().is_none() { Err(Reason::NoNetwork) } else { Ok(place) }
    }

    /// The networks that the client may have an address of, each once: those that tell where it is, then the
    /// others on their link.
    pub(super) fn networks(&self) -> impl Iterator<Item = &'v NetworkView6> + use<'v> {
        let here = (self.relay.is_none()).then_some(self.link);
        let (view, relay) = (self.view, self.relay.map(|network| network.id));
        let found = move || {
            let by6 = here.into_iter().flat_map(|link| &link.addresses);
            let by4 = here.into_iter().flat_map(|link| &link.addresses4);
            let by6 = by6.filter_map(move |address: &Ipv6Addr| Some(view.network6_of(*address)?.id));
            let by4 = by4.filter_map(move |address: &Ipv4Addr| Some(view.network_of(*address)?.id));
            relay.into_iter().chain(by6).chain(by4)
        };
        let all = move || found().chain(found().flat_map(move |id| view.others_on_link(id).iter().copied()));
        all()
            .enumerate()
            .filter(move |(at, one)| !all().take(*at).any(|other| other == *one))
            .filter_map(move |(_, id)| view.network6(id))
    }

    /// Whether `address` is of one of the client's networks.
    pub(super) fn holds(&self, address: Ipv6Addr) -> bool {
        self.networks().any(|network| network.prefix.contains(&address))
    }

    /// The view that it was found in.
    pub(super) fn view(&self) -> &'v DhcpView {
        self.view
    }

    /// The interface that the message came in by.
    pub(super) fn link(&self) -> &'v Link {
        self.link
    }
}
