//! The options that a client asks for, in its order (option 6, RFC 8415, section 21.7).
//!
//! A nic's own options go before its network's. One that does not fit is left out, and the next tried.

use std::hash::{Hash, Hasher};
use std::net::Ipv6Addr;

use inventory_core::name::Name;

use super::boot::{Booting, NextStage};
use super::input::{Link, Packet};
use super::message::Message;
use super::write::Writer;
use crate::code6;
use crate::core::fqdn::pool_name;
use crate::view::{NetworkView6, Reservation, find_options6, push_option6, search_list};

/// What there is to tell a client.
pub(super) struct Parameters<'v> {
    /// Its network.
    pub(super) network: &'v NetworkView6,
    /// Its nic, if it is known.
    pub(super) nic: Option<Reservation<'v>>,
    /// What it loads next, if it boots.
    pub(super) boot: Option<NextStage>,
    /// An address that it gets and that is not its nic's.
    pub(super) leased: Option<Ipv6Addr>,
}

/// The server keeps the client's AAAA record (RFC 4704, section 4.1).
const FQDN_SERVER: u8 = 1;
/// … although the client wanted to do that itself.
const FQDN_OVERRIDE: u8 = 2;

impl<'v> Parameters<'v> {
    /// What the client of `message`, which came in `packet` by `link`, can be told of its network and nic.
    /// `port` is the boot service's, if there is one.
    pub(super) fn new(
        (message, packet): (&Message<'_>, &Packet<'_>),
        link: &Link,
        (network, nic): (&'v NetworkView6, Option<Reservation<'v>>),
        port: Option<u16>,
    ) -> Parameters<'v> {
        let booting = |port| Booting { message, packet, link, network, nic, port };
        Parameters { network, nic, boot: port.and_then(|port| booting(port).next()), leased: None }
    }

    /// Feeds what the client of `message` asks for to a digest.
    pub(super) fn hash(&self, message: &Message<'_>, hasher: &mut impl Hasher) {
        for code in message.options.requested() {
            (code, self.encoded(code)).hash(hasher);
        }
    }

    /// Appends what the client of `message` asks for, and its name if it says one. Returns whether all
    /// of it fitted.
    pub(super) fn append(&self, message: &Message<'_>, writer: &mut Writer<'_>) -> bool {
        let mut all = true;
        let mut done = Vec::new();
        for code in message.options.requested() {
            if done.contains(&code) {
                continue;
            }
            if let Some(encoded) = self.encoded(code) {
                all &= writer.encoded(&encoded);
                done.push(code);
            }
        }
        let own = message.options.get(code6::CLIENT_FQDN);
        if (own.is_some() || message.options.asks_for(code6::CLIENT_FQDN))
            && let Some(name) = self.name()
        {
            let leaves_it = own.is_none_or(|own| own.first().is_some_and(|flags| flags & FQDN_SERVER != 0));
            let flags = if leaves_it { FQDN_SERVER } else { FQDN_SERVER | FQDN_OVERRIDE };
            all &= writer.option(code6::CLIENT_FQDN, &[&[flags], name.as_wire()].concat());
        }
        all
    }

    /// What the client is called in the DNS: as its nic, else as its address is (RFC 4704, section 6).
    fn name(&self) -> Option<Name> {
        match self.nic {
            Some(nic) => nic.fqdn(),
            None => pool_name(self.network.zone.as_ref()?, self.leased?.into()),
        }
    }

    /// The options with this code, encoded.
    fn encoded(&self, code: u16) -> Option<Vec<u8>> {
        if let Some(nic) = &self.nic {
            let own = find_options6(nic.options6(), code);
            if !own.is_empty() {
                let mut encoded = Vec::new();
                own.iter().for_each(|option| push_option6(&mut encoded, code, &option.data));
                return Some(encoded);
            }
            if code == code6::DOMAIN_SEARCH
                && !self.network.writes_search
                && let Some(zone) = nic.other_zone()
            {
                let mut encoded = Vec::new();
                push_option6(&mut encoded, code, &search_list([zone]));
                return Some(encoded);
            }
        }
        if let Some(encoded) = self.network.options.get(code) {
            return Some(encoded.to_vec());
        }
        let data = self.boot.as_ref()?.option(code)?;
        let mut encoded = Vec::new();
        push_option6(&mut encoded, code, data);
        Some(encoded)
    }
}
