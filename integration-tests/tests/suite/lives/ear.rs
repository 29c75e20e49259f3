//! Hears what clients and server say on a link.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use integration_tests::message::{ACK, DISCOVER, Message, NAK, OFFER, REQUEST};
use integration_tests::run::wait_for;
use integration_tests::wire::{Datagram, Wire, read_udp};

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Discover,
    Offer,
    /// DHCPREQUEST for what was offered.
    Select,
    /// DHCPREQUEST of a client that has started again.
    Reboot,
    /// DHCPREQUEST to the server of the lease.
    Renew,
    /// DHCPREQUEST to everybody for the address that the client has.
    Rebind,
    Ack(Ipv4Addr),
    Nak,
    Release,
    Other,
}

/// Listens until it goes away.
pub(super) struct Ear {
    heard: Arc<Mutex<Vec<Said>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ear {
    /// Listens to what the machine `mac` says, or is told, on `interface`.
    pub(super) fn new(interface: &str, mac: [u8; 6]) -> Ear {
        let (heard, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let mut wire = Wire::open(interface);
        let (hears, until) = (Arc::clone(&heard), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            while !until.load(Ordering::Relaxed) {
                wire.receive(Duration::from_millis(50), |frame| {
                    let said = read_udp(frame).and_then(|datagram| said(&datagram, mac));
                    hears.lock().unwrap().extend(said);
                });
            }
        });
        Ear { heard, stop, thread: Some(thread) }
    }

    /// Forgets what was said before.
    pub(super) fn forget(&self) {
        self.heard.lock().unwrap().clear();
    }

    /// Waits until `what` is said and after it `answer`.
    pub(super) fn wait(&self, what: Said, answer: Said) {
        wait_for(&format!("{what:?} and {answer:?}"), || {
            let heard = self.heard.lock().unwrap();
            let after = heard.iter().position(|said| *said == what)?;
            heard[after..].contains(&answer).then_some(())
        });
    }

    /// Whether `what` has been said.
    pub(super) fn has_heard(&self, what: Said) -> bool {
        self.heard.lock().unwrap().contains(&what)
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
        if std::thread::panicking() {
            println!("heard: {:?}", self.heard.lock().unwrap());
        }
    }
}

fn said(datagram: &Datagram<'_>, mac: [u8; 6]) -> Option<Said> {
    if let Some(reply) = Message::read_reply(datagram.payload) {
        return (reply.mac() == mac).then(|| match reply.kind() {
            OFFER => Said::Offer,
            ACK => Said::Ack(reply.yiaddr()),
            NAK => Said::Nak,
            _ => Said::Other,
        });
    }
    let message = Message::read_request(datagram.payload).filter(|message| message.mac() == mac)?;
    let relayed = message.at::<4>(24) != [0; 4];
    let to_everybody = datagram.to.ip().is_broadcast() || relayed;
    Some(match (message.kind(), message.server(), message.ciaddr().is_unspecified()) {
        (DISCOVER, ..) => Said::Discover,
        (REQUEST, Some(_), _) => Said::Select,
        (REQUEST, None, true) => Said::Reboot,
        (REQUEST, None, false) if to_everybody => Said::Rebind,
        (REQUEST, None, false) => Said::Renew,
        (7, ..) => Said::Release,
        _ => Said::Other,
    })
}
