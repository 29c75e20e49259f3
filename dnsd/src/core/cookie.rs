//! DNS cookies (RFC 7873, in the interoperable form of RFC 9018): who shows one back has the address that
//! it claims to have.
//!
//! A client sends eight octets of its own; the reply adds sixteen that only we can make for that client
//! and address. They say when they were made, so nothing is kept. A wrong or old one is no error: the
//! reply has a new one, and the client is only as trusted as one without.

use std::hash::Hasher;
use std::net::IpAddr;

use siphasher::sip::SipHasher24;

use super::serial::UnixSeconds;

/// Octets of a client's cookie.
pub const CLIENT_OCTETS: usize = 8;
/// Octets of ours.
pub const SERVER_OCTETS: usize = 16;
/// Seconds that a cookie holds (RFC 9018, section 4.3).
const LIFE: u32 = 3600;
/// Seconds that one may come from the future, from a server beside us.
const AHEAD: u32 = 300;

/// What a client sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cookie {
    /// Its own part.
    pub client: [u8; CLIENT_OCTETS],
    /// What it got from us.
    pub server: Shown,
}

/// A server's part of a cookie, as a client shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// It has none yet.
    Nothing,
    /// Of a length that ours do not have.
    Other,
    /// Perhaps one of ours.
    Octets([u8; SERVER_OCTETS]),
}

/// What our cookies are made with.
#[derive(Clone)]
pub struct CookieSecret([u8; 16]);

impl std::fmt::Debug for CookieSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CookieSecret")
    }
}

impl Cookie {
    /// Reads the data of a COOKIE option; `None` if its length is none (RFC 7873, section 5.2.2).
    pub fn read(data: &[u8]) -> Option<Cookie> {
        let (client, rest) = data.split_first_chunk::<CLIENT_OCTETS>()?;
        let known = rest.is_empty() || (8..=32).contains(&rest.len());
        let server = match <[u8; SERVER_OCTETS]>::try_from(rest) {
            Ok(octets) => Shown::Octets(octets),
            Err(_) if rest.is_empty() => Shown::Nothing,
            Err(_) => Shown::Other,
        };
        known.then_some(Cookie { client: *client, server })
    }
}

impl CookieSecret {
    /// Cookies made with `secret`.
    pub fn new(secret: [u8; 16]) -> CookieSecret {
        CookieSecret(secret)
    }

    /// Our cookie for this client.
    pub fn make(&self, client: [u8; CLIENT_OCTETS], peer: IpAddr, now: UnixSeconds) -> [u8; SERVER_OCTETS] {
        self.at(client, peer, now.low_half())
    }

    /// Whether we made the cookie, for that client, not long ago.
    pub fn holds(&self, cookie: &Cookie, peer: IpAddr, now: UnixSeconds) -> bool {
        let Shown::Octets(server) = cookie.server else { return false };
        let [1, _, _, _, a, b, c, d, ..] = server else { return false };
        let made = u32::from_be_bytes([a, b, c, d]);
        let age = now.low_half().wrapping_sub(made);
        (age <= LIFE || age.wrapping_neg() <= AHEAD) && self.at(cookie.client, peer, made) == server
    }

    fn at(&self, client: [u8; CLIENT_OCTETS], peer: IpAddr, made: u32) -> [u8; SERVER_OCTETS] {
        let mut server = [0; SERVER_OCTETS];
        let (head, tail) = server.split_at_mut(8);
        let [a, b, c, d] = made.to_be_bytes();
        head.copy_from_slice(&[1, 0, 0, 0, a, b, c, d]);
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write(&client);
        hasher.write(head);
        match peer.to_canonical() {
            IpAddr::V4(v4) => hasher.write(&v4.octets()),
            IpAddr::V6(v6) => hasher.write(&v6.octets()),
        }
        tail.copy_from_slice(&hasher.finish().to_le_bytes());
        server
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: [u8; 8] = [0x24, 0x64, 0xc4, 0xab, 0xcf, 0x10, 0xc9, 0x57];
    const SECRET: [u8; 16] =
        [0xe5, 0xe9, 0x73, 0xe5, 0xa6, 0xb2, 0xa4, 0x3f, 0x48, 0xe7, 0xdc, 0x84, 0x9e, 0x37, 0xbf, 0xcf];

    #[test]
    fn cookies_are_those_of_rfc_9018() {
        // Appendix A.1.
        let secret = CookieSecret::new(SECRET);
        let peer: IpAddr = "198.51.100.100".parse().unwrap();
        let made = secret.make(CLIENT, peer, UnixSeconds(1_559_731_985));
        let wanted =
            [0x01, 0x00, 0x00, 0x00, 0x5c, 0xf7, 0x9f, 0x11, 0x1f, 0x81, 0x30, 0xc3, 0xee, 0xe2, 0x94, 0x80];
        assert_eq!(made, wanted);
    }

    #[test]
    fn a_cookie_holds_for_its_client_and_address_for_an_hour() {
        let secret = CookieSecret::new(SECRET);
        let peer: IpAddr = "2001:db8::1".parse().unwrap();
        let now = UnixSeconds(1_800_000_000);
        let cookie = Cookie { client: CLIENT, server: Shown::Octets(secret.make(CLIENT, peer, now)) };
        for (later, holds) in [(0, true), (3600, true), (3601, false), (1 << 20, false)] {
            assert_eq!(secret.holds(&cookie, peer, UnixSeconds(now.0 + later)), holds, "{later}");
        }
        assert!(secret.holds(&cookie, peer, UnixSeconds(now.0 - 300)));
        assert!(!secret.holds(&cookie, peer, UnixSeconds(now.0 - 301)));
        assert!(!secret.holds(&cookie, "2001:db8::2".parse().unwrap(), now));
        let other = Cookie { client: [0; 8], ..cookie };
        assert!(!secret.holds(&other, peer, now));
        assert!(!CookieSecret::new([7; 16]).holds(&cookie, peer, now));
        assert!(!secret.holds(&Cookie { server: Shown::Nothing, ..cookie }, peer, now));
    }

    #[test]
    fn lengths_that_no_cookie_has_are_refused() {
        for length in 0..50 {
            let known = length == 8 || (16..=40).contains(&length);
            assert_eq!(Cookie::read(&vec![1; length]).is_some(), known, "{length}");
        }
    }
}
