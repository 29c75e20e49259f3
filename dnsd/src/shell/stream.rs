//! Queries over a stream of octets, each with its length in front (RFC 7766; by TLS RFC 7858).
//!
//! Any number of queries per connection, answered in their order, as fast as the client reads. Bounded
//! in every direction: octets of a query, octets waiting to be sent, the time that a client may take to
//! complete a query or to read its answers.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use super::connections::{Later, QUERY_OCTETS_MAX, Seat};
use super::counters::Traffic;
use super::tcp::{FAREWELL, told};
use super::transfer;

/// Octets of answers that are gathered before they are sent.
const GATHERED: usize = 16 * 1024;
/// How long a client may take to read what was gathered.
const READING: Duration = Duration::from_secs(10);
/// How long a reply that somebody else makes is waited for.
pub(super) const MAKING: Duration = Duration::from_secs(30);

/// Replies that somebody else makes at once for one connection: in any order, so that a slow one keeps no other
/// waiting (RFC 7766, section 6.2.1.1).
const MADE_MAX: usize = 64;

/// What a connection has brought.
enum Heard {
    /// More octets.
    More,
    /// What came of a reply that somebody else makes. None is one as well: the client asks again.
    Made(Option<Vec<u8>>),
    /// Nothing any more.
    End,
}

/// A connection that queries come over.
pub(super) struct Connection<S> {
    pub(super) seat: Seat,
    pub(super) stream: S,
    pub(super) stop: watch::Receiver<bool>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Answers until the client leaves, or does what nobody has to bear, or the daemon finishes.
    pub(super) async fn serve(mut self) {
        self.answer().await;
        // By TLS, the client learns that nothing was cut off.
        let _ = timeout(FAREWELL, self.stream.shutdown()).await;
    }

    async fn answer(&mut self) {
        let (mut input, mut output) = (Vec::new(), Vec::new());
        let mut made = JoinSet::new();
        let mut deadline = Instant::now() + self.seat.idle();
        loop {
            let (mut used, mut transfer) = (0, None);
            while transfer.is_none()
                && made.len() < MADE_MAX
                && output.len() < GATHERED
                && let Some((query, octets)) = next_message(input.get(used..).unwrap_or(&[]))
            {
                match self.seat.answer(query, |reply| append(reply, &mut output)) {
                    Some(Later::Transfer(granted)) => transfer = Some(granted),
                    Some(Later::Reply(reply)) => {
                        made.spawn(async { timeout(MAKING, reply).await.ok()?.ok() });
                    }
                    Some(Later::Busy) | None => {}
                }
                used += octets;
                deadline = Instant::now() + self.seat.idle();
            }
            input.drain(..used);
            if !output.is_empty() {
                if !self.send(&output).await {
                    return;
                }
                output = Vec::new();
                if transfer.is_none() {
                    continue;
                }
            }
            if let Some(granted) = transfer {
                let sent = tokio::select! {
                    sent = transfer::send(&self.seat, *granted, &mut self.stream) => sent,
                    () = told(&mut self.stop) => false,
                };
                if !sent {
                    return;
                }
                deadline = Instant::now() + self.seat.idle();
                continue;
            }
            if announced(&input).is_some_and(|octets| octets > QUERY_OCTETS_MAX) {
                self.count(Traffic::TcpTooLong);
                return;
            }
            match self.hear(&mut input, &mut made, deadline).await {
                Heard::More => {}
                Heard::Made(reply) => {
                    reply.iter().for_each(|reply| append(reply, &mut output));
                    deadline = Instant::now() + self.seat.idle();
                }
                Heard::End => return,
            }
        }
    }

    /// Reads more, or takes one of the replies that somebody else makes; those keep a client from being idle.
    async fn hear(
        &mut self,
        input: &mut Vec<u8>,
        made: &mut JoinSet<Option<Vec<u8>>>,
        deadline: Instant,
    ) -> Heard {
        input.reserve(512);
        let mut reads = made.len() < MADE_MAX;
        loop {
            tokio::select! {
                read = timeout_at(deadline, self.stream.read_buf(input)), if reads => match read {
                    Ok(Ok(octets)) if octets > 0 => return Heard::More,
                    // It asks for nothing more, and may still read.
                    Ok(Ok(_)) | Err(_) if !made.is_empty() => reads = false,
                    Ok(_) => return Heard::End,
                    Err(_) => {
                        self.count(Traffic::TcpIdle);
                        return Heard::End;
                    }
                },
                Some(reply) = made.join_next() => return Heard::Made(reply.ok().flatten()),
                () = told(&mut self.stop) => return Heard::End,
            }
        }
    }

    /// Sends answers; `false` when the connection ends.
    async fn send(&mut self, output: &[u8]) -> bool {
        // By TLS, what was written is not sent before it is flushed.
        let send = async {
            self.stream.write_all(output).await?;
            self.stream.flush().await
        };
        match timeout(READING, send).await {
            Ok(sent) => sent.is_ok(),
            Err(_) => {
                self.count(Traffic::TcpSlowReader);
                false
            }
        }
    }

    fn count(&self, event: Traffic) {
        self.seat.connections().tally.traffic.count(event);
    }
}

/// Appends `reply`, its length in front.
pub(super) fn append(reply: &[u8], output: &mut Vec<u8>) {
    if let Ok(length) = u16::try_from(reply.len()) {
        output.extend_from_slice(&length.to_be_bytes());
        output.extend_from_slice(reply);
    }
}

/// Octets that the message in front has, by its length.
fn announced(input: &[u8]) -> Option<usize> {
    input.first_chunk::<2>().map(|length| usize::from(u16::from_be_bytes(*length)))
}

/// The message in front, if it is complete, and the octets that it takes with its length.
pub(super) fn next_message(input: &[u8]) -> Option<(&[u8], usize)> {
    let octets = announced(input)?;
    let message = input.get(2..2 + octets).filter(|_| octets <= QUERY_OCTETS_MAX)?;
    Some((message, 2 + octets))
}
