//! Which installations are done, and the tokens by which that is told.
//!
//! An installation is a host's name and its `reinstall` value. Once done it stays so until that value
//! changes: neither a reload nor a change of state to and fro starts it again.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Octets of a token; twice as many digits.
const TOKEN_OCTETS: usize = 16;

/// What the boot service remembers across restarts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installs {
    /// Makes tokens that nobody can guess.
    secret: String,
    /// `reinstall` value of the last installation that was done, by FQDN; empty where there is none.
    done: BTreeMap<Box<str>, Box<str>>,
}

impl Installs {
    /// Nothing is done yet. `secret` must be random and at least 16 octets.
    pub fn new(secret: &[u8]) -> Installs {
        Installs { secret: hex(secret), done: BTreeMap::new() }
    }

    /// Whether this installation of the host is done.
    pub fn is_done(&self, fqdn: &str, reinstall: &str) -> bool {
        self.done.get(fqdn).is_some_and(|done| **done == *reinstall)
    }

    /// Notes that it is.
    pub fn set_done(&mut self, fqdn: &str, reinstall: &str) {
        self.done.insert(fqdn.into(), reinstall.into());
    }

    /// Hosts with an installation that is done, and its `reinstall` value.
    pub fn done(&self) -> impl Iterator<Item = (&str, &str)> {
        self.done.iter().map(|(fqdn, reinstall)| (&**fqdn, &**reinstall))
    }

    /// What the installer shows to report this installation done.
    pub fn token(&self, fqdn: &str, reinstall: &str) -> String {
        let mut hash = Sha256::new();
        for part in [&*self.secret, fqdn, reinstall] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        hex(hash.finalize().get(..TOKEN_OCTETS).unwrap_or_default())
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installation_is_done_until_another_one_is_wanted() {
        let mut installs = Installs::new(&[7; 32]);
        assert!(!installs.is_done("a.example", ""));
        installs.set_done("a.example", "");
        assert!(installs.is_done("a.example", ""));
        assert!(!installs.is_done("a.example", "2026-11-25"), "another one is wanted");
        assert!(!installs.is_done("b.example", ""));
        installs.set_done("a.example", "2026-11-25");
        assert!(installs.is_done("a.example", "2026-11-25") && !installs.is_done("a.example", ""));
    }

    #[test]
    fn a_token_is_of_one_installation_of_one_host_and_of_one_service() {
        let (one, other) = (Installs::new(&[1; 32]), Installs::new(&[2; 32]));
        let tokens = [
            one.token("a.example", ""),
            one.token("a.example", "1"),
            one.token("b.example", ""),
            one.token("a.exampl", "e"),
            other.token("a.example", ""),
        ];
        assert!(tokens.iter().all(|token| token.len() == 2 * TOKEN_OCTETS));
        let distinct: std::collections::BTreeSet<_> = tokens.iter().collect();
        assert_eq!(distinct.len(), tokens.len());
        assert_eq!(one.token("a.example", ""), one.token("a.example", ""));
    }

    #[test]
    fn what_is_remembered_is_read_back() {
        let mut installs = Installs::new(&[3; 16]);
        installs.set_done("a.example", "7");
        let text = serde_json::to_string(&installs).unwrap();
        assert_eq!(serde_json::from_str::<Installs>(&text).unwrap(), installs);
    }
}
