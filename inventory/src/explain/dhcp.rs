//! What DHCP answers one client: asked of dhcpd's core, each fact with its line.

use std::net::Ipv4Addr;
use std::sync::Arc;

use dhcpd::boot::{Answer, Asker, Installs, Service, What, Whom, server_url};
use dhcpd::code;
use dhcpd::core::Record;
use dhcpd::view::DhcpView;
use inventory_core::mac::MacAddr;
use inventory_core::model::{Host, Match, Network, NetworkId, Nic, Snapshot};
use inventory_core::options::{DhcpOption, Family};
use inventory_core::span::Span;
use serde::Serialize;

use super::args;
use super::link::OnLink;
use super::origin::Origins;
use super::value;
use crate::packet::{Client, Reply};

/// What there is to be asked and to be known.
pub(super) struct Asking<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) view: &'a DhcpView,
    pub(super) origins: &'a Origins<'a>,
    /// What a running dhcpd has given out.
    pub(super) leases: &'a [Record],
    /// Seconds since 1970, in thousandths.
    pub(super) unix_ms: i64,
    /// Addresses that the server has, where they are known.
    pub(super) servers: &'a [Ipv4Addr],
    pub(super) boot_port: u16,
}

/// A client that asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ClientFact {
    /// Name of the network.
    pub(crate) network: String,
    /// Where the network is written.
    pub(crate) network_at: String,
    /// What the client is known by, or at least says.
    pub(crate) client: String,
    /// The host whose client it is.
    pub(crate) host: Option<String>,
    /// Where that is written.
    pub(crate) host_at: Option<String>,
}

/// What one client is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Exchange {
    /// Who asks.
    #[serde(flatten)]
    pub(crate) asks: ClientFact,
    /// The network of the address, if that is another one on the link.
    pub(crate) on_link: Option<OnLink>,
    /// The address that it is offered.
    pub(crate) address: Option<String>,
    /// Where that is written.
    pub(crate) address_at: Option<String>,
    /// Why it is not answered, in the word that is counted.
    pub(crate) silence: Option<String>,
    /// What it is told.
    pub(crate) options: Vec<OptionFact>,
    /// What it boots.
    pub(crate) boot: Option<BootFact>,
}

/// One option of the reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct OptionFact {
    pub(crate) code: u16,
    pub(crate) name: String,
    pub(crate) value: String,
    /// Its octets in hexadecimal digits.
    pub(crate) data: String,
    /// Where it is written, if anywhere.
    pub(crate) at: Option<String>,
}

/// What the next stage of a boot is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct BootFact {
    /// The firmware that asks, as `--arch` names it.
    pub(crate) arch: String,
    /// Where the file comes from.
    pub(crate) server: String,
    /// File name or URL.
    pub(crate) file: String,
    /// The script that iPXE runs, if the file is one that is made.
    pub(crate) script: Option<String>,
    /// Where the boot profile is written.
    pub(crate) at: Option<String>,
}

/// Option codes that follow from the frame of the exchange, and say nothing of the client.
const FRAME: [u8; 5] =
    [code::MESSAGE_TYPE, code::SERVER_ID, code::OVERLOAD, code::RELAY_AGENT, code::CLIENT_ID];

impl Asking<'_> {
    /// What the interface `nic` of `host` is answered.
    pub(super) fn nic(&self, host: &Host, nic: &Nic, said: &args::Packet) -> Option<Exchange> {
        let network = self.network(nic.network);
        network.ipv4?;
        let ids = nic.rest.identifiers.as_deref();
        let mut said = args::Packet { mac: None, network: None, port: None, remote_id: None, ..said.clone() };
        let mut id = ids.and_then(|ids| ids.client_id.as_ref()).map(|(id, _)| id.clone());
        if let Some((duid, _)) = ids.and_then(|ids| ids.duid.as_ref()).filter(|_| id.is_none()) {
            // Type, IAID, DUID (RFC 4361, section 6.1).
            id = Some([&[255, 0, 0, 0, 1], &**duid].concat().into());
        }
        let port = ids.and_then(|ids| ids.port.as_ref()).map(|(port, _)| port);
        if let Some(port) = port.filter(|_| nic.mac.is_none() && id.is_none()) {
            let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
            said.port = Some(text(&port.circuit_id));
            said.remote_id = port.remote_id.as_deref().map(text);
            said.relay = said.relay.or(Some(self.server(network)));
        } else if nic.mac.is_none() && id.is_none() {
            return None;
        }
        Some(self.exchange(network, nic.mac, id, &said, Some((host, nic))))
    }

    /// What the sender of a packet in network `id` is answered; `None` if that has no IPv4.
    pub(super) fn packet(&self, id: NetworkId, said: &args::Packet) -> Option<Exchange> {
        self.network(id).ipv4?;
        let mac = said.mac;
        let of_mac = mac.and_then(|mac| self.host_on_link(id, mac));
        let of_port = || {
            let port = said.port.as_ref()?;
            let remote = said.remote_id.as_ref().map(String::as_bytes);
            let found = self.all_on_link(id).find_map(|id| self.view.by_port(id, port.as_bytes(), remote))?;
            let name = found.fqdn()?;
            self.hosts().find(|(host, nic)| nic.rest.name.as_ref().unwrap_or(&host.name).fqdn == name)
        };
        Some(self.exchange(self.network(id), mac, None, said, of_mac.or_else(of_port)))
    }

    fn exchange(
        &self,
        network: &Network,
        mac: Option<MacAddr>,
        id: Option<Box<[u8]>>,
        said: &args::Packet,
        known: Option<(&Host, &Nic)>,
    ) -> Exchange {
        let words = match (mac, &id, &said.port) {
            (Some(mac), _, None) => format!("mac {mac}"),
            (None, Some(_), _) => "its client identifier".to_owned(),
            (_, _, Some(port)) => {
                let remote =
                    said.remote_id.as_ref().map(|remote| format!(" of {remote}")).unwrap_or_default();
                format!("port {port}{remote}")
            }
            (None, None, None) => "nothing".to_owned(),
        };
        let client = Client {
            mac: mac.unwrap_or(STRANGER),
            id,
            said,
            server: self.server(network),
            boot_port: self.boot_port,
        };
        let mut exchange = Exchange {
            asks: self.client_fact(network, words, known),
            on_link: None,
            address: None,
            address_at: None,
            silence: None,
            options: Vec::new(),
            boot: None,
        };
        let octets = match client.ask(self.view, self.leases, self.unix_ms) {
            Ok(octets) => octets,
            Err(reason) => {
                exchange.silence = Some(reason);
                return exchange;
            }
        };
        if let Some(reply) = Reply::read(&octets) {
            let asked = network;
            let network = self.network_with(asked, reply.address.into());
            exchange.on_link = self.on_link(asked, network);
            exchange.address = Some(reply.address.to_string());
            exchange.address_at = self.address_at(network, known, reply.address);
            exchange.boot = self.boot(network, known, said, &reply);
            exchange.options = self.options(network, known, &reply, exchange.boot.as_ref());
        }
        exchange
    }

    /// A client in `network`, in words.
    pub(super) fn client_fact(
        &self,
        network: &Network,
        client: String,
        known: Option<(&Host, &Nic)>,
    ) -> ClientFact {
        ClientFact {
            network: network.name.to_string(),
            network_at: self.origins.at(network.span),
            client,
            host: known.map(|(host, nic)| nic.rest.name.as_ref().unwrap_or(&host.name).fqdn.to_string()),
            host_at: known.map(|(host, nic)| {
                self.origins.at(if nic.mac.is_some() { nic.mac_span() } else { host.span })
            }),
        }
    }

    fn address_at(&self, network: &Network, known: Option<(&Host, &Nic)>, given: Ipv4Addr) -> Option<String> {
        let own = known.and_then(|(_, nic)| {
            let index = nic.addresses.iter().position(|address| *address == given)?;
            nic.address_spans().nth(index)
        });
        match own {
            Some(span) => Some(self.origins.at(span)),
            None => of_match(network, given)
                .map(|span| self.origins.at(span))
                .or_else(|| self.origins.of_table("network", network.span, &["pool"])),
        }
    }

    fn options(
        &self,
        network: &Network,
        known: Option<(&Host, &Nic)>,
        reply: &Reply<'_>,
        boot: Option<&BootFact>,
    ) -> Vec<OptionFact> {
        let lease = reply.options().into_iter().find(|(code, _)| *code == code::LEASE_TIME);
        let lease = lease.and_then(|(_, data)| Some(u32::from_be_bytes(data.try_into().ok()?)));
        let facts = reply.options().into_iter().filter(|(code, _)| !FRAME.contains(code));
        let fact = |(code, data): (u8, Vec<u8>)| OptionFact {
            code: code.into(),
            name: value::name(Family::V4, code.into()),
            value: value::value(Family::V4, code.into(), &data),
            data: value::hex(&data),
            at: self.option_at(network, known, (code, &data), lease, boot),
        };
        facts.map(fact).collect()
    }

    /// Where option `code` is written: as an option, or as the key that it follows from.
    fn option_at(
        &self,
        network: &Network,
        known: Option<(&Host, &Nic)>,
        (option, data): (u8, &[u8]),
        lease: Option<u32>,
        boot: Option<&BootFact>,
    ) -> Option<String> {
        let origins = self.origins;
        let of_network = |key: &str| origins.of_table("network", network.span, &[key]);
        let written = known
            .and_then(|(host, nic)| {
                origins.option_of_host(host, nic.rest.key.as_deref(), Family::V4, option.into())
            })
            .or_else(|| in_match(network, option, data).map(|span| origins.at(span)))
            .or_else(|| origins.option_of_network(network.span, Family::V4, option.into()));
        written.or_else(|| match option {
            code::SUBNET_MASK | code::BROADCAST_ADDRESS => of_network("ipv4"),
            code::ROUTERS => of_network("gateway"),
            code::DOMAIN_NAME_SERVERS => of_network("dns"),
            code::HOST_NAME => known.map(|(host, _)| origins.at(host.span)),
            code::DOMAIN_NAME => of_network("zone"),
            code::LEASE_TIME | code::RENEWAL_TIME | code::REBINDING_TIME => known
                .and_then(|(host, nic)| origins.of_host(host, nic.rest.key.as_deref(), "lease"))
                .or_else(|| {
                    let name = lease_in_match(network, lease?)?;
                    origins.of_table("network", network.span, &["match", name, "lease"])
                })
                .or_else(|| of_network("lease")),
            code::BOOT_FILE | code::TFTP_SERVER | code::TFTP_ADDRESS | code::IPXE => {
                boot.and_then(|boot| boot.at.clone())
            }
            _ => None,
        })
    }

    fn boot(
        &self,
        network: &Network,
        known: Option<(&Host, &Nic)>,
        said: &args::Packet,
        reply: &Reply<'_>,
    ) -> Option<BootFact> {
        let arch = said.arch?;
        let option = reply.options().into_iter().find(|(code, _)| *code == code::BOOT_FILE);
        let url = option.map(|(_, data)| String::from_utf8_lossy(&data).trim_end_matches('\0').to_owned());
        let file = if reply.file.is_empty() { url.unwrap_or_default() } else { reply.file.clone() };
        if file.is_empty() {
            return None;
        }
        let server =
            if reply.next_server.is_unspecified() { self.server(network) } else { reply.next_server };
        let at = known.and_then(|(host, nic)| self.origins.of_host(host, nic.rest.key.as_deref(), "boot"));
        let whom = match known {
            Some((host, _)) => Whom::Host(host.name.fqdn.to_string().into()),
            None => Whom::Unknown(network.name.clone()),
        };
        let script = (arch == args::Arch::Ipxe).then(|| self.script(&whom, server, reply.address)).flatten();
        let at = at.or_else(|| self.origins.of_table("network", network.span, &["unknown"]));
        Some(BootFact { arch: arch.word(), server: server.to_string(), file, script, at })
    }

    /// The script that the boot service makes; installations that are done are not known here.
    fn script(&self, whom: &Whom, server: Ipv4Addr, address: Ipv4Addr) -> Option<String> {
        let server_url = server_url(server.into(), self.boot_port);
        let asker = Asker { peer: address.into(), server_url, now_ms: 0 };
        let mut service = Service::new(Installs::new(&[0; 16]));
        match service.answer(whom, None, &What::Script, &asker, &Arc::new(self.snapshot.clone())) {
            Answer::Text(text, _) => Some(text),
            Answer::Refused(_, why) => Some(format!("# refused: {why}\n")),
            Answer::Done(_) => None,
        }
    }

    /// The server's address in `network`; where it is not known, one that it could have.
    fn server(&self, network: &Network) -> Ipv4Addr {
        let Some(prefix) = network.ipv4 else { return Ipv4Addr::UNSPECIFIED };
        let own = self.servers.iter().copied().find(|address| prefix.contains(address));
        own.or(network.gateway).or_else(|| prefix.hosts().next()).unwrap_or(Ipv4Addr::UNSPECIFIED)
    }

    pub(super) fn network(&self, id: NetworkId) -> &Network {
        self.snapshot.inventory.globals.network(id)
    }

    fn hosts(&self) -> impl Iterator<Item = (&Host, &Nic)> {
        self.snapshot.inventory.hosts().flat_map(|host| host.nics.iter().map(move |nic| (host, nic)))
    }

    pub(super) fn host_of(&self, is: impl Fn(&Nic) -> bool) -> Option<(&Host, &Nic)> {
        self.hosts().find(|(_, nic)| is(nic))
    }
}

/// The header of the `match` that says this, if one does.
fn in_match(network: &Network, option: u8, data: &[u8]) -> Option<Span> {
    let says = |written: &DhcpOption| written.code == u16::from(option) && *written.data == *data;
    network.matches.iter().find(|one| one.options.iter().any(says)).map(|one| one.span)
}

/// The header of the `match` that this address is given by, if it is given by one.
fn of_match(network: &Network, given: Ipv4Addr) -> Option<Span> {
    let gives = |one: &&Match| one.pools.iter().any(|pool| pool.contains(given.into()));
    network.matches.iter().find(gives).map(|one| one.span)
}

/// The `match` with this lease time, if it is not the network's as well.
fn lease_in_match(network: &Network, seconds: u32) -> Option<&str> {
    let mut matches = network.matches.iter().filter(|_| seconds != network.lease_seconds);
    matches.find(|one| one.lease_seconds == Some(seconds)).map(|one| &*one.name)
}

/// A card that nobody has: of those that anybody may make up.
const STRANGER: MacAddr = MacAddr([2, 0x68, 0x62, 0, 0, 1]);
