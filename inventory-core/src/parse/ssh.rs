//! Public keys of ssh, as in `ssh_host_ed25519_key.pub`.

use super::read::{self, Findings};
use crate::diag::Rule;
use crate::model::SshHostKey;
use crate::model::ssh_key::shortened;
use crate::toml::Value;

const HELP: &str = "write the line of the host's `/etc/ssh/ssh_host_ed25519_key.pub`: `ssh-ed25519 AAAA…`";

/// A key of a host: type, the key in base 64, and a comment that does not count.
pub(super) fn host_key(value: Value<'_, '_>, findings: Findings<'_>) -> Option<SshHostKey> {
    let text = read::string(value, findings)?;
    match text.parse() {
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
