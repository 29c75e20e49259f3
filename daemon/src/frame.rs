//! IPv4 and UDP headers for datagrams that leave by a packet socket.
//!
//! Pure: bytes in, bytes out. RFC 791 (IPv4), RFC 768 (UDP), RFC 1071 (the checksum), RFC 6864 (the
//! identification field means nothing in a packet that must not be fragmented).

use std::net::SocketAddrV4;

/// Bytes of the IPv4 and UDP headers in front of a payload.
pub const UDP_FRAME_OVERHEAD: usize = IPV4_HEADER + UDP_HEADER;

const IPV4_HEADER: usize = 20;
const UDP_HEADER: usize = 8;
const PROTOCOL_UDP: u8 = 17;
const TTL: u8 = 64;
const DONT_FRAGMENT: u16 = 0x4000;

/// Moves the payload at `buffer[..len]` up and writes its headers in front; returns the packet's length.
///
/// `None` when the buffer is too short for [`UDP_FRAME_OVERHEAD`] more bytes, or the packet would be
/// longer than IPv4's 65,535 bytes. The buffer is unchanged then.
pub fn wrap_udp(buffer: &mut [u8], len: usize, from: SocketAddrV4, to: SocketAddrV4) -> Option<usize> {
    let total = len.checked_add(UDP_FRAME_OVERHEAD)?;
    let total_field = u16::try_from(total).ok()?;
    let udp_field = u16::try_from(total - IPV4_HEADER).ok()?;
    let packet = buffer.get_mut(..total)?;
    packet.copy_within(..len, UDP_FRAME_OVERHEAD);
    let (ip, udp) = packet.split_at_mut(IPV4_HEADER);

    ip.fill(0);
    ip[0] = 0x45; // version 4, five words of header
    ip[2..4].copy_from_slice(&total_field.to_be_bytes());
    ip[6..8].copy_from_slice(&DONT_FRAGMENT.to_be_bytes());
    ip[8] = TTL;
    ip[9] = PROTOCOL_UDP;
    ip[12..16].copy_from_slice(&from.ip().octets());
    ip[16..20].copy_from_slice(&to.ip().octets());
    let header_sum = fold(sum(ip));
    ip[10..12].copy_from_slice(&header_sum.to_be_bytes());

    udp[0..2].copy_from_slice(&from.port().to_be_bytes());
    udp[2..4].copy_from_slice(&to.port().to_be_bytes());
    udp[4..6].copy_from_slice(&udp_field.to_be_bytes());
    udp[6..8].fill(0);
    let pseudo = sum(&ip[12..20]) + u64::from(PROTOCOL_UDP) + u64::from(udp_field);
    let udp_sum = match fold(pseudo + sum(udp)) {
        0 => 0xffff, // zero means "no checksum" on the wire, RFC 768
        other => other,
    };
    udp[6..8].copy_from_slice(&udp_sum.to_be_bytes());
    Some(total)
}

/// The Internet checksum of `bytes`, to be written big-endian (RFC 1071). Over data that contains its
/// own correct checksum it is 0.
pub fn checksum(bytes: &[u8]) -> u16 {
    fold(sum(bytes))
}

/// The sum of 16-bit words; an odd last byte counts as the high half of one.
fn sum(bytes: &[u8]) -> u64 {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let words: u64 = pairs.iter().map(|pair| u64::from(u16::from_be_bytes(*pair))).sum();
    words + rest.first().map_or(0, |&last| u64::from(last) << 8)
}

/// One's complement of the sum with its carries added back.
fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    !((sum & 0xffff) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(text: &str) -> SocketAddrV4 {
        text.parse().unwrap()
    }

    fn wrapped(payload: &[u8], source: &str, destination: &str) -> Vec<u8> {
        let mut buffer = vec![0xee; payload.len() + UDP_FRAME_OVERHEAD];
        buffer[..payload.len()].copy_from_slice(payload);
        let total = wrap_udp(&mut buffer, payload.len(), from(source), from(destination)).unwrap();
        assert_eq!(total, buffer.len());
        buffer
    }

    #[test]
    fn the_checksum_is_that_of_rfc_1071() {
        // RFC 1071, section 3: the sum of these words is ddf2.
        assert_eq!(checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
        assert_eq!(checksum(&[0x12]), !0x1200);
        assert_eq!(checksum(&[]), 0xffff);
        assert_eq!(checksum(&[0xff; 131_072]), 0);
    }

    #[test]
    fn a_well_known_ipv4_header_has_the_known_checksum() {
        // The example that Wikipedia's "Internet checksum" works through by hand.
        let header = [
            0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0x00, 0x00, 0xc0, 0xa8, 0x00, 0x01,
            0xc0, 0xa8, 0x00, 0xc7,
        ];
        assert_eq!(checksum(&header), 0xb861);
        // Ours for the same addresses and the same total length of 115 bytes.
        let packet = wrapped(&[0; 0x73 - 28], "192.168.0.1:67", "192.168.0.199:68");
        assert_eq!(packet[..20], [&header[..10], &[0xb8, 0x61], &header[12..]].concat());
    }

    #[test]
    fn a_receiver_that_checks_both_sums_accepts_the_packet() {
        for payload in [&b""[..], b"x", b"odd", b"even", &[0xff; 548]] {
            let packet = wrapped(payload, "10.20.0.1:67", "255.255.255.255:68");
            assert_eq!(checksum(&packet[..20]), 0);
            let mut with_pseudo = packet[12..20].to_vec();
            with_pseudo.extend([0, PROTOCOL_UDP]);
            with_pseudo.extend(&packet[24..26]);
            with_pseudo.extend(&packet[20..]);
            assert_eq!(checksum(&with_pseudo), 0, "{} bytes", payload.len());
            assert_eq!(&packet[28..], payload);
        }
    }

    #[test]
    fn a_checksum_that_comes_out_zero_is_sent_as_all_ones() {
        // Search the one payload word whose sum makes the checksum zero.
        let zero = (0..=u16::MAX)
            .map(|word| wrapped(&word.to_be_bytes(), "10.0.0.1:67", "10.0.0.2:68"))
            .filter(|packet| packet[26..28] == [0xff, 0xff])
            .count();
        assert!(zero >= 1);
        let none = (0..=u16::MAX)
            .map(|word| wrapped(&word.to_be_bytes(), "10.0.0.1:67", "10.0.0.2:68"))
            .filter(|packet| packet[26..28] == [0, 0])
            .count();
        assert_eq!(none, 0);
    }

    #[test]
    fn a_packet_without_room_or_beyond_ipv4_is_refused() {
        let (source, to) = (from("10.0.0.1:67"), from("10.0.0.2:68"));
        assert_eq!(wrap_udp(&mut [7; 30], 3, source, to), None);
        assert_eq!(wrap_udp(&mut vec![0; 70_000], 65_508, source, to), None);
        assert_eq!(wrap_udp(&mut vec![0; 70_000], 65_507, source, to), Some(65_535));
        assert_eq!(wrap_udp(&mut [], usize::MAX, source, to), None);
    }
}
