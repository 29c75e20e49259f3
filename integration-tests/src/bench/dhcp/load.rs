//! A load of DHCP exchanges (DISCOVER, OFFER, REQUEST, ACK) through relay agents: so many clients at any time,
//! in batches, every reply checked.

use std::collections::HashSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use daemon::udp::{MAX_BATCH, Options, RecvBatch, Route, SendBatch, Wait, bind};

use super::packet::{ACK, OFFER, Reply, Say, read, write};

/// Clients at any time, by default: fewer messages than the smallest buffer of a server holds.
pub const WINDOW: usize = 128;
const PORT: u16 = 67;
const OCTETS: usize = 1500;
/// A reply that takes longer is lost: the client begins anew.
const LOST_AFTER: Duration = Duration::from_secs(2);

/// A client that is to get an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its hardware address.
    pub mac: [u8; 6],
    /// Which relay agent it is behind.
    pub agent: usize,
    /// The address that it must get; none: any that nobody else got.
    pub address: Option<Ipv4Addr>,
}

/// When a load ends: by whichever comes first.
#[derive(Clone, Copy, Debug)]
pub struct Until {
    /// After this time.
    pub time: Duration,
    /// After so many exchanges.
    pub exchanges: usize,
}

impl Until {
    /// After this time, and not before.
    pub fn time(time: Duration) -> Until {
        Until { time, exchanges: usize::MAX }
    }
}

/// What a load came to.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Exchanges that came to their end.
    pub exchanges: u64,
    /// Replies that were wrong.
    pub wrong: u64,
    /// Messages without a reply.
    pub lost: u64,
    /// From the first message to the last reply.
    pub took: Duration,
    /// The first wrong reply.
    pub first_wrong: Option<String>,
}

/// Clients of one server.
pub struct Load<'c> {
    clients: &'c [Client],
    server: SocketAddr,
    agents: Vec<(Ipv4Addr, UdpSocket)>,
    places: Vec<Place>,
    /// Whether replies are read: an echo gives back what it got.
    checked: bool,
    next: usize,
    round: u32,
    given: HashSet<Ipv4Addr>,
    to_say: Vec<usize>,
    tally: Tally,
}

#[derive(Clone, Copy)]
struct Place {
    client: usize,
    xid: u32,
    say: Say,
    is_busy: bool,
}

impl<'c> Load<'c> {
    /// Clients behind `agents`, which are addresses of this machine, `window` of them at a time.
    ///
    /// # Errors
    /// The sockets cannot be opened.
    pub fn new(
        clients: &'c [Client],
        agents: &[Ipv4Addr],
        server: Ipv4Addr,
        window: usize,
    ) -> io::Result<Load<'c>> {
        let open = |agent: &Ipv4Addr| {
            let socket = bind(&Options::new((*agent, PORT).into())).map_err(io::Error::other)?;
            Ok((*agent, socket))
        };
        let idle = Place { client: 0, xid: 0, say: Say::Discover, is_busy: false };
        Ok(Load {
            clients,
            server: (server, PORT).into(),
            agents: agents.iter().map(open).collect::<io::Result<_>>()?,
            places: vec![idle; window.clamp(1, 256)],
            checked: true,
            next: 0,
            round: 0,
            given: HashSet::new(),
            to_say: Vec::new(),
            tally: Tally::default(),
        })
    }

    /// Replies are counted and not looked at.
    #[must_use]
    pub fn unchecked(mut self) -> Self {
        self.checked = false;
        self
    }

    /// Begins exchanges until the end has come, and waits for those that are under way.
    ///
    /// # Errors
    /// A socket fails.
    pub fn run(&mut self, until: Until) -> io::Result<Tally> {
        self.tally = Tally::default();
        let (mut replies, mut asks) = (RecvBatch::new(MAX_BATCH, OCTETS), SendBatch::new(MAX_BATCH, OCTETS));
        let (start, mut begun, mut last_heard) = (Instant::now(), 0, Instant::now());
        loop {
            let goes_on = |begun: usize| begun < until.exchanges && start.elapsed() < until.time;
            for number in 0..self.places.len() {
                if !self.places[number].is_busy && goes_on(begun) {
                    self.begin(number);
                    begun += 1;
                }
            }
            self.say(&mut asks);
            if self.places.iter().all(|place| !place.is_busy) {
                break;
            }
            if self.hear(&mut replies)? > 0 {
                last_heard = Instant::now();
            } else {
                self.wait();
            }
            if last_heard.elapsed() > LOST_AFTER {
                self.give_up();
                last_heard = Instant::now();
            }
        }
        self.tally.took = start.elapsed();
        Ok(self.tally.clone())
    }

    fn begin(&mut self, number: usize) {
        let client = self.next;
        self.next = (self.next + 1) % self.clients.len();
        self.put(number, client, Say::Discover);
    }

    /// What the place says next; its exchange has a number of its own.
    fn put(&mut self, number: usize, client: usize, say: Say) {
        self.round = self.round.wrapping_add(1);
        let xid = self.round << 8 | u32::try_from(number).unwrap_or(0);
        self.places[number] = Place { client, xid, say, is_busy: true };
        self.to_say.push(number);
    }

    fn say(&mut self, asks: &mut SendBatch) {
        let waiting = std::mem::take(&mut self.to_say);
        for (agent, (giaddr, socket)) in self.agents.iter().enumerate() {
            for number in &waiting {
                let place = self.places[*number];
                let client = self.clients[place.client];
                if client.agent != agent {
                    continue;
                }
                if asks.buffer().is_none() {
                    asks.send(socket, Wait::ForOne);
                    asks.discard();
                }
                let Some(buffer) = asks.buffer() else { continue };
                let octets = write(place.say, place.xid, client.mac, *giaddr, buffer);
                assert!(asks.commit(octets, self.server, Route::default()), "there is room");
            }
            asks.send(socket, Wait::ForOne);
            // What was not sent is lost in its time.
            asks.discard();
        }
        self.to_say = waiting;
        self.to_say.clear();
    }

    fn hear(&mut self, replies: &mut RecvBatch) -> io::Result<usize> {
        let mut heard = 0;
        for agent in 0..self.agents.len() {
            heard += replies.receive(&self.agents[agent].1, Wait::Never)?;
            for reply in replies.iter() {
                self.take(reply.bytes);
            }
        }
        Ok(heard)
    }

    fn take(&mut self, octets: &[u8]) {
        let xid =
            octets.get(4..).and_then(|rest| rest.first_chunk()).map_or(0, |xid| u32::from_be_bytes(*xid));
        let number = usize::try_from(xid & 0xff).unwrap_or(0);
        let Some(place) = self.places.get(number).copied().filter(|place| place.is_busy && place.xid == xid)
        else {
            return;
        };
        let client = self.clients[place.client];
        if !self.checked {
            return match place.say {
                Say::Discover => {
                    let nobody = Ipv4Addr::UNSPECIFIED;
                    self.put(number, place.client, Say::Request(nobody, nobody));
                }
                Say::Request(..) => self.end(number),
            };
        }
        let reply = read(octets);
        let right = reply.filter(|reply| self.is_right(place, client, reply));
        match (place.say, right) {
            (Say::Discover, Some(offer)) => {
                self.put(number, place.client, Say::Request(offer.address, offer.server));
            }
            (Say::Request(..), Some(ack)) => {
                if client.address.is_none() && !self.given.insert(ack.address) {
                    self.wrong(format!("{} is given twice", ack.address));
                }
                self.end(number);
            }
            (say, None) => {
                self.wrong(format!("{reply:?} to {say:?} of {client:?}"));
                self.places[number].is_busy = false;
            }
        }
    }

    fn is_right(&self, place: Place, client: Client, reply: &Reply) -> bool {
        let address = client.address.is_none_or(|address| address == reply.address);
        let as_offered = match place.say {
            Say::Discover => reply.kind == OFFER,
            Say::Request(offered, server) => {
                reply.kind == ACK && reply.address == offered && reply.server == server
            }
        };
        address && as_offered && reply.mac == client.mac && !reply.address.is_unspecified()
    }

    fn wrong(&mut self, what: String) {
        self.tally.wrong += 1;
        self.tally.first_wrong.get_or_insert(what);
    }

    fn end(&mut self, number: usize) {
        self.tally.exchanges += 1;
        self.places[number].is_busy = false;
    }

    fn give_up(&mut self) {
        for place in self.places.iter_mut().filter(|place| place.is_busy) {
            self.tally.lost += 1;
            place.is_busy = false;
        }
    }

    fn wait(&self) {
        use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
        use std::os::fd::AsFd;
        let mut fds: Vec<PollFd<'_>> =
            self.agents.iter().map(|(_, socket)| PollFd::new(socket.as_fd(), PollFlags::POLLIN)).collect();
        // A signal is no reply.
        let _ = poll(&mut fds, PollTimeout::from(20_u8));
    }
}
