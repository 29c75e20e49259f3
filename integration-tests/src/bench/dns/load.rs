//! A load of DNS questions by UDP: so many on the way at any time, in batches, every answer checked.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use daemon::udp::{MAX_BATCH, Options, RecvBatch, Route, SendBatch, Wait, bind};

use super::question::{Question, Wrong};

/// Sockets, each with a port of its own: clients are many.
const SOCKETS: usize = 4;
/// Questions on the way at any time, by default: fewer than the smallest buffer of a server holds.
pub const WINDOW: usize = 192;
/// Longest message that is read.
const OCTETS: usize = 1500;
/// An answer that takes longer is lost.
const LOST_AFTER: Duration = Duration::from_secs(2);

/// What a load came to.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Answers that were right.
    pub right: u64,
    /// Answers that were wrong.
    pub wrong: u64,
    /// Questions without an answer.
    pub lost: u64,
    /// From the first question to the last answer.
    pub took: Duration,
    /// The first wrong answer: which question, and what is wrong.
    pub first_wrong: Option<(usize, Wrong)>,
}

/// Clients of one server.
pub struct Load<'q> {
    questions: &'q [Question],
    server: SocketAddr,
    sockets: Vec<Client>,
    /// Whether replies are compared: an echo has none.
    checked: bool,
    next: usize,
    tally: Tally,
}

struct Client {
    socket: UdpSocket,
    /// What was asked in each place, and since when; the identifier's low bits are the place.
    places: Vec<Option<(usize, u16)>>,
    free: Vec<usize>,
    round: u16,
    heard: Instant,
}

impl<'q> Load<'q> {
    /// Clients at `source` that will ask `server`, `window` questions at a time.
    ///
    /// # Errors
    /// The sockets cannot be opened.
    pub fn new(
        questions: &'q [Question],
        source: IpAddr,
        server: SocketAddr,
        window: usize,
    ) -> io::Result<Load<'q>> {
        let each = (window / SOCKETS).clamp(1, MAX_BATCH);
        let client = |_| {
            let socket = bind(&Options::new((source, 0).into())).map_err(io::Error::other)?;
            Ok(Client {
                socket,
                places: vec![None; each],
                free: (0..each).collect(),
                round: 0,
                heard: Instant::now(),
            })
        };
        let sockets = (0..SOCKETS).map(client).collect::<io::Result<_>>()?;
        Ok(Load { questions, server, sockets, checked: true, next: 0, tally: Tally::default() })
    }

    /// Replies are counted and not looked at.
    #[must_use]
    pub fn unchecked(mut self) -> Self {
        self.checked = false;
        self
    }

    /// Asks for as long as `wanted`, then waits for the answers that are on their way.
    ///
    /// # Errors
    /// A socket fails.
    pub fn run(&mut self, wanted: Duration) -> io::Result<Tally> {
        self.tally = Tally::default();
        let start = Instant::now();
        let (mut replies, mut asks) = (RecvBatch::new(MAX_BATCH, OCTETS), SendBatch::new(MAX_BATCH, OCTETS));
        let mut sockets = std::mem::take(&mut self.sockets);
        sockets.iter_mut().for_each(|client| client.heard = start);
        let mut asking = true;
        while asking || sockets.iter().any(|client| client.free.len() < client.places.len()) {
            asking = asking && start.elapsed() < wanted;
            let mut heard = 0;
            for client in &mut sockets {
                heard += self.hear(client, &mut replies)?;
                if asking {
                    self.ask(client, &mut asks);
                }
            }
            if heard == 0 {
                self.wait(&mut sockets);
            }
        }
        self.sockets = sockets;
        self.tally.took = start.elapsed();
        Ok(self.tally.clone())
    }

    fn hear(&mut self, client: &mut Client, replies: &mut RecvBatch) -> io::Result<usize> {
        let heard = replies.receive(&client.socket, Wait::Never)?;
        for reply in replies.iter() {
            let Some(identifier) = reply.bytes.first_chunk().map(|octets| u16::from_be_bytes(*octets)) else {
                continue;
            };
            let place = usize::from(identifier) % MAX_BATCH;
            // A late answer to a question that was given up is nobody's.
            let Some(Some((number, wanted))) = client.places.get(place) else { continue };
            if *wanted != identifier {
                continue;
            }
            match if self.checked { self.questions[*number].check(reply.bytes) } else { Ok(()) } {
                Ok(()) => self.tally.right += 1,
                Err(wrong) => {
                    self.tally.wrong += 1;
                    self.tally.first_wrong.get_or_insert((*number, wrong));
                }
            }
            client.places[place] = None;
            client.free.push(place);
        }
        if heard > 0 {
            client.heard = Instant::now();
        }
        Ok(heard)
    }

    fn ask(&mut self, client: &mut Client, asks: &mut SendBatch) {
        while let Some(place) = client.free.pop() {
            let question = &self.questions[self.next];
            client.round = client.round.wrapping_add(1);
            let identifier = client.round << MAX_BATCH.trailing_zeros() | u16::try_from(place).unwrap_or(0);
            let Some(buffer) = asks.buffer() else {
                client.free.push(place);
                break;
            };
            buffer[..question.octets.len()].copy_from_slice(&question.octets);
            buffer[..2].copy_from_slice(&identifier.to_be_bytes());
            assert!(asks.commit(question.octets.len(), self.server, Route::default()), "there is room");
            client.places[place] = Some((self.next, identifier));
            self.next = (self.next + 1) % self.questions.len();
        }
        asks.send(&client.socket, Wait::ForOne);
        // What was not sent is lost in its time.
        asks.discard();
    }

    /// Waits a moment for any answer, and gives up what has waited for too long.
    fn wait(&mut self, sockets: &mut [Client]) {
        use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
        use std::os::fd::AsFd;
        let mut fds: Vec<PollFd<'_>> =
            sockets.iter().map(|client| PollFd::new(client.socket.as_fd(), PollFlags::POLLIN)).collect();
        // A signal is no answer.
        let _ = poll(&mut fds, PollTimeout::from(20_u8));
        for client in sockets.iter_mut().filter(|client| client.heard.elapsed() > LOST_AFTER) {
            for (number, place) in client.places.iter_mut().enumerate() {
                if place.take().is_some() {
                    self.tally.lost += 1;
                    client.free.push(number);
                }
            }
            client.heard = Instant::now();
        }
    }
}
