//! One transfer as a state machine: time and packets go in, what is to be sent comes out.
//!
//! Blocks are counted from 1 without end here and modulo 65,536 on the wire. An acknowledgement of a
//! block that was acknowledged before sends nothing, since every answer to it would be answered in turn
//! for the rest of the transfer (the "sorcerer's apprentice", RFC 1123, section 4.2.3.1). Only with
//! windows (RFC 7440) does it say that the window's first block was lost; it is then heeded once.

use super::negotiate::Terms;
use super::packet::FromClient;

/// Times that something is sent again to a client that has never answered.
const REPEATS_MAX: u32 = 6;
/// The same for one that has.
const REPEATS_MAX_MET: u32 = 9;
/// Times that the wait stays as the client has asked for.
const REPEATS_FIXED: u32 = 3;
/// The wait doubles until it is this long.
const WAIT_MAX_MS: u64 = 8_000;

/// A transfer to one client.
#[derive(Clone, Debug)]
pub struct Transfer {
    terms: Terms,
    size: u64,
    /// Blocks that have arrived.
    acknowledged: u64,
    /// Blocks that were sent.
    sent: u64,
    /// The client has answered: it is where it says that it is.
    met: bool,
    /// A repeated acknowledgement was heeded since the last progress.
    heeded: bool,
    repeats: u32,
    deadline_ms: u64,
    end: Option<End>,
}

/// What is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Send {
    /// The OACK.
    Answer,
    /// A block: number on the wire, first octet in the file, octets.
    Block {
        /// Number on the wire.
        number: u16,
        /// First octet in the file.
        offset: u64,
        /// Octets; fewer than a block in the last one, perhaps none.
        octets: usize,
    },
}

/// How a transfer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All of it has arrived.
    Complete,
    /// The client does not want it (any more): it gave this error code.
    Aborted(u16),
    /// The client stopped answering.
    Silent,
}

impl Transfer {
    /// A transfer of `size` octets under `terms`. Nothing is sent before [`Transfer::start`].
    pub fn new(terms: Terms, size: u64) -> Transfer {
        Transfer {
            terms,
            size,
            acknowledged: 0,
            sent: 0,
            met: false,
            heeded: false,
            repeats: 0,
            deadline_ms: 0,
            end: None,
        }
    }

    /// Its terms.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Sends what comes first: the OACK, or the first block.
    pub fn start(&mut self, now_ms: u64, out: &mut Vec<Send>) {
        if self.terms.has_answer() {
            out.push(Send::Answer);
        } else {
            self.send_window(out);
        }
        self.wait(now_ms);
    }

    /// Takes a packet of the client.
    pub fn packet(&mut self, packet: FromClient, now_ms: u64, out: &mut Vec<Send>) {
        match packet {
            _ if self.end.is_some() => {}
            FromClient::Error(code) => self.end = Some(End::Aborted(code)),
            FromClient::Ack(number) => self.ack(number, now_ms, out),
            FromClient::Other => {}
        }
    }

    /// Sends again what got no answer until now. Call it when the time of [`Transfer::deadline_ms`] has
    /// come; calling it earlier does nothing.
    pub fn time(&mut self, now_ms: u64, out: &mut Vec<Send>) {
        if self.end.is_some() || now_ms < self.deadline_ms {
            return;
        }
        if self.repeats >= if self.met { REPEATS_MAX_MET } else { REPEATS_MAX } {
            self.end = Some(End::Silent);
            return;
        }
        self.repeats += 1;
        self.again(now_ms, out);
    }

    /// When to call [`Transfer::time`]; changes with every call of the others.
    pub fn deadline_ms(&self) -> u64 {
        self.deadline_ms
    }

    /// How it ended, once it has.
    pub fn end(&self) -> Option<End> {
        self.end
    }

    /// Octets that the client has.
    pub fn octets_arrived(&self) -> u64 {
        (self.acknowledged * u64::from(self.terms.block_octets)).min(self.size)
    }

    fn ack(&mut self, number: u16, now_ms: u64, out: &mut Vec<Send>) {
        let forward = number.wrapping_sub(low_bits(self.acknowledged));
        let block = self.acknowledged + u64::from(forward);
        if block > self.sent {
            // Older than what has arrived, or of blocks that were never sent.
            return;
        }
        let first = !self.met;
        self.met = true;
        if forward == 0 {
            if first && self.sent == 0 {
                self.repeats = 0;
                self.send_window(out);
                self.wait(now_ms);
            } else if self.terms.window > 1 && self.sent > self.acknowledged && !self.heeded {
                self.heeded = true;
                self.again(now_ms, out);
            }
            return;
        }
        self.acknowledged = block;
        (self.repeats, self.heeded) = (0, false);
        if self.acknowledged == self.blocks() {
            self.end = Some(End::Complete);
            return;
        }
        // With a window, a number below the last says that the blocks after it are lost.
        self.sent = self.acknowledged;
        self.send_window(out);
        self.wait(now_ms);
    }

    fn again(&mut self, now_ms: u64, out: &mut Vec<Send>) {
        if self.sent == 0 {
            out.push(Send::Answer);
        } else {
            self.sent = self.acknowledged;
            self.send_window(out);
        }
        self.wait(now_ms);
    }

    /// Sends the blocks behind those that have arrived.
    fn send_window(&mut self, out: &mut Vec<Send>) {
        // Whoever did not answer yet may not have asked: one packet is all that it gets.
        let window = if self.met { self.terms.window } else { 1 };
        let last = self.blocks().min(self.acknowledged + u64::from(window));
        let block_octets = u64::from(self.terms.block_octets);
        for block in self.sent + 1..=last {
            let offset = (block - 1) * block_octets;
            let octets = usize::try_from(self.size.saturating_sub(offset).min(block_octets)).unwrap_or(0);
            out.push(Send::Block { number: low_bits(block), offset, octets });
        }
        self.sent = self.sent.max(last);
    }

    fn wait(&mut self, now_ms: u64) {
        // A client whose acknowledgement was lost may pass over the block that comes again, and send its
        // acknowledgement again only when nothing has come for a while (atftp): so the wait grows.
        let fixed = if self.terms.wait_is_fixed { REPEATS_FIXED } else { 0 };
        let doubled = self.terms.wait_ms << self.repeats.saturating_sub(fixed).min(8);
        self.deadline_ms = now_ms + doubled.min(WAIT_MAX_MS.max(self.terms.wait_ms));
    }

    /// Blocks of the file. The last one is shorter than the others, and empty where the size is a multiple.
    fn blocks(&self) -> u64 {
        self.size / u64::from(self.terms.block_octets) + 1
    }
}

#[expect(clippy::cast_possible_truncation, reason = "numbers on the wire go round (see the module)")]
fn low_bits(block: u64) -> u16 {
    block as u16
}
