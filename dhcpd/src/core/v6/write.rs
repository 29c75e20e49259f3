//! A reply's octets: the relay agents' messages around it, then options one after the other as long as
//! they fit.

use super::message::Message;
use crate::view::push_option6;

/// Octets that IPv6 and UDP headers take.
const HEADERS: usize = 48;
/// Longest packet: what every Ethernet passes on.
const PACKET_MAX: u32 = 1500;
/// Packet that every link passes on (RFC 8200, section 5).
const PACKET_MIN: u32 = 1280;

/// Writes one reply at the end of a buffer.
pub(super) struct Writer<'o> {
    out: &'o mut Vec<u8>,
    start: usize,
    /// Where the message to the client begins.
    inner: usize,
    limit: usize,
    /// Where the lengths of the messages within messages stand.
    lengths: Vec<usize>,
}

impl<'o> Writer<'o> {
    /// Starts the reply of type `kind` to `message`, for packets of `mtu`.
    pub(super) fn new(out: &'o mut Vec<u8>, message: &Message<'_>, kind: u8, mtu: u32) -> Writer<'o> {
        let [a, b, c] = message.xid();
        Writer::begin(out, message, [kind, a, b, c], mtu)
    }

    /// Starts a message that the client of `message` has not asked for.
    pub(super) fn unasked(out: &'o mut Vec<u8>, message: &Message<'_>, kind: u8, mtu: u32) -> Writer<'o> {
        Writer::begin(out, message, [kind, 0, 0, 0], mtu)
    }

    fn begin(out: &'o mut Vec<u8>, message: &Message<'_>, head: [u8; 4], mtu: u32) -> Writer<'o> {
        let start = out.len();
        let packet = mtu.clamp(PACKET_MIN, PACKET_MAX);
        let limit = start + usize::try_from(packet).unwrap_or(0).saturating_sub(HEADERS);
        let lengths = message.relays.iter().map(|hop| hop.open_reply(out)).collect();
        let inner = out.len();
        out.extend_from_slice(&head);
        Writer { out, start, inner, limit, lengths }
    }

    /// Appends options that are encoded already. False, and nothing appended, if they don't fit.
    pub(super) fn encoded(&mut self, octets: &[u8]) -> bool {
        let fits = self.out.len() + octets.len() <= self.limit;
        if fits {
            self.out.extend_from_slice(octets);
        }
        fits
    }

    /// Appends an option. False, and nothing appended, if it does not fit.
    pub(super) fn option(&mut self, code: u16, data: &[u8]) -> bool {
        let fits = self.out.len() + data.len() + 4 <= self.limit;
        if fits {
            push_option6(self.out, code, data);
        }
        fits
    }

    /// The message to the client, without what relay agents take off.
    pub(super) fn message(&mut self) -> &mut [u8] {
        self.out.get_mut(self.inner..).unwrap_or_default()
    }

    /// Ends the reply.
    pub(super) fn finish(self) {
        let end = self.out.len();
        for at in self.lengths {
            let length = u16::try_from(end - at - 2).unwrap_or(u16::MAX);
            if let Some(field) = self.out.get_mut(at..at + 2) {
                field.copy_from_slice(&length.to_be_bytes());
            }
        }
    }

    /// Takes the reply back.
    pub(super) fn abandon(self) {
        self.out.truncate(self.start);
    }
}
