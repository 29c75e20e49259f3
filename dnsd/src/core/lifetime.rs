//! How long a reply holds.

use super::query::{HEADER_OCTETS, Header, name_octets};

/// Seconds for which all records of a reply's answer and authority sections hold (RFC 8484, section 5.1); 0 if
/// there are none, or it cannot be read.
pub fn lifetime(reply: &[u8]) -> u32 {
    read(reply).unwrap_or(0)
}

fn read(reply: &[u8]) -> Option<u32> {
    let [questions, answers, authority, _] = Header::read(reply)?.counts;
    let mut rest = reply.get(HEADER_OCTETS..)?;
    for _ in 0..questions {
        rest = rest.get(name_octets(rest)? + 4..)?;
    }
    let mut shortest = None;
    for _ in 0..u32::from(answers) + u32::from(authority) {
        let (&[_, _, _, _, t0, t1, t2, t3, l0, l1], data) =
            rest.get(name_octets(rest)?..)?.split_first_chunk::<10>()?;
        rest = data.get(u16::from_be_bytes([l0, l1]).into()..)?;
        let ttl = u32::from_be_bytes([t0, t1, t2, t3]);
        shortest = Some(shortest.unwrap_or(ttl).min(ttl));
    }
    shortest
}
