//! Frames of IPv6: what DHCPv6 needs, UDP and the question where an address is.

use std::net::{Ipv6Addr, SocketAddrV6};

const IPV6: [u8; 2] = [0x86, 0xdd];
const HEADER: usize = 40;
const UDP: u8 = 17;
const ICMP: u8 = 58;
const NEIGHBOUR_SOLICITATION: u8 = 135;
const NEIGHBOUR_ADVERTISEMENT: u8 = 136;

/// A datagram on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram6<'a> {
    /// Hardware address that it is for.
    pub mac: [u8; 6],
    /// Where it comes from.
    pub from: SocketAddrV6,
    /// Where it goes.
    pub to: SocketAddrV6,
    /// What it carries.
    pub payload: &'a [u8],
}

/// The frame of a datagram from the machine `source`. `mac` is whom it is for; `None`: the group that the
/// address is of.
pub fn udp6_frame(
    source: [u8; 6],
    mac: Option<[u8; 6]>,
    from: SocketAddrV6,
    to: SocketAddrV6,
    payload: &[u8],
) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 8).unwrap_or(u16::MAX).to_be_bytes();
    let mut udp =
        [&from.port().to_be_bytes()[..], &to.port().to_be_bytes(), &length, &[0, 0], payload].concat();
    let sum = checksum(*from.ip(), *to.ip(), UDP, &udp);
    // RFC 8200, section 8.1.
    let sum = if sum == [0, 0] { [0xff, 0xff] } else { sum };
    udp[6..8].copy_from_slice(&sum);
    frame(source, mac.unwrap_or_else(|| group(*to.ip())), (*from.ip(), *to.ip()), UDP, &udp)
}

/// The datagram in a frame, if there is one.
pub fn read_udp6(frame: &[u8]) -> Option<Datagram6<'_>> {
    let (mac, from, to, udp) = packet(frame, UDP)?;
    let number = |at: usize| Some(u16::from_be_bytes(*udp.get(at..)?.first_chunk::<2>()?));
    Some(Datagram6 {
        mac,
        from: SocketAddrV6::new(from, number(0)?, 0, 0),
        to: SocketAddrV6::new(to, number(2)?, 0, 0),
        payload: udp.get(8..usize::from(number(4)?))?,
    })
}

/// The question of a machine where the address `wanted` is (RFC 4861, section 7.2.2). Whoever hears it knows
/// from then on where the machine is.
pub fn ask_neighbour(mac: [u8; 6], from: Ipv6Addr, wanted: Ipv6Addr) -> Vec<u8> {
    let [.., a, b, c] = wanted.octets();
    let [high, low] = [u16::from_be_bytes([0xff, a]), u16::from_be_bytes([b, c])];
    let everybody = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, high, low);
    let head = [NEIGHBOUR_SOLICITATION, 0, 0, 0, 0, 0, 0, 0];
    let mut question = [&head[..], &wanted.octets(), &[1, 1], &mac].concat();
    let sum = checksum(from, everybody, ICMP, &question);
    question[2..4].copy_from_slice(&sum);
    frame(mac, group(everybody), (from, everybody), ICMP, &question)
}

/// The answer of a machine `mac` that has every address, if the frame asks for one (RFC 4861, section
/// 7.2.3). Who looks for duplicates of its own (RFC 4862) gets none.
pub fn answer_neighbour(question: &[u8], mac: [u8; 6]) -> Option<Vec<u8>> {
    let asker = *question.get(6..)?.first_chunk::<6>()?;
    let (_, from, _, message) = packet(question, ICMP)?;
    let wanted = Ipv6Addr::from(*message.get(8..)?.first_chunk::<16>()?);
    if message.first() != Some(&NEIGHBOUR_SOLICITATION) || from.is_unspecified() {
        return None;
    }
    let head = [NEIGHBOUR_ADVERTISEMENT, 0, 0, 0, 0x60, 0, 0, 0];
    let mut answer = [&head[..], &wanted.octets(), &[2, 1], &mac].concat();
    let sum = checksum(wanted, from, ICMP, &answer);
    answer[2..4].copy_from_slice(&sum);
    Some(frame(mac, asker, (wanted, from), ICMP, &answer))
}

fn frame(
    source: [u8; 6],
    mac: [u8; 6],
    (from, to): (Ipv6Addr, Ipv6Addr),
    next: u8,
    payload: &[u8],
) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap_or(u16::MAX).to_be_bytes();
    let head = [0x60, 0, 0, 0, length[0], length[1], next, 255];
    [&mac[..], &source, &IPV6, &head, &from.octets(), &to.octets(), payload].concat()
}

/// Hardware address of a frame for this group, or for everybody where it is none.
fn group(address: Ipv6Addr) -> [u8; 6] {
    let [.., a, b, c, d] = address.octets();
    if address.is_multicast() { [0x33, 0x33, a, b, c, d] } else { [0xff; 6] }
}

/// Hardware address, source, destination and payload of a packet that carries `next`.
fn packet(frame: &[u8], next: u8) -> Option<([u8; 6], Ipv6Addr, Ipv6Addr, &[u8])> {
    let packet = frame.get(12..)?.strip_prefix(&IPV6)?;
    let address = |at: usize| Some(Ipv6Addr::from(*packet.get(at..)?.first_chunk::<16>()?));
    let length = u16::from_be_bytes(*packet.get(4..)?.first_chunk()?);
    let payload = packet.get(HEADER..)?.get(..usize::from(length))?;
    (packet.get(6) == Some(&next)).then_some((*frame.first_chunk()?, address(8)?, address(24)?, payload))
}

/// Over the packet and what stands for its header (RFC 8200, section 8.1).
fn checksum(from: Ipv6Addr, to: Ipv6Addr, next: u8, payload: &[u8]) -> [u8; 2] {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes();
    let octets = [&from.octets()[..], &to.octets(), &length, &[0, 0, 0, next], payload].concat();
    let sum = octets
        .chunks(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)])));
    let mut sum: u32 = sum.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let folded = u16::try_from(sum).unwrap_or(u16::MAX);
    (!folded).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_is_read_back_from_its_frame_and_its_checksum_adds_up() {
        let (from, to): (SocketAddrV6, SocketAddrV6) =
            ("[fe80::2]:546".parse().unwrap(), "[ff02::1:2]:547".parse().unwrap());
        let frame = udp6_frame([2; 6], None, from, to, b"hello");
        assert_eq!(frame[..6], [0x33, 0x33, 0, 1, 0, 2]);
        let datagram = read_udp6(&frame).unwrap();
        assert_eq!((datagram.from, datagram.to, datagram.payload), (from, to, &b"hello"[..]));
        assert_eq!(checksum(*from.ip(), *to.ip(), UDP, &frame[54..]), [0, 0], "over itself");
        for len in 0..frame.len() {
            assert_eq!(read_udp6(&frame[..len]), None);
        }
    }

    #[test]
    fn a_question_where_an_address_is_gets_an_answer_and_a_probe_gets_none() {
        let wanted: Ipv6Addr = "fe80::9".parse().unwrap();
        let question = |from: &str| ask_neighbour([2; 6], from.parse().unwrap(), wanted);
        let (_, from, to, message) =
            packet(&question("fe80::1"), ICMP).map(|it| (it.0, it.1, it.2, it.3.to_vec())).unwrap();
        assert_eq!(to, "ff02::1:ff00:9".parse::<Ipv6Addr>().unwrap());
        assert_eq!(checksum(from, to, ICMP, &message), [0, 0]);
        let answer = answer_neighbour(&question("fe80::1"), [8; 6]).unwrap();
        assert_eq!((&answer[..6], &answer[6..12]), (&[2; 6][..], &[8; 6][..]));
        assert_eq!(checksum(wanted, "fe80::1".parse().unwrap(), ICMP, &answer[54..]), [0, 0]);
        assert_eq!(answer_neighbour(&question("::"), [8; 6]), None);
    }
}
