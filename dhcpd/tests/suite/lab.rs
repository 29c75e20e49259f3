//! A server without sockets: an inventory, a core, a clock that the test sets.

use std::net::{Ipv4Addr, SocketAddrV4};

use dhcpd::core::{
    Change, Changed, Core, Event, Input, Link, Notice, Now, Outcome, Outputs, Packet, Probe, Reason, Record,
};
use dhcpd::view::DhcpView;
use inventory_core::load::load_texts;
use inventory_core::model::Snapshot;

use super::packet::{Ask, Sent};

/// Index of the interface that a lab has.
pub(crate) const INTERFACE: u32 = 2;
/// The server's address there.
pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
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
gateway = "10.77.0.254"
dns = ["10.77.0.1", "10.77.0.2"]
lease = "1h"

[host.ns1]
network = "lab"
ip = "10.77.0.1"
"#;

/// One host that is served.
pub(crate) const WEB_HOST: &str = r#"
[host.web]
network = "lab"
mac = "02:00:00:00:00:01"
ip = "10.77.0.11"
"#;

/// A server.
pub(crate) struct Lab {
    pub(crate) core: Core,
    pub(crate) view: DhcpView,
    snapshot: Snapshot,
    pub(crate) now: Now,
    /// What was written, in order; the store of the lab.
    pub(crate) journal: Vec<(u64, Record)>,
    /// Whether records become durable at once.
    pub(crate) commits: bool,
}

/// What one message led to.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) sent: Vec<Sent>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) events: Vec<Event>,
    pub(crate) changes: Vec<Change>,
    pub(crate) probes: Vec<Probe>,
    pub(crate) records: Vec<Record>,
}

/// The view of an inventory in one file.
pub(crate) fn view_of(text: &str) -> DhcpView {
    DhcpView::build(&snapshot_of(text))
}

/// The snapshot of an inventory in one file.
pub(crate) fn snapshot_of(text: &str) -> Snapshot {
    match load_texts(&[("inventory.toml", text)]) {
        Ok(snapshot) => snapshot,
        Err(diagnostics) => panic!("the test's inventory is wrong: {diagnostics:#?}"),
    }
}

impl Lab {
    /// A server of `SITE` and `hosts` on one interface.
    pub(crate) fn new(hosts: &str) -> Lab {
        Lab::of(&format!("{SITE}{hosts}"))
    }

    /// A server of this inventory on one interface.
    pub(crate) fn of(inventory: &str) -> Lab {
        let link = Link { index: INTERFACE, addresses: vec![SERVER], mtu: 1500 };
        Lab::on(inventory, vec![link])
    }

    /// A server of this inventory on these interfaces.
    pub(crate) fn on(inventory: &str, links: Vec<Link>) -> Lab {
        let now = Now { monotonic_ms: 1_000_000, unix_ms: 1_700_000_000_000 };
        let snapshot = snapshot_of(inventory);
        let (core, view) = (Core::new(), DhcpView::build(&snapshot));
        let mut lab = Lab { core, view, snapshot, now, journal: Vec::new(), commits: true };
        lab.core.handle(&Input::Links(links), lab.now, &lab.view, &mut Outputs::default());
        lab
    }

    /// Takes another inventory into service.
    pub(crate) fn edit(&mut self, inventory: &str) {
        let mut snapshot = snapshot_of(inventory);
        snapshot.generation = self.snapshot.generation + 1;
        self.view = self.view.updated(&self.snapshot.inventory, &snapshot);
        self.snapshot = snapshot;
    }

    /// Sends what `ask` says.
    pub(crate) fn ask(&mut self, ask: &Ask) -> Answer {
        self.hear(&ask.octets(), INTERFACE, ask.from, ask.to)
    }

    /// Sends what `ask` says, and waits for the probe if there is one.
    pub(crate) fn ask_and_wait(&mut self, ask: &Ask) -> Answer {
        let answer = self.ask(ask);
        let waits = answer.outcome == Some(Outcome::Unanswered(Reason::Probing));
        if waits { self.pass(500) } else { answer }
    }

    /// Sends octets by broadcast.
    pub(crate) fn octets(&mut self, octets: &[u8]) -> Answer {
        self.hear(octets, INTERFACE, SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68), Ipv4Addr::BROADCAST)
    }

    /// Sends octets.
    pub(crate) fn hear(&mut self, octets: &[u8], interface: u32, from: SocketAddrV4, to: Ipv4Addr) -> Answer {
        let packet = Packet { bytes: octets.into(), interface, from, destination: Some(to) };
        let answer = self.input(&Input::Packet(packet));
        assert!(answer.outcome.is_some(), "no packet without a transaction");
        answer
    }

    /// Lets time go by.
    pub(crate) fn pass(&mut self, ms: i64) -> Answer {
        self.now.monotonic_ms = self.now.monotonic_ms.checked_add_signed(ms).unwrap();
        self.now.unix_ms += ms;
        self.input(&Input::Tick)
    }

    /// Gives the core an event.
    pub(crate) fn input(&mut self, input: &Input<'_>) -> Answer {
        let mut out = Outputs::default();
        self.core.handle(input, self.now, &self.view, &mut out);
        self.journal.extend(out.records().iter().cloned());
        if self.commits
            && let Some((position, _)) = out.records().last()
        {
            let committed = Input::Committed(*position);
            self.core.handle(&committed, self.now, &self.view, &mut Outputs::default());
        }
        Answer {
            sent: out.replies().map(|(reply, octets)| Sent::new(reply, octets)).collect(),
            outcome: out.transactions().last().map(|transaction| transaction.outcome),
            notices: out.notices().to_vec(),
            events: out.events().to_vec(),
            changes: out.changes().to_vec(),
            probes: out.probes().to_vec(),
            records: out.records().iter().map(|(_, record)| record.clone()).collect(),
        }
    }

    /// DISCOVER, wait for the probe if there is one, REQUEST: the address that the client has then.
    pub(crate) fn join(&mut self, mac: [u8; 6]) -> Ipv4Addr {
        let offered = self.ask_and_wait(&Ask::discover(mac)).offered();
        self.ask(&Ask::selecting(mac, offered, SERVER)).acknowledged()
    }

    /// Ends the process, and starts another on what was written.
    pub(crate) fn restart(&mut self, boot: Option<u64>) {
        self.core = Core::recover(self.journal.clone(), boot, self.now);
        let link = Link { index: INTERFACE, addresses: vec![SERVER], mtu: 1500 };
        self.input(&Input::Links(vec![link]));
    }
}

impl Answer {
    /// What happened to leases.
    pub(crate) fn changed(&self) -> Vec<(Ipv4Addr, Changed)> {
        self.changes.iter().map(|change| (change.address, change.what)).collect()
    }

    /// The one datagram that was sent.
    pub(crate) fn one(&self) -> &Sent {
        let [sent] = &*self.sent else { panic!("one reply was expected: {self:?}") };
        sent
    }

    /// Why nothing was sent.
    pub(crate) fn silence(&self) -> Reason {
        match self.outcome {
            Some(Outcome::Unanswered(reason)) if self.sent.is_empty() => reason,
            _ => panic!("silence was expected: {self:?}"),
        }
    }

    /// Why a DHCPNAK was sent.
    pub(crate) fn refusal(&self) -> Reason {
        match self.outcome {
            Some(Outcome::Refused(reason)) if self.one().kind() == 6 => reason,
            _ => panic!("a refusal was expected: {self:?}"),
        }
    }

    /// The address that was offered.
    pub(crate) fn offered(&self) -> Ipv4Addr {
        match self.outcome {
            Some(Outcome::Offered(_, address)) if self.one().kind() == 2 => {
                assert_eq!(self.one().yiaddr(), address);
                address
            }
            _ => panic!("an offer was expected: {self:?}"),
        }
    }

    /// The address that was acknowledged.
    pub(crate) fn acknowledged(&self) -> Ipv4Addr {
        match self.outcome {
            Some(Outcome::Acknowledged(_, address)) if self.one().kind() == 5 => {
                assert_eq!(self.one().yiaddr(), address);
                address
            }
            _ => panic!("an acknowledgement was expected: {self:?}"),
        }
    }
}

/// Cases of a property test: as many as `PROPTEST_CASES` says, else `usual`.
pub(crate) fn cases_or(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}
