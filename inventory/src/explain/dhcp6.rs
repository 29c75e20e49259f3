//! What DHCPv6 answers one client: asked of dhcpd's core, each fact with its line.

use inventory_core::mac::MacAddr;
use inventory_core::model::{Host, Network, NetworkId, Nic};
use inventory_core::options::Family;
use ipnet::Ipv6Net;
use serde::Serialize;

use super::dhcp::{Asking, ClientFact, OptionFact};
use super::link::OnLink;
use super::value;
use crate::packet6::{Client6, NOBODY, Reply6};

/// Length of what is one address.
const ADDRESS: u8 = 128;

/// What one client is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Exchange6 {
    /// Who asks.
    #[serde(flatten)]
    pub(crate) asks: ClientFact,
    /// The network of the address, if that is another one on the link.
    pub(crate) on_link: Option<OnLink>,
    /// Addresses and prefixes that it is given.
    pub(crate) given: Vec<GivenFact>,
    /// Why it is not answered, in the word that is counted.
    pub(crate) silence: Option<String>,
    /// What it is told.
    pub(crate) options: Vec<OptionFact>,
}

/// An address or a prefix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct GivenFact {
    /// The address; a prefix with its length.
    pub(crate) address: String,
    /// For how long.
    pub(crate) seconds: u32,
    /// Where it is written.
    pub(crate) at: Option<String>,
}

impl Asking<'_> {
    /// What the interface `nic` of `host` is answered; `None` if DHCPv6 does not know it.
    pub(super) fn nic6(&self, host: &Host, nic: &Nic) -> Option<Exchange6> {
        let network = self.network(nic.network);
        let duid =
            nic.rest.identifiers.as_deref().and_then(|ids| ids.duid.as_ref()).map(|(duid, _)| duid.clone());
        if nic.mac.is_none() && duid.is_none() {
            return None;
        }
        self.exchange6(network, nic.mac, duid, Some((host, nic)))
    }

    /// What a machine with this hardware address is answered in network `id`; `None` if that has no IPv6.
    pub(super) fn mac6(&self, id: NetworkId, mac: Option<MacAddr>) -> Option<Exchange6> {
        let known = mac.and_then(|mac| self.host_on_link(id, mac));
        self.exchange6(self.network(id), mac, None, known)
    }

    fn exchange6(
        &self,
        network: &Network,
        mac: Option<MacAddr>,
        duid: Option<Box<[u8]>>,
        known: Option<(&Host, &Nic)>,
    ) -> Option<Exchange6> {
        let prefix = network.ipv6?;
        let delegates = known.is_some_and(|(_, nic)| !nic.delegations().is_empty());
        let words = match (mac, &duid) {
            (Some(mac), _) => format!("mac {mac}"),
            (None, Some(duid)) => format!("duid {}", value::hex(duid)),
            (None, None) => "nothing".to_owned(),
        };
        let wants_prefix = delegates || !network.pd_pools.is_empty();
        let client = Client6 { mac: mac.unwrap_or(NOBODY), duid, wants_prefix, prefix };
        let mut exchange = Exchange6 {
            asks: self.client_fact(network, words, known),
            on_link: None,
            given: Vec::new(),
            silence: None,
            options: Vec::new(),
        };
        match client.ask(self.view, self.leases, self.unix_ms) {
            Err(reason) => exchange.silence = Some(reason.to_owned()),
            Ok(octets) => {
                let reply = Reply6::read(&octets).unwrap_or_default();
                let asked = network;
                let address = reply
                    .given
                    .iter()
                    .filter(|(item, _)| item.prefix_len() == ADDRESS)
                    .map(|(item, _)| item.addr())
                    .find(|item| !asked.contains((*item).into()));
                let network = address.map_or(asked, |address| self.network_with(asked, address.into()));
                exchange.on_link = self.on_link(asked, network);
                exchange.given = reply.given.iter().map(|given| self.given6(asked, known, *given)).collect();
                exchange.options = reply
                    .options
                    .into_iter()
                    .map(|(code, data)| OptionFact {
                        code,
                        name: value::name(Family::V6, code),
                        value: value::value(Family::V6, code, &data),
                        data: value::hex(&data),
                        at: self.option6_at(network, known, code),
                    })
                    .collect();
            }
        }
        Some(exchange)
    }

    /// What is given in network `asked`, or in another one on its link.
    fn given6(
        &self,
        asked: &Network,
        known: Option<(&Host, &Nic)>,
        (item, seconds): (Ipv6Net, u32),
    ) -> GivenFact {
        let is_address = item.prefix_len() == ADDRESS;
        let own = known.and_then(|(_, nic)| {
            let mut addresses = nic.addresses.iter().zip(nic.address_spans());
            let of_address = addresses.find(|(address, _)| **address == item.addr()).map(|(_, span)| span);
            let of_prefix =
                nic.delegations().iter().find(|(prefix, _)| *prefix == item).map(|(_, span)| *span);
            if is_address { of_address } else { of_prefix }
        });
        let (key, network) = match is_address {
            true => ("pool", self.network_with(asked, item.addr().into())),
            false => ("pd-pool", self.network_delegating(asked, item)),
        };
        let at = match own {
            Some(span) => Some(self.origins.at(span)),
            None => self.origins.of_table("network", network.span, &[key]),
        };
        let address = if is_address { item.addr().to_string() } else { item.to_string() };
        GivenFact { address, seconds, at }
    }

    /// Where the DHCPv6 option is written: as an option, or as the key that it follows from.
    fn option6_at(&self, network: &Network, known: Option<(&Host, &Nic)>, option: u16) -> Option<String> {
        use dhcpd::code6;
        let origins = self.origins;
        let of_network = |key: &str| origins.of_table("network", network.span, &[key]);
        let written = known
            .and_then(|(host, nic)| origins.option_of_host(host, nic.rest.key.as_deref(), Family::V6, option))
            .or_else(|| origins.option_of_network(network.span, Family::V6, option));
        written.or_else(|| match option {
            code6::DNS_SERVERS => of_network("dns"),
            code6::DOMAIN_SEARCH => of_network("zone"),
            code6::CLIENT_FQDN => known.map(|(host, _)| origins.at(host.span)),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use dhcpd::view::DhcpView;
    use inventory_core::load::{Loaded, Loader};
    use inventory_core::source::Memory;

    use super::super::origin::Origins;
    use super::*;

    #[test]
    fn address_and_prefix_of_two_networks_on_a_link_are_each_of_their_own() {
        let text = "[site]\nnameservers = [\"ns.example.net\"]\n\
                    [network.one]\nlink = \"floor\"\nipv6 = \"2001:db8:1::/64\"\npd-pool = \"2001:db8:40::/48\"\n\
                    [network.two]\nlink = \"floor\"\nipv6 = \"2001:db8:2::/64\"\npool = \"2001:db8:2::9\"\n";
        let mut memory = Memory::default();
        memory.write("a.toml", text);
        let mut loader = Loader::new(Box::new(memory));
        let Loaded::Good { snapshot, .. } = loader.load() else { unreachable!("it is good") };
        let view = DhcpView::build(&snapshot);
        let origins = Origins::new(&loader);
        let asking = Asking {
            snapshot: &snapshot,
            view: &view,
            origins: &origins,
            leases: &[],
            unix_ms: 1_800_000_000_000,
            servers: &[],
            boot_port: 80,
        };
        let exchange = asking.mac6(NetworkId(0), Some(MacAddr([2, 0, 0, 0, 0, 1]))).unwrap();
        let given: Vec<_> =
            exchange.given.iter().map(|one| (one.address.as_str(), one.at.as_deref())).collect();
        assert_eq!(given, [("2001:db8:2::9", Some("a.toml:10")), ("2001:db8:40::/56", Some("a.toml:6"))]);
        assert_eq!(exchange.on_link.unwrap().network, "two", "that of the address");
    }
}
