//! Public keys of ssh, as in `ssh_host_ed25519_key.pub`.

use super::read::{self, Findings};
use crate::diag::Rule;
use crate::model::SshHostKey;
use crate::records::from_base64;
use crate::toml::Value;

/// Key types that ssh servers have.
const ALGORITHMS: [&str; 5] =
    ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"];

const HELP: &str = "write the line of the host's `/etc/ssh/ssh_host_ed25519_key.pub`: `ssh-ed25519 AAAA…`";

/// A key of a host: type, the key in base 64, and a comment that does not count.
pub(super) fn host_key(value: Value<'_, '_>, findings: Findings<'_>) -> Option<SshHostKey> {
    let text = read::string(value, findings)?;
    match parse(text) {
        Ok(key) => Some(key),
        Err(why) => read::refuse(Rule::InvalidHostKey, value, why, HELP, findings),
    }
}

/// The name of a user who logs in by ssh: what an option of ssh, a shell and every system take as it is.
pub(super) fn user(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Box<str>> {
    const USER_HELP: &str =
        "a login name has letters, digits, `.`, `_`, `-`, up to 32, and begins with a letter or `_`";
    let text = read::string(value, findings)?;
    let begins = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let plain = text.chars().all(|char| char.is_ascii_alphanumeric() || "._-".contains(char));
    if begins && plain && text.len() <= 32 {
        return Some(text.into());
    }
    let why = format!("`{}` is no login name", shortened(text));
    read::refuse(Rule::InvalidName, value, why, USER_HELP, findings)
}

fn parse(text: &str) -> Result<SshHostKey, String> {
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
fn shortened(text: &str) -> String {
    text.chars().take(24).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIHb2o7nBbFGzJqjAyxAfBcuzkMtAzMyVFWw2SiGsX2aB";

    #[test]
    fn a_public_key_is_its_type_and_its_octets_whatever_the_comment() {
        for comment in ["", " root@web1", "  two words"] {
            let key = parse(&format!("ssh-ed25519 {ED25519}{comment}")).unwrap();
            assert_eq!((&*key.algorithm, &*key.key), ("ssh-ed25519", ED25519));
        }
    }

    #[test]
    fn what_is_no_public_key_is_refused_in_words() {
        let refused = |text: &str| parse(text).unwrap_err();
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
