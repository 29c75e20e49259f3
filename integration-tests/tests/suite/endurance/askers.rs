//! Clients that ask without a pause and hold every answer against the worlds that it may be of.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering;

use dhcproto::v4::MessageType;
use integration_tests::dhcp::{self, Reply};
use integration_tests::dns::{self, Answer};
use integration_tests::generate::mix;

use super::History;
use super::world::{Question, World};

/// One client's sight of the history.
struct Sight<'a> {
    history: &'a History,
    /// The oldest world that agrees with all its answers so far.
    seen: usize,
    /// The oldest world that may be answered from, when the question is sent.
    oldest: usize,
}

impl<'a> Sight<'a> {
    fn new(history: &'a History) -> Sight<'a> {
        Sight { history, seen: 0, oldest: 0 }
    }

    /// To be called before a question is sent.
    fn look(&mut self) {
        self.oldest = self.seen.max(self.history.confirmed.load(Ordering::SeqCst));
    }

    /// To be called with what came back; `agrees` tells whether a world gives this answer.
    fn check(&mut self, what: &dyn std::fmt::Debug, agrees: impl Fn(&World) -> bool) {
        let newest = self.history.begun.load(Ordering::SeqCst);
        let worlds = self.history.worlds();
        let found = (self.oldest..=newest).find(|number| agrees(&worlds[*number]));
        self.seen = found.unwrap_or_else(|| {
            let ever: Vec<usize> = (0..=newest).filter(|number| agrees(&worlds[*number])).collect();
            panic!("no world from {} to {newest} gives this answer, only {ever:?}: {what:?}", self.oldest)
        });
    }

    fn is_over(&self) -> bool {
        self.history.over.load(Ordering::SeqCst)
    }
}

/// Asks by UDP; returns how many answers were right.
pub(super) fn dns_by_udp(history: &History, server: &str) -> u64 {
    let mut client = dns::Client::new(SocketAddr::new(server.parse().unwrap(), 53));
    ask_names(history, server, |question| client.ask(&question.name, question.kind))
}

/// Asks by TCP, a connection per question.
pub(super) fn dns_by_tcp(history: &History, server: &str) -> u64 {
    let address = SocketAddr::new(server.parse::<IpAddr>().unwrap(), 53);
    ask_names(history, server, |question| dns::ask_tcp(address, &question.name, question.kind))
}

fn ask_names(history: &History, server: &str, mut ask: impl FnMut(&Question) -> Answer) -> u64 {
    let mut sight = Sight::new(history);
    let (mut count, mut serials) = (0, [0; 2]);
    while !sight.is_over() {
        let question = Question::any(count ^ (server.len() as u64) << 32);
        sight.look();
        let mut answer = ask(&question);
        if let Some(serial) = answer.serial.take() {
            let last = &mut serials[usize::from(question.name.ends_with("arpa."))];
            assert!(serial >= *last, "serial {serial} after {last} at {question:?}");
            *last = serial;
        }
        sight.check(&(&question, &answer), |world| world.answer(&question) == answer);
        count += 1;
    }
    count
}

/// Lets one machine after the other go through DISCOVER and REQUEST.
pub(super) fn dhcp(history: &History, own: &str, server: &str) -> u64 {
    let mut client = dhcp::Client::new(own.parse().unwrap(), server.parse().unwrap());
    let mut sight = Sight::new(history);
    let mut count = 0;
    while !sight.is_over() {
        sight.look();
        let random = mix(count);
        let (mac, number, present, mut wanted) = {
            let worlds = history.worlds();
            let number = usize::try_from(random >> 1).unwrap_or(0) % worlds[0].machines.len();
            let machine = &worlds[sight.oldest].machines[number];
            // Also not deleted by an edit that has only begun, nor by one that begins now: of the last
            // machines none ever is.
            (machine.mac(), number, !may_go(number), machine.address)
        };
        if present {
            let offer = client.discover(mac);
            sight.check(&(number, &offer), |world| offered(world, number) == Some(offer.clone()));
            wanted = offer.address;
            count += 1;
            sight.look();
        }
        let reply = client.request(mac, wanted);
        sight.check(&(number, wanted, &reply), |world| match offered(world, number) {
            Some(offer) if offer.address == wanted => reply == Reply { kind: MessageType::Ack, ..offer },
            _ => reply.kind == MessageType::Nak,
        });
        count += 1;
    }
    count
}

/// Whether edits delete this machine: of two, one stays.
pub(super) fn may_go(number: usize) -> bool {
    number.is_multiple_of(2)
}

/// The offer that a machine gets in `world`.
pub(super) fn offered(world: &World, number: usize) -> Option<Reply> {
    let machine = &world.machines[number];
    machine.present.then(|| Reply {
        kind: MessageType::Offer,
        address: machine.address,
        host_name: Some(machine.label()),
    })
}
