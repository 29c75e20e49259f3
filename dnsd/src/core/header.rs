//! What frames a reply: the flags of its header (RFC 1035, section 4.1.1) and its OPT record (RFC 6891,
//! section 6.1).

use std::fmt;

use super::identity::{NSID_OCTETS_MAX, option};
use super::query::{Edns, Header};

/// Octets of a UDP reply that we send at most, and announce: fits unfragmented through nearly every
/// path (DNS flag day 2020).
pub const UDP_PAYLOAD: u16 = 1232;
/// Octets of an OPT record without options.
pub const OPT_OCTETS: usize = 11;
/// Octets of options that a reply has at most: a cookie, a server's name, an extended error.
const OPTIONS_MAX: usize = 28 + 4 + NSID_OCTETS_MAX + 6;

/// Padded replies have a multiple of so many octets.
const PADDING_BLOCK: usize = 468;
/// Octets of a reply that is padded, at most.
const PADDED_OCTETS_MAX: usize = 16 << 10;

/// Options of an OPT record, in wire form.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Options {
    octets: [u8; OPTIONS_MAX],
    length: u8,
}

/// What goes into the header of a reply.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags {
    /// The answer comes from a zone of ours (AA).
    pub(super) authoritative: bool,
    /// Names are looked up elsewhere for the client (RA).
    pub(super) recursive: bool,
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
            | if self.recursive { 0x0080 } else { 0 }
            | self.rcode & 15
    }
}

impl Default for Options {
    #[inline]
    fn default() -> Options {
        Options { octets: [0; OPTIONS_MAX], length: 0 }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.as_octets()).finish()
    }
}

impl Options {
    /// Wire form.
    #[inline]
    pub(super) fn as_octets(&self) -> &[u8] {
        self.octets.get(..usize::from(self.length)).unwrap_or(&[])
    }

    /// Adds an option, if there is room for it.
    pub(super) fn push(&mut self, code: u16, parts: &[&[u8]]) {
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        let start = usize::from(self.length);
        let end = start + 4 + length;
        let Some(place) = self.octets.get_mut(start..end) else { return };
        let [[c0, c1], [l0, l1]] = [code, u16::try_from(length).unwrap_or(0)].map(u16::to_be_bytes);
        let data = parts.iter().flat_map(|part| part.iter().copied());
        for (to, from) in place.iter_mut().zip([c0, c1, l0, l1].into_iter().chain(data)) {
            *to = from;
        }
        self.length = u8::try_from(end).unwrap_or(u8::MAX);
    }
}

/// Writes an OPT record with its options at `at`, and returns where it ends; `None`, and nothing is written, if
/// there is no room for it.
#[inline]
pub(super) fn write_opt(edns: &Edns, rcode: u16, at: usize, out: &mut [u8]) -> Option<usize> {
    let options = edns.reply.as_octets();
    let end = at + OPT_OCTETS + options.len();
    let padding = if edns.padding { padding_after(end) } else { 0 };
    let place = out.get_mut(at..end + padding)?;
    let (head, tail) = place.split_at_mut_checked(OPT_OCTETS)?;
    let (tail, pad) = tail.split_at_mut_checked(options.len())?;
    let [size0, size1] = UDP_PAYLOAD.to_be_bytes();
    let [_, extended] = (rcode >> 4).to_be_bytes();
    let [l0, l1] = u16::try_from(options.len() + padding).unwrap_or(0).to_be_bytes();
    let flags = if edns.dnssec_ok { 0x80 } else { 0 };
    head.copy_from_slice(&[0, 0, 41, size0, size1, extended, 0, flags, 0, l0, l1]);
    tail.copy_from_slice(options);
    if let Some((header, zeros)) = pad.split_first_chunk_mut::<4>() {
        let ([c0, c1], [l0, l1]) =
            (option::PADDING.to_be_bytes(), u16::try_from(zeros.len()).unwrap_or(0).to_be_bytes());
        *header = [c0, c1, l0, l1];
        zeros.fill(0);
    }
    Some(end + padding)
}

/// Octets of a padding option that makes a message of `octets` one of a few sizes (RFC 8467, section 4.1); 0 for
/// a long one, of which nobody learns anything by its size.
pub fn padding_after(octets: usize) -> usize {
    if octets > PADDED_OCTETS_MAX { 0 } else { (octets + 4).next_multiple_of(PADDING_BLOCK) - octets }
}
