//! Keys that sign: ECDSA P-256 with SHA-256 (RFC 6605) and Ed25519 (RFC 8080), by `ring`.
//!
//! Both make signatures of 64 octets. What is secret stays in here: it is neither printed nor compared.

use std::fmt;

use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use serde::{Deserialize, Serialize};

/// Octets of a signature.
pub const SIGNATURE_OCTETS: usize = 64;
/// Flags of a DNSKEY record: a zone key (RFC 4034, section 2.1.1).
const ZONE_KEY: u16 = 0x0100;
/// A secure entry point.
const ENTRY_POINT: u16 = 0x0001;
/// Number of SHA-256 in DS records (RFC 4509).
const DIGEST_SHA256: u8 = 2;

/// An algorithm (IANA "DNS Security Algorithm Numbers").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// 13.
    EcdsaP256,
    /// 15.
    Ed25519,
}

/// What a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The zone's keys (KSK): the parent's DS record names it.
    Keys,
    /// Everything else (ZSK).
    Zone,
}

/// A key, ready to sign.
pub struct SigningKey {
    algorithm: Algorithm,
    role: Role,
    pair: Pair,
    dnskey: Box<[u8]>,
    tag: u16,
    id: u64,
}

enum Pair {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Algorithm {
    /// Its number.
    pub fn number(self) -> u8 {
        match self {
            Algorithm::EcdsaP256 => 13,
            Algorithm::Ed25519 => 15,
        }
    }

    /// A new private key in PKCS #8; `None` if there is no randomness.
    pub fn generate(self, random: &SystemRandom) -> Option<Vec<u8>> {
        let document = match self {
            Algorithm::EcdsaP256 => {
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, random).ok()?
            }
            Algorithm::Ed25519 => Ed25519KeyPair::generate_pkcs8(random).ok()?,
        };
        Some(document.as_ref().to_vec())
    }
}

impl SigningKey {
    /// The key in `pkcs8`; `None` if it is no key of that algorithm.
    pub fn read(algorithm: Algorithm, role: Role, pkcs8: &[u8], random: &SystemRandom) -> Option<SigningKey> {
        let pair = match algorithm {
            Algorithm::EcdsaP256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, random);
                Pair::P256(pair.ok()?)
            }
            Algorithm::Ed25519 => Pair::Ed25519(Ed25519KeyPair::from_pkcs8(pkcs8).ok()?),
        };
        let public = match &pair {
            // Without the octet that says that the point is not compressed (RFC 6605, section 4).
            Pair::P256(pair) => pair.public_key().as_ref().strip_prefix(&[4])?,
            Pair::Ed25519(pair) => pair.public_key().as_ref(),
        };
        let flags = match role {
            Role::Keys => ZONE_KEY | ENTRY_POINT,
            Role::Zone => ZONE_KEY,
        };
        let dnskey = [&flags.to_be_bytes()[..], &[3, algorithm.number()], public].concat();
        let tag = key_tag(&dnskey);
        let id = *digest(&SHA256, &dnskey).as_ref().first_chunk::<8>()?;
        Some(SigningKey { algorithm, role, pair, dnskey: dnskey.into(), tag, id: u64::from_be_bytes(id) })
    }

    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// RDATA of its DNSKEY record.
    pub fn dnskey(&self) -> &[u8] {
        &self.dnskey
    }

    /// Its tag (RFC 4034, appendix B): two keys may have the same one.
    pub fn tag(&self) -> u16 {
        self.tag
    }

    /// A number that no other key has.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// RDATA of its DS record in the parent of `zone`, a name in wire form (RFC 4509).
    pub fn ds(&self, zone: &[u8]) -> Box<[u8]> {
        let digest = digest(&SHA256, &[zone, &self.dnskey].concat());
        let [t0, t1] = self.tag.to_be_bytes();
        [&[t0, t1, self.algorithm.number(), DIGEST_SHA256], digest.as_ref()].concat().into()
    }

    /// The signature of `octets`; `None` if there is no randomness.
    pub(super) fn sign(&self, octets: &[u8], random: &SystemRandom) -> Option<[u8; SIGNATURE_OCTETS]> {
        let signature = match &self.pair {
            Pair::P256(pair) => pair.sign(random, octets).ok()?,
            Pair::Ed25519(pair) => pair.sign(octets),
        };
        signature.as_ref().try_into().ok()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("role", &self.role).field("tag", &self.tag).finish_non_exhaustive()
    }
}

/// The tag of a key (RFC 4034, appendix B).
fn key_tag(dnskey: &[u8]) -> u16 {
    let (words, rest) = dnskey.as_chunks::<2>();
    let sum: u32 = words.iter().map(|word| u32::from(u16::from_be_bytes(*word))).sum();
    let sum = sum + rest.first().map_or(0, |octet| u32::from(*octet) << 8);
    u16::try_from((sum + (sum >> 16)) & 0xffff).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PKCS #8, version 1, of an Ed25519 seed (RFC 8410, section 7).
    fn ed25519(seed: &[u8; 32]) -> Vec<u8> {
        [&b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20"[..], seed].concat()
    }

    /// The example of RFC 8080, section 6.1.
    const SEED: [u8; 32] = [
        0x38, 0x32, 0x32, 0x36, 0x30, 0x33, 0x38, 0x34, 0x36, 0x32, 0x38, 0x30, 0x38, 0x30, 0x31, 0x32, 0x32,
        0x36, 0x34, 0x35, 0x31, 0x39, 0x30, 0x32, 0x30, 0x34, 0x31, 0x34, 0x32, 0x32, 0x36, 0x32,
    ];

    #[test]
    fn the_example_of_rfc_8080_has_its_key_tag_and_ds_record() {
        let random = SystemRandom::new();
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&ed25519(&SEED)).unwrap();
        let flags = [1, 1, 3, 15];
        let dnskey = [&flags[..], pair.public_key().as_ref()].concat();
        let id = 0;
        let tag = key_tag(&dnskey);
        let key = SigningKey {
            algorithm: Algorithm::Ed25519,
            role: Role::Keys,
            pair: Pair::Ed25519(pair),
            dnskey: dnskey.into(),
            tag,
            id,
        };
        assert_eq!(key.tag(), 3613);
        let ds = key.ds(b"\x07example\x03com\x00");
        let hex: String = ds.iter().map(|octet| format!("{octet:02x}")).collect();
        let digest = "3aa5ab37efce57f737fc1627013fee07bdf241bd10f3b1964ab55c78e79a304b";
        assert_eq!(hex, format!("0e1d0f02{digest}"));
        assert!(key.sign(b"x", &random).is_some());
    }

    #[test]
    fn keys_are_made_and_read_back_and_nothing_else_is() {
        let random = SystemRandom::new();
        for algorithm in [Algorithm::EcdsaP256, Algorithm::Ed25519] {
            let pkcs8 = algorithm.generate(&random).unwrap();
            let key = SigningKey::read(algorithm, Role::Zone, &pkcs8, &random).unwrap();
            let again = SigningKey::read(algorithm, Role::Zone, &pkcs8, &random).unwrap();
            assert_eq!(key.dnskey(), again.dnskey());
            assert_eq!(key.dnskey()[..4], [1, 0, 3, algorithm.number()]);
            assert!(SigningKey::read(algorithm, Role::Zone, &pkcs8[1..], &random).is_none());
            assert!(!format!("{key:?}").contains("pair"));
        }
    }
}
