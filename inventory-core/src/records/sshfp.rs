//! Fingerprints of the keys of ssh servers (RFC 4255): the data of an SSHFP record as `ssh-keygen -r` prints it,
//! or made from the public key.

use sha2::{Digest, Sha256};

use super::RecordType;
use super::codec::{from_base64, from_hex};
use super::shape::digest_octets;

/// Names of keys and their numbers (IANA "SSHFP RR Types for public key algorithms").
const ALGORITHMS: &[(&str, u8)] = &[
    ("ssh-rsa", 1),
    ("ssh-dss", 2),
    ("ecdsa-sha2-nistp256", 3),
    ("ecdsa-sha2-nistp384", 3),
    ("ecdsa-sha2-nistp521", 3),
    ("ssh-ed25519", 4),
    ("ssh-ed448", 6),
];
/// The type of fingerprint that is made of a key: SHA-256 (RFC 6594).
const SHA256: u8 = 2;

/// RDATA of the SSHFP record of a public key: its type and its base 64, as they stand in the key's file.
///
/// `None` if there is no number for keys of this type.
pub fn fingerprint_of(algorithm: &str, base64: &str) -> Option<Box<[u8]>> {
    let (_, number) = ALGORITHMS.iter().find(|(name, _)| *name == algorithm)?;
    let digest = Sha256::digest(from_base64(base64).ok()?);
    Some([&[*number, SHA256], &*digest].concat().into())
}

/// RDATA of the SSHFP record that `text` is the data of: `4 2 123456789ab…`.
///
/// # Errors
/// Says what is wrong, one line.
pub fn ssh_fingerprint(text: &str) -> Result<Box<[u8]>, String> {
    let mut words = text.split_whitespace();
    let (algorithm, kind) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    written(algorithm, kind, &words.collect::<String>())
}

fn written(algorithm: &str, kind: &str, digits: &str) -> Result<Box<[u8]>, String> {
    let number = |text: &str| text.parse::<u8>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
    let (Some(algorithm), Some(kind)) = (number(algorithm), number(kind)) else {
        return Err("it is not the data of an SSHFP record".to_owned());
    };
    let digest = from_hex(digits).map_err(|_| "the fingerprint is no hexadecimal digits".to_owned())?;
    let rdata: Box<[u8]> = [&[algorithm, kind], digest.as_slice()].concat().into();
    match digest_octets(RecordType::SSHFP, &rdata) {
        Some((wanted, have)) if wanted != have => {
            Err(format!("a fingerprint of type {kind} has {wanted} octets, and this one {have}"))
        }
        _ if digest.is_empty() => Err("the fingerprint is missing".to_owned()),
        _ => Ok(rdata),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key, and the data that `ssh-keygen -r` prints for it.
    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMSUGdrEtLC98e++oOlp0PtUtTYRNURwWPm0J7qEVscr root@web1";
    const RECORD: &str = "4 2 eaac9433855237fa168d7c352d3110be37827bee9e09369752afccf8157c0e47";

    #[test]
    fn a_public_key_means_what_ssh_keygen_prints_for_it() {
        let (algorithm, rest) = KEY.split_once(' ').unwrap();
        let made = fingerprint_of(algorithm, rest.split(' ').next().unwrap());
        assert_eq!(made, ssh_fingerprint(RECORD).ok());
        assert_eq!(fingerprint_of("ssh-odd", "AAAA"), None);
    }

    #[test]
    fn digits_may_have_blanks_and_any_case() {
        let plain = ssh_fingerprint("1 1 123456789abcdef67890123456789abcdef67890").unwrap();
        assert_eq!(ssh_fingerprint("1 1  123456789ABCDEF67890 123456789abcdef67890").unwrap(), plain);
        assert_eq!(plain[..3], [1, 1, 0x12]);
    }

    #[test]
    fn what_is_no_record_is_told() {
        for (text, words) in [
            ("", "not the data"),
            (KEY, "not the data"),
            ("4 2", "has 32 octets, and this one 0"),
            ("4 9", "is missing"),
            ("4 2 abc", "hexadecimal"),
            ("4 1 0a0b", "has 20 octets, and this one 2"),
            ("+4 2 00", "not the data"),
            ("SHA256:abc", "not the data"),
        ] {
            let why = ssh_fingerprint(text).unwrap_err();
            assert!(why.contains(words), "{text}: {why}");
        }
    }
}
