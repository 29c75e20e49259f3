//! Public keys of ssh servers.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::records::{base64, from_base64};

/// A public key of an ssh server. Its text is the type and the key, as in `/etc/ssh/ssh_host_ed25519_key.pub`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshHostKey {
    /// Its type, as `ssh-ed25519`.
    pub algorithm: Box<str>,
    /// The key in base 64, type included (RFC 4253, section 6.6).
    pub key: Box<str>,
}

/// Key types that ssh servers have.
const ALGORITHMS: [&str; 5] =
    ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"];

impl SshHostKey {
    /// The key's fingerprint by SHA-256, as `ssh-keygen -l` prints it: `SHA256:…`.
    pub fn fingerprint(&self) -> String {
        let digest = Sha256::digest(from_base64(&self.key).unwrap_or_default());
        format!("SHA256:{}", base64(&digest).trim_end_matches('='))
    }
}

impl fmt::Display for SshHostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.algorithm, self.key)
    }
}

impl FromStr for SshHostKey {
    type Err = String;

    /// Reads the type and the key; a comment behind them does not count. What is wrong is said in one line.
    fn from_str(text: &str) -> Result<SshHostKey, String> {
        let mut words = text.split_ascii_whitespace();
        let (algorithm, key) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if !ALGORITHMS.contains(&algorithm) {
            return Err(format!("no public key of ssh begins with `{}`", shortened(algorithm)));
        }
        let octets = from_base64(key).map_err(|_| "the key is not in base 64, or not whole".to_owned())?;
        // RFC 4253, section 6.6: the first string in it is the type again.
        let inside = octets.split_at_checked(4).and_then(|(length, rest)| {
            let length = u32::from_be_bytes(length.try_into().ok()?);
            rest.split_at_checked(usize::try_from(length).ok()?)
        });
        match inside {
            Some((name, rest)) if name == algorithm.as_bytes() && is_whole(rest) => {
                Ok(SshHostKey { algorithm: algorithm.into(), key: key.into() })
            }
            Some((name, _)) if name == algorithm.as_bytes() => Err("the key is not whole".to_owned()),
            _ => Err(format!("this is not a key of the type `{algorithm}`")),
        }
    }
}

/// Whether octets are strings of ssh, at least one, up to the end (RFC 4251, section 5).
fn is_whole(mut octets: &[u8]) -> bool {
    let mut strings = 0;
    while let Some((length, rest)) = octets.split_at_checked(4) {
        let length = length.iter().fold(0_usize, |length, octet| length << 8 | usize::from(*octet));
        let Some((_, rest)) = rest.split_at_checked(length) else { return false };
        strings += 1;
        octets = rest;
    }
    octets.is_empty() && strings > 0
}

/// A private key that someone pasted here shall not be printed more than the source line is.
pub(crate) fn shortened(text: &str) -> String {
    text.chars().take(24).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIHb2o7nBbFGzJqjAyxAfBcuzkMtAzMyVFWw2SiGsX2aB";

    fn read(text: &str) -> Result<SshHostKey, String> {
        text.parse()
    }

    #[test]
    fn a_public_key_is_its_type_and_its_octets_whatever_the_comment() {
        for comment in ["", " root@web1", "  two words"] {
            let key = read(&format!("ssh-ed25519 {ED25519}{comment}")).unwrap();
            assert_eq!((&*key.algorithm, &*key.key), ("ssh-ed25519", ED25519));
            assert_eq!(key.to_string(), format!("ssh-ed25519 {ED25519}"));
        }
    }

    #[test]
    fn the_fingerprint_is_that_of_ssh_keygen() {
        let key = read(&format!("ssh-ed25519 {ED25519}")).unwrap();
        assert_eq!(key.fingerprint(), "SHA256:9J7IK/oKelQRy5fOqduEpKRO/+0UEGqZzR1FVdZ9l0I");
    }

    #[test]
    fn what_is_no_public_key_is_refused_in_words() {
        let refused = |text: &str| read(text).unwrap_err();
        assert_eq!(refused(""), "no public key of ssh begins with ``");
        assert_eq!(
            refused("-----BEGIN OPENSSH PRIVATE KEY-----"),
            "no public key of ssh begins with `-----BEGIN`"
        );
        assert_eq!(refused(&format!("ssh-rsa {ED25519}")), "this is not a key of the type `ssh-rsa`");
        assert_eq!(refused("ssh-ed25519 AAAA"), "this is not a key of the type `ssh-ed25519`");
        assert_eq!(refused(&format!("ssh-ed25519 {}", &ED25519[..64])), "the key is not whole");
        assert_eq!(refused("ssh-ed25519 AAA!"), "the key is not in base 64, or not whole");
    }
}
