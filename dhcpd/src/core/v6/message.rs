//! What a datagram to port 547 says: a client's message, and the relay agents around it.
//!
//! RFC 8415, sections 8 and 9. Nested relay messages are read in a loop, so their number is bounded and
//! costs no stack.

use super::reason::Reason;
use super::relays::{Hop, RELAYS_MAX};
use super::wire::Options;
use crate::code6;

/// The types of the messages that are written or told apart by number (RFC 8415, section 7.3).
pub(super) const ADVERTISE: u8 = 2;
pub(super) const REPLY: u8 = 7;
pub(super) const RECONFIGURE: u8 = 10;
pub(super) const RELAY_FORWARD: u8 = 12;
pub(super) const RELAY_REPLY: u8 = 13;

/// Longest DUID: two octets of type and 128 (RFC 8415, section 11.1).
pub const DUID_OCTETS_MAX: usize = 130;

/// A message that can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Relay agents, the nearest to us first.
    pub relays: Vec<Hop<'a>>,
    kind: Kind,
    xid: [u8; 3],
    /// The client's options.
    pub options: Options<'a>,
}

/// The types that clients send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Who is there?
    Solicit,
    /// Give me what you advertised.
    Request,
    /// Am I still on the same link?
    Confirm,
    /// Extend what you gave me.
    Renew,
    /// Extend what somebody gave me.
    Rebind,
    /// I don't need it any more.
    Release,
    /// Somebody else uses it.
    Decline,
    /// I only want options.
    InformationRequest,
    /// A type that only servers send, or one that is not known here.
    Other(u8),
}

impl Kind {
    fn of(number: u8) -> Kind {
        match number {
            1 => Kind::Solicit,
            3 => Kind::Request,
            4 => Kind::Confirm,
            5 => Kind::Renew,
            6 => Kind::Rebind,
            8 => Kind::Release,
            9 => Kind::Decline,
            11 => Kind::InformationRequest,
            other => Kind::Other(other),
        }
    }
}

impl<'a> Message<'a> {
    /// Reads the octets of a datagram; the reason why it is nothing that is answered.
    pub fn read(octets: &'a [u8]) -> Result<Message<'a>, Reason> {
        let (mut relays, mut rest) = (Vec::new(), octets);
        while rest.first() == Some(&RELAY_FORWARD) {
            if relays.len() == RELAYS_MAX {
                return Err(Reason::TooManyRelays);
            }
            let (hop, inner) = Hop::read(rest)?;
            relays.push(hop);
            rest = inner;
        }
        let Some((&[kind, a, b, c], options)) = rest.split_first_chunk() else { return Err(Reason::Short) };
        if kind == RELAY_REPLY {
            return Err(Reason::MessageType);
        }
        Ok(Message { relays, kind: Kind::of(kind), xid: [a, b, c], options: Options::read(options)? })
    }

    /// Its type.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Number of the exchange, chosen by the client.
    pub fn xid(&self) -> [u8; 3] {
        self.xid
    }

    /// The client's DUID.
    pub fn duid(&self) -> Result<Option<&'a [u8]>, Reason> {
        match self.options.get(code6::CLIENT_ID) {
            Some(duid) if !(3..=DUID_OCTETS_MAX).contains(&duid.len()) => Err(Reason::BadOption),
            duid => Ok(duid),
        }
    }

    /// The relay agent next to the client.
    pub(super) fn nearest_relay(&self) -> Option<&Hop<'a>> {
        self.relays.last()
    }
}
