//! Host keys of a machine that was installed, as its installer reports them.
//!
//! They come in the body of the report that the installation is done. Nothing of it is taken on trust but what is a
//! public key by its form, and no more than a machine has.

use inventory_core::model::SshHostKey;

/// Octets of a report's body that are looked at.
pub const BODY_OCTETS_MAX: usize = 64 << 10;
/// Keys that a machine has at most: sshd makes three.
pub const KEYS_MAX: usize = 8;
/// Digits of a key: RSA with 16384 bits, the most that OpenSSH makes, has 2740.
const KEY_DIGITS_MAX: usize = 4096;

/// The public keys in a report's body: lines as those of `/etc/ssh/ssh_host_*_key.pub`, or JSON that has such lines as
/// strings, as Proxmox' installer sends them. What else is there does not count, nor do keys behind the first
/// [`KEYS_MAX`].
pub fn read(body: &[u8]) -> Vec<SshHostKey> {
    let mut keys: Vec<SshHostKey> = Vec::new();
    for piece in body.split(|octet| b"\"\r\n".contains(octet)) {
        let key = std::str::from_utf8(piece).ok().and_then(|text| text.parse::<SshHostKey>().ok());
        let Some(key) = key.filter(|key| key.key.len() <= KEY_DIGITS_MAX) else { continue };
        if keys.len() < KEYS_MAX && !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An Ed25519 key that is made of this number.
    pub(crate) fn key(number: u8) -> SshHostKey {
        // 4-octet length 11, the type, 4-octet length 32, then 32 octets: their last 30 are the number.
        let last = ["AAAA", "AQEB", "AgIC", "AwMD", "BAQE", "BQUF", "BgYG", "BwcH", "CAgI", "CQkJ", "CgoK"];
        let text =
            format!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAA{}", last[usize::from(number)].repeat(10));
        text.parse().unwrap()
    }

    #[test]
    fn keys_are_read_from_lines_and_from_strings_of_json() {
        let (one, two) = (key(1), key(2));
        let lines = format!("# made\r\n{one} root@web1\r\n\r\n  {two}\n{one}\nssh-ed25519 AAAA\n\u{fc}");
        assert_eq!(read(lines.as_bytes()), [one.clone(), two.clone()]);
        let json = format!(
            r#"{{"fqdn":"web1","ssh-public-host-keys":{{"ecdsa":"","ed25519":"{one} root@web1","rsa":"{two} root@web1"}}}}"#
        );
        assert_eq!(read(json.as_bytes()), [one, two]);
        for nothing in
            [b"".as_slice(), b"ssh-ed25519", b"\xff\n\xfe", b"-----BEGIN OPENSSH PRIVATE KEY-----\n"]
        {
            assert_eq!(read(nothing), []);
        }
    }

    #[test]
    fn more_keys_than_a_machine_has_and_longer_ones_do_not_count() {
        let many: String = (0..=10).map(|number| format!("{}\n", key(number))).collect();
        assert_eq!(read(many.as_bytes()), (0..8).map(key).collect::<Vec<_>>());
        // An RSA key with an exponent of 4 KiB, all of it zero.
        let long = format!("ssh-rsa AAAAB3NzaC1yc2EAABAA{}", "AAAA".repeat(1365) + "AA==");
        assert!(long.parse::<SshHostKey>().is_ok());
        assert_eq!(read(long.as_bytes()), []);
    }
}
