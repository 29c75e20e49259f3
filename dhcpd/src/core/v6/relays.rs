//! Relay agents that a message came through: each has put it into a message of its own.
//!
//! RFC 8415, sections 9 and 19. The way back takes the same messages off again, so each Relay-reply
//! says what its Relay-forward said, and gives back what that relay agent needs to find the way.

use std::net::Ipv6Addr;

use super::message::{RELAY_FORWARD, RELAY_REPLY};
use super::reason::Reason;
use super::wire::{Options, split_address};
use crate::code6;
use crate::view::push_option6;

/// Relay agents on one way at most. RFC 8415 permits 8, RFC 3315 permitted 32.
pub const RELAYS_MAX: usize = 32;

/// What one relay agent has put around a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop<'a> {
    /// Relay agents between it and the client.
    pub hops: u8,
    /// An address of its client's link; unspecified or link-local where it has no other.
    pub link: Ipv6Addr,
    /// Who sent it what it passes on.
    pub peer: Ipv6Addr,
    /// Its options.
    pub options: Options<'a>,
}

impl<'a> Hop<'a> {
    /// Reads a Relay-forward; returns it and the message in it.
    pub(super) fn read(octets: &'a [u8]) -> Result<(Hop<'a>, &'a [u8]), Reason> {
        let [RELAY_FORWARD, hops, rest @ ..] = octets else { return Err(Reason::Short) };
        let (link, rest) = split_address(rest).ok_or(Reason::Short)?;
        let (peer, rest) = split_address(rest).ok_or(Reason::Short)?;
        let options = Options::read(rest)?;
        let message = options.get(code6::RELAY_MESSAGE).ok_or(Reason::NoRelayedMessage)?;
        Ok((Hop { hops: *hops, link, peer, options }, message))
    }

    /// Whether it names the link that the client is at.
    pub(super) fn names_link(&self) -> bool {
        !self.link.is_unspecified() && !self.link.is_unicast_link_local() && !self.link.is_multicast()
    }

    /// Appends the head of the Relay-reply, up to the length of the message in it; returns where that
    /// length stands.
    pub(super) fn open_reply(&self, out: &mut Vec<u8>) -> usize {
        out.extend_from_slice(&[RELAY_REPLY, self.hops]);
        out.extend_from_slice(&self.link.octets());
        out.extend_from_slice(&self.peer.octets());
        for (code, data) in self.options.iter() {
            if self.gets_back(code) {
                push_option6(out, code, data);
            }
        }
        out.extend_from_slice(&code6::RELAY_MESSAGE.to_be_bytes());
        out.extend_from_slice(&[0, 0]);
        out.len() - 2
    }

    /// The interface-id always (RFC 8415, section 19.3), its port (RFC 8357, section 4.2), and what it
    /// asks for (RFC 4994, section 4) but for the message itself.
    fn gets_back(&self, code: u16) -> bool {
        let asked = |code: u16| {
            let asked = self.options.get(code6::ECHO_REQUEST).unwrap_or_default();
            asked.as_chunks().0.iter().any(|pair| u16::from_be_bytes(*pair) == code)
        };
        match code {
            code6::INTERFACE_ID | code6::RELAY_PORT => true,
            code6::RELAY_MESSAGE | code6::ECHO_REQUEST => false,
            other => asked(other),
        }
    }
}
