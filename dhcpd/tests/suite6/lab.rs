//! A server without sockets: an inventory, a core, a clock that the test sets.

use std::net::{Ipv6Addr, SocketAddrV6};

use dhcpd::core::v6::{Core, Event, Input, Link, Notice, Outcome, Outputs, Packet, Reason, Reply};
use dhcpd::core::{Change, Now, Record};
use dhcpd::view::DhcpView;
use inventory_core::load::load_texts;
use ipnet::Ipv6Net;

use super::packet::{Ask, Sent, link_local};

/// Index of the interface that a lab has.
pub(crate) const INTERFACE: u32 = 2;
/// Our DUID.
pub(crate) const SERVER: &[u8] = &[0, 4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
/// The hardware address of `web`.
pub(crate) const WEB: [u8; 6] = [2, 0, 0, 0, 0, 1];
/// A hardware address that nobody has written down.
pub(crate) const STRANGER: [u8; 6] = [2, 0, 0, 0, 0, 0x99];

/// Site, zone and the network of the lab's link.
pub(crate) const SITE: &str = r#"
[site]
nameservers = ["ns1.lab.test"]
contact = "hostmaster@lab.test"

[zone."lab.test"]

[network.lab]
zone = "lab.test"
ipv4 = "10.77.0.0/24"
ipv6 = "2001:db8:77::/64"
dns = ["10.77.0.1", "2001:db8:77::1"]
lease = "1h"

[host.ns1]
network = "lab"
ip = ["10.77.0.1", "2001:db8:77::1"]
"#;

/// One host that is served.
pub(crate) const WEB_HOST: &str = r#"
[host.web]
network = "lab"
mac = "02:00:00:00:00:01"
ip = ["10.77.0.11", "2001:db8:77::11"]
"#;
/// Its address.
pub(crate) const WEB_ADDRESS: &str = "2001:db8:77::11";

/// A server.
pub(crate) struct Lab {
    pub(crate) core: Core,
    pub(crate) view: DhcpView,
    pub(crate) now: Now,
    /// Everything that was written.
    pub(crate) journal: Vec<(u64, Record)>,
}

/// What one message led to.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) sent: Vec<(Reply, Sent)>,
    pub(crate) outcome: Outcome,
    pub(crate) notices: Vec<Notice>,
    pub(crate) events: Vec<Event>,
    pub(crate) changes: Vec<Change<Ipv6Net>>,
}

/// The view of an inventory in one file.
pub(crate) fn view_of(text: &str) -> DhcpView {
    match load_texts(&[("inventory.toml", text)]) {
        Ok(snapshot) => DhcpView::build(&snapshot),
        Err(diagnostics) => panic!("the test's inventory is wrong: {diagnostics:#?}"),
    }
}

/// The lab's link.
pub(crate) fn link() -> Link {
    let addresses = vec!["fe80::1".parse().unwrap(), "2001:db8:77::1".parse().unwrap()];
    Link { index: INTERFACE, addresses, addresses4: Vec::new(), mtu: 1500 }
}

/// All DHCPv6 servers of a link.
pub(crate) fn everybody() -> Ipv6Addr {
    "ff02::1:2".parse().unwrap()
}

impl Lab {
    /// A server of `SITE` and `hosts` on one interface.
    pub(crate) fn new(hosts: &str) -> Lab {
        Lab::on(&format!("{SITE}{hosts}"), vec![link()])
    }

    /// A server of this inventory on these interfaces.
    pub(crate) fn on(inventory: &str, links: Vec<Link>) -> Lab {
        let (core, view) = (Core::new(SERVER), view_of(inventory));
        let mut lab = Lab { core, view, now: Now::default(), journal: Vec::new() };
        lab.core.handle(&Input::Links(links), lab.now, &lab.view, &mut Outputs::default());
        lab
    }

    /// Takes another inventory into service.
    pub(crate) fn edit(&mut self, hosts: &str) {
        self.view = view_of(&format!("{SITE}{hosts}"));
    }

    /// Sends what `ask` says to all servers, from the link-local address of this hardware address.
    pub(crate) fn ask(&mut self, mac: [u8; 6], ask: &Ask) -> Answer {
        self.hear(&ask.octets(), link_local(mac), everybody())
    }

    /// Sends octets.
    pub(crate) fn hear(&mut self, octets: &[u8], from: Ipv6Addr, to: Ipv6Addr) -> Answer {
        let from = SocketAddrV6::new(from, 546, 0, INTERFACE);
        let packet = Packet { bytes: octets.into(), interface: INTERFACE, from, destination: Some(to) };
        self.packet(packet)
    }

    /// Sends a datagram.
    pub(crate) fn packet(&mut self, packet: Packet<'_>) -> Answer {
        let mut out = Outputs::default();
        self.core.handle(&Input::Packet(packet), self.now, &self.view, &mut out);
        let [transaction] = out.transactions() else { panic!("one transaction a packet: {out:?}") };
        let sent = |(reply, octets): (&Reply, &[u8])| (reply.clone(), Sent { octets: octets.to_vec() });
        let answer = Answer {
            sent: out.replies().map(sent).collect(),
            outcome: transaction.outcome,
            notices: out.notices().to_vec(),
            events: out.events().to_vec(),
            changes: out.changes().to_vec(),
        };
        // The disk is quick.
        self.journal.extend(out.take_records());
        if let Some((last, _)) = self.journal.last() {
            self.give(&Input::Committed(*last));
        }
        answer
    }

    /// Gives an event that is no message; returns what changed.
    pub(crate) fn give(&mut self, input: &Input<'_>) -> Vec<Change<Ipv6Net>> {
        let mut out = Outputs::default();
        self.core.handle(input, self.now, &self.view, &mut out);
        self.journal.extend(out.take_records());
        out.changes().to_vec()
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, seconds: u64) -> Vec<Change<Ipv6Net>> {
        self.now.monotonic_ms += seconds * 1000;
        self.now.unix_ms += i64::try_from(seconds).unwrap() * 1000;
        self.give(&Input::Tick)
    }

    /// Kills the server and starts it again with what was written.
    pub(crate) fn restart(&mut self) {
        self.core = Core::recover(SERVER, self.journal.clone(), None, self.now);
        self.give(&Input::Links(vec![link()]));
    }
}

impl Answer {
    /// The one datagram that was sent.
    pub(crate) fn one(&self) -> &Sent {
        let [(_, sent)] = &*self.sent else { panic!("one reply was expected: {self:?}") };
        sent
    }

    /// Where it went.
    pub(crate) fn way(&self) -> &Reply {
        let [(reply, _)] = &*self.sent else { panic!("one reply was expected: {self:?}") };
        reply
    }

    /// Why nothing was sent.
    pub(crate) fn silence(&self) -> Reason {
        match self.outcome {
            Outcome::Unanswered(reason) if self.sent.is_empty() => reason,
            _ => panic!("silence was expected: {self:?}"),
        }
    }

    /// The address of the one identity association that has one.
    pub(crate) fn address(&self) -> Ipv6Addr {
        let given = self.one().nas().into_iter().flat_map(|ia| ia.addresses).filter(|given| given.2 > 0);
        let [(address, preferred, valid)] = *given.collect::<Vec<_>>() else {
            panic!("one address was expected: {self:?}")
        };
        assert_eq!(preferred, valid);
        assert!(matches!(self.outcome, Outcome::Answered(_, Some(told)) if told == address));
        address
    }
}

/// Cases of a property test: as many as `PROPTEST_CASES` says, else `usual`.
pub(crate) fn cases_or(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}
