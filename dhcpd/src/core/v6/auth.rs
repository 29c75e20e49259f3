//! The Reconfigure Key Authentication Protocol (RFC 8415, section 20.4): a client is told a key in a Reply,
//! and believes a Reconfigure that is signed with it.
//!
//! Keys are made of a secret and the client's DUID, so that they outlive a restart without being kept one
//! by one, and a client is told the same key by every Reply. The numbers against replay begin anew above
//! all earlier ones with every start.

use md5::{Digest, Md5};

/// Octets of a key and of a digest.
const OCTETS: usize = 16;
/// Octets of a block of MD5 (RFC 2104).
const BLOCK: usize = 64;
/// Reconfigure key authentication, HMAC-MD5, a monotonic number (RFC 8415, section 21.11).
const HEAD: [u8; 3] = [3, 1, 0];
/// The key's value, in a Reply (RFC 8415, section 20.4.1).
const KEY_VALUE: u8 = 1;
/// The digest of the message, in a Reconfigure.
const DIGEST: u8 = 2;

/// What keys and numbers are made of.
#[derive(Clone, Debug)]
pub struct Keys {
    secret: [u8; 32],
    /// The number that was used last.
    last: u64,
}

/// A client's key with the number of one message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Auth {
    key: [u8; OCTETS],
    number: u64,
}

impl Keys {
    /// Those of `secret`, with numbers that begin with `start`, which must be another one, and a greater one,
    /// after each start of the server.
    pub fn new(secret: [u8; 32], start: u32) -> Keys {
        Keys { secret, last: u64::from(start) << 32 }
    }

    /// The key of the client with this DUID, and the next number.
    pub(super) fn next(&mut self, duid: &[u8]) -> Auth {
        self.last += 1;
        Auth { key: hmac_md5(&self.secret, duid), number: self.last }
    }
}

impl Auth {
    /// Data of the authentication option that tells the client its key.
    pub(super) fn telling(&self) -> Vec<u8> {
        [&HEAD[..], &self.number.to_be_bytes(), &[KEY_VALUE], &self.key].concat()
    }

    /// The same for a message that is to be signed, which it must end.
    pub(super) fn unsigned(&self) -> Vec<u8> {
        [&HEAD[..], &self.number.to_be_bytes(), &[DIGEST], &[0; OCTETS]].concat()
    }

    /// Signs a message that ends with what [`Auth::unsigned`] gave (RFC 8415, section 20.4.3).
    pub(super) fn sign(&self, message: &mut [u8]) {
        let digest = hmac_md5(&self.key, message);
        if let Some(place) = message.last_chunk_mut() {
            *place = digest;
        }
    }
}

/// RFC 2104 with MD5, for keys that are no longer than a block.
fn hmac_md5(key: &[u8], message: &[u8]) -> [u8; OCTETS] {
    let pad = |octet: u8| {
        let mut block = [octet; BLOCK];
        block.iter_mut().zip(key).for_each(|(octet, key)| *octet ^= key);
        block
    };
    let inner = Md5::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Md5::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 2202, section 2, cases 1 and 2.
    #[test]
    fn digests_are_those_of_rfc_2202() {
        let hex =
            |octets: [u8; OCTETS]| octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
        assert_eq!(hex(hmac_md5(&[0x0b; 16], b"Hi There")), "9294727a3638bb1c13f48ef8158bfc9d");
        let text = b"what do ya want for nothing?";
        assert_eq!(hex(hmac_md5(b"Jefe", text)), "750c783e6ab0b503eaa86e310a5db738");
    }

    #[test]
    fn numbers_grow_over_starts_and_keys_stay() {
        let mut first = Keys::new([7; 32], 1);
        let (one, two) = (first.next(b"client"), first.next(b"client"));
        let after = Keys::new([7; 32], 2).next(b"client");
        assert!(one.number < two.number && two.number < after.number);
        assert_eq!((one.key, two.key), (after.key, after.key));
        assert_ne!(one.key, first.next(b"other").key);
    }

    #[test]
    fn a_message_is_signed_over_itself_with_zeros_for_the_digest() {
        let auth = Keys::new([7; 32], 1).next(b"client");
        let mut message = [&b"message"[..], &auth.unsigned()].concat();
        let expected = hmac_md5(&auth.key, &message);
        auth.sign(&mut message);
        assert!(message.ends_with(&expected));
    }
}
