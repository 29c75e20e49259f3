//! A reply's octets: fixed fields, options one after the other as long as they fit, what is echoed.
//!
//! RFC 2131, section 4.3.1, table 3, says what the fields hold. The client identifier is echoed (RFC
//! 6842), the relay agent's information too, and last (RFC 3046, section 2.2): their room is kept free
//! from the beginning.

use std::borrow::Cow;
use std::net::Ipv4Addr;

use super::packet::{FIXED_OCTETS, Kind, Message};
use crate::code;
use crate::view::{encoded_len, push_option};

/// Octets that IP and UDP headers take.
pub(super) const HEADERS: usize = 28;
/// Longest IP packet for any client: what every Ethernet and every relay agent on the way passes on.
const PACKET_MAX: u16 = 1500;
/// IP packet that every client takes (RFC 2131, section 2).
const PACKET_MIN: u16 = 576;
/// Shortest message: some BOOTP relay agents and clients drop less (RFC 1542, section 2.1).
const OCTETS_MIN: usize = 300;
/// The fields `sname` and `file`.
const SNAME_AT: usize = 44;
const SNAME_OCTETS: usize = 64;
const FILE_AT: usize = 108;
const FILE_OCTETS: usize = 128;
const BOOTREPLY: u8 = 2;
const BROADCAST: u16 = 0x8000;

/// Writes one reply at the end of a buffer.
pub(super) struct Writer<'o, 'a> {
    out: &'o mut Vec<u8>,
    start: usize,
    /// Where the options before the echoed ones must end.
    limit: usize,
    client_id: Option<Cow<'a, [u8]>>,
    relay: Option<Cow<'a, [u8]>>,
}

/// Octets for options in the fields that are free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FieldRoom {
    pub(super) file: usize,
    pub(super) sname: usize,
}

/// The fixed fields that differ between replies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields {
    /// The client's address as it says itself.
    pub(super) ciaddr: Ipv4Addr,
    /// The address that it is given.
    pub(super) yiaddr: Ipv4Addr,
    /// Where the next stage of a boot is loaded from.
    pub(super) siaddr: Ipv4Addr,
    /// Set the broadcast flag, whatever the client says: for the relay agent.
    pub(super) broadcast: bool,
}

/// Longest reply in octets that the client takes and that fits into one packet of `mtu`.
///
/// Option 57 counts the IP packet for some clients (udhcpc) and its payload for others (OVMF); the
/// shorter meaning is safe. A BOOTP client takes 64 octets of vendor information (RFC 951). What a client claims beyond the MTU does not count, as OVMF's 65,280.
pub(super) fn octets_max(message: &Message<'_>, mtu: u32) -> usize {
    if message.kind() == Kind::Bootp {
        return OCTETS_MIN;
    }
    let claimed = message.options.fixed::<2>(code::MAX_MESSAGE_SIZE).ok().flatten();
    let claimed = claimed.map_or(PACKET_MIN, u16::from_be_bytes).max(PACKET_MIN);
    let mtu = u16::try_from(mtu).unwrap_or(u16::MAX).max(PACKET_MIN);
    usize::from(claimed.min(mtu).min(PACKET_MAX)) - HEADERS
}

impl<'o, 'a> Writer<'o, 'a> {
    /// Starts the reply to `message`, of at most `max` octets.
    pub(super) fn new(
        out: &'o mut Vec<u8>,
        message: &Message<'a>,
        fields: Fields,
        max: usize,
    ) -> Writer<'o, 'a> {
        let start = out.len();
        let (htype, hlen, chaddr) = message.hardware();
        let flags = message.flags() | if fields.broadcast { BROADCAST } else { 0 };
        out.extend_from_slice(&[BOOTREPLY, htype, hlen, 0]);
        out.extend_from_slice(&message.xid().to_be_bytes());
        out.extend_from_slice(&[0, 0]); // secs
        out.extend_from_slice(&flags.to_be_bytes());
        out.extend_from_slice(&fields.ciaddr.octets());
        out.extend_from_slice(&fields.yiaddr.octets());
        out.extend_from_slice(&fields.siaddr.octets());
        out.extend_from_slice(&message.giaddr().octets());
        out.extend_from_slice(chaddr);
        out.resize(start + FIXED_OCTETS - 4, 0); // sname, file
        out.extend_from_slice(&[99, 130, 83, 99]);
        let client_id = message.options.get(code::CLIENT_ID);
        let relay = message.options.get(code::RELAY_AGENT);
        let echoed: usize =
            [&client_id, &relay].into_iter().flatten().map(|data| encoded_len(data.len())).sum();
        let limit = start + max.saturating_sub(echoed + 1);
        Writer { out, start, limit, client_id, relay }
    }

    /// Puts a boot file's name into its field, if it fits there with an end (RFC 2131, section 2).
    pub(super) fn file(&mut self, name: &str) {
        let at = self.start + FILE_AT;
        if let Some(field) = self.out.get_mut(at..at + name.len())
            && name.len() < FILE_OCTETS
        {
            field.copy_from_slice(name.as_bytes());
        }
    }

    /// How many octets of options the fields `file` and `sname` take, besides their end.
    pub(super) fn field_room(&self) -> FieldRoom {
        let file = self.start + FILE_AT;
        let is_free = self.out.get(file).is_some_and(|octet| *octet == 0);
        FieldRoom { file: if is_free { FILE_OCTETS - 1 } else { 0 }, sname: SNAME_OCTETS - 1 }
    }

    /// Puts options into the fields `file` and `sname`, and says so (option 52, RFC 2132, section 9.3).
    pub(super) fn overload(&mut self, file: &[u8], sname: &[u8]) {
        let mut which = 0;
        for (bit, at, octets) in [(1, FILE_AT, file), (2, SNAME_AT, sname)] {
            let at = self.start + at;
            if !octets.is_empty()
                && let Some(field) = self.out.get_mut(at..=at + octets.len())
                && let Some((end, field)) = field.split_last_mut()
            {
                field.copy_from_slice(octets);
                *end = code::END;
                which |= bit;
            }
        }
        if which != 0 {
            self.encoded(&[code::OVERLOAD, 1, which]);
        }
    }

    /// Octets that are left before the echoed options.
    pub(super) fn room(&self) -> usize {
        self.limit.saturating_sub(self.out.len())
    }

    /// Where the next option goes, for [`Writer::rewind`].
    pub(super) fn mark(&self) -> usize {
        self.out.len()
    }

    /// Forgets what was written since `mark`.
    pub(super) fn rewind(&mut self, mark: usize) {
        self.out.truncate(mark);
    }

    /// Appends options that are encoded already. False, and nothing appended, if they don't fit.
    #[inline]
    pub(super) fn encoded(&mut self, octets: &[u8]) -> bool {
        let fits = octets.len() <= self.room();
        if fits {
            self.out.extend_from_slice(octets);
        }
        fits
    }

    /// Appends an option. False, and nothing appended, if it does not fit.
    #[inline]
    pub(super) fn option(&mut self, code: u8, data: &[u8]) -> bool {
        let fits = encoded_len(data.len()) <= self.room();
        if fits {
            push_option(self.out, code, data);
        }
        fits
    }

    /// Ends the reply.
    pub(super) fn finish(self) {
        let echoed = [(code::CLIENT_ID, self.client_id), (code::RELAY_AGENT, self.relay)];
        for (code, data) in echoed {
            if let Some(data) = data {
                push_option(self.out, code, &data);
            }
        }
        self.out.push(code::END);
        if self.out.len() < self.start + OCTETS_MIN {
            self.out.resize(self.start + OCTETS_MIN, code::PAD);
        }
    }

    /// Takes the reply back.
    pub(super) fn abandon(self) {
        self.out.truncate(self.start);
    }
}
