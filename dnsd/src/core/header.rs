//! What frames a reply: the flags of its header (RFC 1035, section 4.1.1) and its OPT record (RFC 6891,
//! section 6.1).

use super::query::{Edns, Header};

/// Octets of a UDP reply that we send at most, and announce: fits unfragmented through nearly every
/// path (DNS flag day 2020).
pub const UDP_PAYLOAD: u16 = 1232;
/// Octets of an OPT record without options.
pub const OPT_OCTETS: usize = 11;
/// What goes into the header of a reply.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags {
    /// The answer comes from a zone of ours (AA).
    pub(super) authoritative: bool,
    /// Something did not fit (TC).
    pub(super) truncated: bool,
    /// Response code; its high bits go to the OPT record.
    pub(super) rcode: u16,
}

impl Flags {
    #[inline]
    pub(super) fn word(self, header: &Header) -> u16 {
        const OPCODE_RD: u16 = 0x7800 | 0x0100;
        0x8000
            | header.flags & OPCODE_RD
            | if self.authoritative { 0x0400 } else { 0 }
            | if self.truncated { 0x0200 } else { 0 }
            | self.rcode & 15
    }
}

/// An OPT record without options.
#[inline]
pub(super) fn opt(edns: Edns, rcode: u16) -> [u8; OPT_OCTETS] {
    let [size0, size1] = UDP_PAYLOAD.to_be_bytes();
    let [_, extended] = (rcode >> 4).to_be_bytes();
    [0, 0, 41, size0, size1, extended, 0, if edns.dnssec_ok { 0x80 } else { 0 }, 0, 0, 0]
}
