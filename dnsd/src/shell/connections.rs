//! What connections of every kind share: how many there may be, what they count into, and how a query becomes
//! a reply.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ipnet::IpNet;
use tokio::sync::{Semaphore, oneshot};

use crate::core::transfer::{self as transfers, Opened};
use crate::core::{Asked, Outcome, QueryContext, Reason, Transport};
use crate::view::DnsView;

use super::counters::{Carrier, ConnectionTally, Traffic};
use super::forward::Question;
use super::places::{Place, Places};
use super::query_log::{Heard, Sampler};
use super::service::Service;
use super::status::lock;
use super::transfer::{AT_ONCE, Granted};
use super::updates::Back;

/// Connections at once, of all kinds together.
pub const CONNECTIONS_MAX: usize = 1024;
/// Connections that strangers may have together: the rest is for networks of ours and for secondaries.
const STRANGERS_MAX: usize = CONNECTIONS_MAX / 8 * 7;
/// Connections of one client at once.
pub const CLIENT_CONNECTIONS_MAX: usize = 128;
/// Octets of a query at most: a question with any options that are in use has a tenth.
pub const QUERY_OCTETS_MAX: usize = 4096;
/// How long a connection may wait for its next query to be complete.
const IDLE: Duration = Duration::from_secs(10);
/// The same when half of the connections are taken (RFC 7766, section 6.2.3).
const IDLE_WHEN_BUSY: Duration = Duration::from_secs(2);

/// What all connections share.
pub(super) struct Connections {
    pub(super) service: Arc<Service>,
    pub(super) tally: ConnectionTally,
    /// Transfers have to have one.
    pub(super) turns: Semaphore,
    scratch: Mutex<Box<[u8]>>,
    sampler: Mutex<Sampler>,
    places: Arc<Places>,
}

/// What is sent later than at once.
pub(super) enum Later {
    /// A transfer.
    Transfer(Box<Granted>),
    /// A reply that somebody else makes; nothing, if it does not come.
    Reply(oneshot::Receiver<Vec<u8>>),
    /// Nothing: too many wait. The client may ask again.
    Busy,
}

/// The right to one connection, from before its handshake to its end.
pub(super) struct Seat {
    connections: Arc<Connections>,
    peer: IpAddr,
    carrier: Carrier,
    _place: Place,
}

impl Connections {
    pub(super) fn new(service: Arc<Service>, tally: ConnectionTally) -> Arc<Connections> {
        let scratch = Mutex::new(vec![0; 2 + usize::from(u16::MAX)].into());
        let turns = Semaphore::new(AT_ONCE);
        Arc::new(Connections {
            service,
            tally,
            turns,
            scratch,
            sampler: Mutex::default(),
            places: Places::new(CLIENT_CONNECTIONS_MAX),
        })
    }

    /// A seat for a connection from `peer`; `None` if there are too many, of all clients or of this one.
    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr, carrier: Carrier) -> Option<Seat> {
        let place = self.places.take(peer, STRANGERS_MAX).or_else(|| {
            let view = self.service.views.load();
            is_kept_for(&view, peer).then(|| self.places.take(peer, CONNECTIONS_MAX)).flatten()
        });
        let Some(place) = place else {
            self.tally.traffic.count(Traffic::TcpRefused);
            return None;
        };
        self.tally.traffic.count(Traffic::TcpAccepted);
        Some(Seat { connections: Arc::clone(self), peer, carrier, _place: place })
    }

    /// Whether there are so many connections that a client has to show first that its address is its own.
    pub(super) fn are_many(&self, peer: IpAddr) -> bool {
        let (all, own) = self.places.taken(peer);
        all * 4 >= CONNECTIONS_MAX || own * 8 >= CLIENT_CONNECTIONS_MAX
    }
}

/// Whether the last places are for this client, too: it is in a network of ours, or copies a zone.
fn is_kept_for(view: &DnsView, peer: IpAddr) -> bool {
    let peer = peer.to_canonical();
    view.clients().are_own(peer)
        || view
            .zones()
            .iter()
            .any(|(_, zone)| zone.secondaries.iter().any(|one| one.net == IpNet::from(peer)))
}

impl Carrier {
    fn transport(self) -> Transport {
        match self {
            Carrier::Udp => Transport::Udp,
            Carrier::Tcp => Transport::Tcp,
            Carrier::Tls | Carrier::Https | Carrier::Quic => Transport::Encrypted,
        }
    }

    fn received(self) -> Traffic {
        match self {
            Carrier::Udp => Traffic::UdpReceived,
            Carrier::Tcp => Traffic::TcpReceived,
            Carrier::Tls => Traffic::TlsReceived,
            Carrier::Https => Traffic::HttpsReceived,
            Carrier::Quic => Traffic::QuicReceived,
        }
    }
}

impl Seat {
    /// What all connections share.
    pub(super) fn connections(&self) -> &Connections {
        &self.connections
    }

    /// How long the connection may wait for its next query to be complete, as many as there are at present.
    pub(super) fn idle(&self) -> Duration {
        let (all, _) = self.connections.places.taken(self.peer);
        if all * 2 < CONNECTIONS_MAX { IDLE } else { IDLE_WHEN_BUSY }
    }

    /// The client's address.
    pub(super) fn peer(&self) -> IpAddr {
        self.peer
    }

    /// Calls `take` with the reply to `query`, if there is one, or returns what is to be sent instead.
    pub(super) fn answer(&self, query: &[u8], take: impl FnOnce(&[u8])) -> Option<Later> {
        let Connections { service, tally, scratch, sampler, .. } = &*self.connections;
        let (view, known) = (service.views.load_full(), service.batch(self.carrier.transport()));
        tally.traffic.count(self.carrier.received());
        let (mut asked, mut scratch) = (Asked::read(query), lock(scratch));
        let made = self.make(&view, query, &mut asked, known.context(self.peer), &mut scratch);
        let outcome = made.as_ref().ok().copied();
        if let Some(outcome) = outcome {
            tally.count(&view, &asked, outcome);
            tally.latencies.observe(self.carrier, known.age(), 1);
        }
        let mut sampler = lock(sampler);
        sampler.follow(&service.queries, known.elapsed());
        let heard = Heard { client: self.peer, carrier: self.carrier, outcome };
        sampler.hear(&service.queries, &view, &asked, heard);
        match made {
            Ok(Outcome::Dropped(Reason::ForwardBusy | Reason::UpdateBusy)) => Some(Later::Busy),
            Ok(outcome) => {
                if let Some(reply) = outcome.reply_in(&scratch) {
                    take(reply);
                }
                None
            }
            Err(later) => Some(later),
        }
    }

    /// Writes the reply to `out`, unless it is made later.
    fn make(
        &self,
        view: &Arc<DnsView>,
        query: &[u8],
        asked: &mut Asked,
        context: QueryContext<'_>,
        out: &mut [u8],
    ) -> Result<Outcome, Later> {
        let service = &self.connections.service;
        if asked.is_transfer() {
            return match transfers::open(view, query, context, out) {
                Opened::Reply(outcome) => Ok(outcome),
                Opened::Granted(grant) => {
                    Err(Later::Transfer(Box::new(Granted { view: Arc::clone(view), grant: *grant })))
                }
            };
        }
        if asked.is_update() && !view.lease_networks().is_empty() {
            let (back, reply) = oneshot::channel();
            let taken = service.updates.take(query, context, out, || Back::Stream(back));
            return taken.ok_or(Later::Reply(reply));
        }
        let view = view.seen_by(self.peer);
        let outcome = asked.answer(view, query, context, out);
        let Some(servers) = asked.upstream(view, self.peer, outcome) else { return Ok(outcome) };
        let (back, reply) = oneshot::channel();
        let question = Question {
            query: query.into(),
            own: outcome.reply_in(out).unwrap_or_default().into(),
            peer: self.peer,
            transport: context.transport,
            servers: Arc::clone(servers),
            back: Back::Stream(back),
        };
        if service.forward.take(question) {
            return Err(Later::Reply(reply));
        }
        Ok(Outcome::Dropped(Reason::ForwardBusy))
    }
}

#[cfg(test)]
mod tests {
    use daemon::metrics::Registry;

    use super::super::counters::DnsCounters;
    use super::*;
    use crate::testing::view;

    #[test]
    fn the_last_places_are_for_networks_of_ours_and_for_secondaries() {
        let zone = "[zone.\"lab.example\"]\nsecondaries = [\"198.51.100.7\"]\n";
        let counters = DnsCounters::new(&mut Registry::default());
        let connections = Connections::new(Service::new(view(zone), None), counters.connections());
        let admit = |peer: IpAddr| connections.admit(peer, Carrier::Tcp);
        let strangers = || (0..).map(|n| IpAddr::from([203, 0, 113, n]));
        let seats: Vec<Seat> = strangers()
            .take(STRANGERS_MAX / 100)
            .flat_map(|peer| (0..100).filter_map(move |_| admit(peer)))
            .collect();
        let rest: Vec<Seat> =
            (seats.len()..STRANGERS_MAX).filter_map(|_| admit([192, 0, 2, 9].into())).collect();
        assert_eq!(seats.len() + rest.len(), STRANGERS_MAX);
        assert_eq!(seats[0].idle(), IDLE_WHEN_BUSY);
        assert!(admit([192, 0, 2, 10].into()).is_none(), "a stranger");
        let kept = [[198, 51, 100, 7], [10, 20, 0, 9], [127, 0, 0, 1]].map(|peer| admit(peer.into()));
        assert!(kept.iter().all(Option::is_some));
        drop((seats, rest));
        assert!(admit([192, 0, 2, 10].into()).is_some_and(|seat| seat.idle() == IDLE));
    }
}
