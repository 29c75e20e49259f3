//! The secrets.

use std::fmt;
use std::sync::Arc;

use inventory_core::model::KeyAlgorithm;
use inventory_core::name::Name;
use ring::hmac;

use super::MAC_OCTETS_MAX;
use super::record::{self, Signature};

/// A secret that is shared with others. Never shown.
pub struct SharedKey {
    /// Its name.
    pub name: Name,
    /// Name of the algorithm in wire form.
    pub(super) algorithm: Name,
    pub(super) hmac: hmac::Key,
}

/// All secrets, by name.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    keys: Arc<[Arc<SharedKey>]>,
}

impl fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedKey({})", self.name)
    }
}

impl SharedKey {
    /// The key of this name with this secret.
    pub fn new(name: Name, algorithm: KeyAlgorithm, secret: &[u8]) -> SharedKey {
        let by = match algorithm {
            KeyAlgorithm::HmacSha256 => hmac::HMAC_SHA256,
            KeyAlgorithm::HmacSha384 => hmac::HMAC_SHA384,
            KeyAlgorithm::HmacSha512 => hmac::HMAC_SHA512,
        };
        let algorithm = Name::root().child(algorithm.word()).unwrap_or_else(|_| Name::root());
        SharedKey { name, algorithm, hmac: hmac::Key::new(by, secret) }
    }

    /// Octets of a signature.
    pub(super) fn mac_octets(&self) -> usize {
        self.hmac.algorithm().digest_algorithm().output_len().min(MAC_OCTETS_MAX)
    }

    /// Whether `signature` is one of `message` by this key. `before`: the signature of the request, if
    /// it is one of the answer.
    pub(super) fn holds(&self, message: &[u8], signature: &Signature<'_>, before: Option<&[u8]>) -> bool {
        let mut covered = Vec::new();
        if let Some(before) = before {
            record::cover_before(&mut covered, before);
        }
        if record::cover_message(&mut covered, message, signature).is_none() {
            return false;
        }
        let stamp = record::Stamp {
            time: signature.time,
            fudge: signature.fudge,
            error: signature.error,
            other: signature.other,
        };
        record::cover_variables(&mut covered, self, &stamp);
        hmac::verify(&self.hmac, &covered, signature.mac).is_ok()
    }
}

impl Keyring {
    /// These keys; of several with one name the last.
    pub fn new(keys: impl IntoIterator<Item = SharedKey>) -> Keyring {
        let mut keys: Vec<Arc<SharedKey>> = keys.into_iter().map(Arc::new).collect();
        keys.reverse();
        keys.sort_by(|a, b| a.name.cmp(&b.name));
        keys.dedup_by(|later, first| later.name == first.name);
        Keyring { keys: keys.into() }
    }

    /// The key of this name.
    pub fn get(&self, name: &Name) -> Option<&Arc<SharedKey>> {
        let place = self.keys.binary_search_by(|key| key.name.cmp(name)).ok()?;
        self.keys.get(place)
    }

    /// The key of this name and algorithm, both in wire form.
    pub(super) fn find(&self, name: &[u8], algorithm: &[u8]) -> Option<Arc<SharedKey>> {
        let same = |key: &&Arc<SharedKey>| {
            key.name.as_wire() == name && key.algorithm.as_wire().eq_ignore_ascii_case(algorithm)
        };
        self.keys.iter().find(same).cloned()
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}
