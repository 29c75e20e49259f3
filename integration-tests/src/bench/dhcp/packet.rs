//! Messages of clients as their relay agents pass them on, and the check of a reply. Octets are written in place:
//! a load must be quicker than the server.

use std::net::Ipv4Addr;

/// What a client wants to know: mask, routers, name servers, host name, domain, lease.
const WANTED: [u8; 6] = [1, 3, 6, 12, 15, 51];
const COOKIE: [u8; 4] = [99, 130, 83, 99];
/// Octets in front of the options.
const FIXED: usize = 240;

/// DHCPOFFER.
pub const OFFER: u8 = 2;
/// DHCPACK.
pub const ACK: u8 = 5;

/// What is said by a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Say {
    /// DHCPDISCOVER.
    Discover,
    /// DHCPREQUEST for this address of this server.
    Request(Ipv4Addr, Ipv4Addr),
}

/// Writes a client's message as the agent at `giaddr` passes it on; returns its octets.
///
/// # Panics
/// `out` has less than 300 octets.
pub fn write(say: Say, xid: u32, mac: [u8; 6], giaddr: Ipv4Addr, out: &mut [u8]) -> usize {
    out[..FIXED].fill(0);
    out[..4].copy_from_slice(&[1, 1, 6, 1]);
    out[4..8].copy_from_slice(&xid.to_be_bytes());
    out[24..28].copy_from_slice(&giaddr.octets());
    out[28..34].copy_from_slice(&mac);
    out[236..FIXED].copy_from_slice(&COOKIE);
    let mut at = FIXED;
    let mut option = |code: u8, data: &[u8]| {
        out[at] = code;
        out[at + 1] = u8::try_from(data.len()).unwrap();
        out[at + 2..at + 2 + data.len()].copy_from_slice(data);
        at += 2 + data.len();
    };
    match say {
        Say::Discover => option(53, &[1]),
        Say::Request(address, server) => {
            option(53, &[3]);
            option(50, &address.octets());
            option(54, &server.octets());
        }
    }
    option(61, &[&[1][..], &mac].concat());
    option(55, &WANTED);
    out[at] = 255;
    // BOOTP's least (RFC 1542, section 2.1), which clients still fill up to.
    out[at + 1..at.max(299) + 1].fill(0);
    (at + 1).max(300)
}

/// A reply, as far as a client looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Number of the exchange.
    pub xid: u32,
    /// Type of the message.
    pub kind: u8,
    /// The address that is given.
    pub address: Ipv4Addr,
    /// Who gives it.
    pub server: Ipv4Addr,
    /// Hardware address of the client.
    pub mac: [u8; 6],
}

/// Reads a reply; `None` unless it has a lease, a mask and whom it is from, and goes to a relay agent.
pub fn read(octets: &[u8]) -> Option<Reply> {
    let fixed: &[u8; FIXED] = octets.first_chunk()?;
    if fixed[0] != 2 || fixed[236..] != COOKIE || fixed[24..28] == [0; 4] {
        return None;
    }
    let four = |at: usize| -> [u8; 4] { [fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]] };
    let (mut kind, mut server, mut lease, mut mask) = (None, None, false, false);
    let mut rest = &octets[FIXED..];
    while let [code, tail @ ..] = rest {
        let (length, tail) = match code {
            255 => break,
            0 => {
                rest = tail;
                continue;
            }
            _ => tail.split_first()?,
        };
        let (data, after) = tail.split_at_checked(usize::from(*length))?;
        match code {
            53 => kind = data.first().copied(),
            54 => server = data.first_chunk::<4>().map(|octets| Ipv4Addr::from(*octets)),
            51 => lease = data.len() == 4,
            1 => mask = data.len() == 4,
            _ => {}
        }
        rest = after;
    }
    let mac = *fixed[28..].first_chunk()?;
    (lease && mask).then_some(())?;
    Some(Reply {
        xid: u32::from_be_bytes(four(4)),
        kind: kind?,
        address: four(16).into(),
        server: server?,
        mac,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;

    #[test]
    fn messages_are_what_another_reader_says() {
        let mut out = [9; 400];
        let (giaddr, server) = (Ipv4Addr::new(10, 1, 255, 254), Ipv4Addr::new(10, 0, 255, 253));
        let wanted = Ipv4Addr::new(10, 1, 2, 3);
        for (say, kind) in [(Say::Discover, 1), (Say::Request(wanted, server), 3)] {
            let length = write(say, 7, [2, 0, 0, 0, 0, 9], giaddr, &mut out);
            let message = Message::read_request(&out[..length]).unwrap();
            assert_eq!((message.kind(), message.xid(), message.mac()), (kind, 7, [2, 0, 0, 0, 0, 9]));
            assert_eq!(message.at::<4>(24), giaddr.octets());
            assert!(length >= 300 && read(&out[..length]).is_none());
        }
    }

    #[test]
    fn a_reply_is_read_if_it_is_whole() {
        let mut octets = vec![0; FIXED];
        octets[..8].copy_from_slice(&[2, 1, 6, 0, 0, 0, 0, 7]);
        octets[16..20].copy_from_slice(&[10, 0, 0, 9]);
        octets[24..28].copy_from_slice(&[10, 0, 255, 254]);
        octets[236..].copy_from_slice(&COOKIE);
        octets.extend([53, 1, ACK, 54, 4, 10, 0, 255, 253, 51, 4, 0, 0, 14, 16, 1, 4, 255, 255, 0, 0, 255]);
        let reply = read(&octets).unwrap();
        assert_eq!((reply.kind, reply.xid, reply.address), (ACK, 7, Ipv4Addr::new(10, 0, 0, 9)));
        for cut in 0..octets.len() - 1 {
            assert_eq!(read(&octets[..cut]), None, "{cut}");
        }
    }
}
