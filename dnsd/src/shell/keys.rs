//! Secrets, read from the files that the inventory names. They are read again when the files change, and
//! never logged.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex};

use arc_swap::{ArcSwap, Guard};
use daemon::secret::read_secret;
use inventory_core::model::Key;
use tracing::warn;

use crate::core::tsig::{Keyring, SharedKey};

use super::status::lock;

/// The secrets in use.
#[derive(Debug, Default)]
pub struct Keys {
    ring: ArcSwap<Keyring>,
    files: Mutex<Files>,
}

#[derive(Debug, Default)]
struct Files {
    wanted: Vec<Key>,
    seen: BTreeMap<Box<str>, Option<Stamp>>,
    troubles: Vec<String>,
}

/// Device, inode, size, modification and change time: other octets have another one.
type Stamp = [i64; 7];

impl Keys {
    /// The secrets at this moment.
    pub fn load(&self) -> Guard<Arc<Keyring>> {
        self.ring.load()
    }

    /// Reads the secrets of `wanted`, and no others from now on.
    pub fn set(&self, wanted: &[Key]) {
        let mut files = lock(&self.files);
        files.wanted = wanted.to_vec();
        self.read(&mut files);
    }

    /// Reads them again if a file changed; says whether one did.
    pub fn refresh(&self) -> bool {
        let mut files = lock(&self.files);
        let changed = files.wanted.iter().any(|key| files.seen.get(&key.file) != Some(&stamp(&key.file)));
        if changed {
            self.read(&mut files);
        }
        changed
    }

    /// Why secrets are missing, or better not used.
    pub fn troubles(&self) -> Vec<String> {
        lock(&self.files).troubles.clone()
    }

    fn read(&self, files: &mut Files) {
        let (mut keys, mut troubles) = (Vec::new(), Vec::new());
        files.seen.clear();
        for key in &files.wanted {
            let name = &key.name;
            files.seen.insert(key.file.clone(), stamp(&key.file));
            let mut trouble = |why: String| troubles.push(format!("key `{name}`: {why}"));
            match read_secret(key) {
                Ok((secret, odd)) => {
                    odd.into_iter().for_each(&mut trouble);
                    keys.push(SharedKey::new(name.clone(), key.algorithm, &secret));
                }
                Err(why) => trouble(format!("{why}; nobody can sign with it")),
            }
        }
        for trouble in troubles.iter().filter(|trouble| !files.troubles.contains(trouble)) {
            warn!("{trouble}");
        }
        files.troubles = troubles;
        self.ring.store(Arc::new(Keyring::new(keys)));
    }
}

fn stamp(path: &str) -> Option<Stamp> {
    let found = fs::metadata(path).ok()?;
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let [device, inode, size] = [found.dev(), found.ino(), found.size()].map(number);
    Some([device, inode, size, found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec()])
}

#[cfg(test)]
mod tests {
    use inventory_core::model::KeyAlgorithm;
    use inventory_core::span::{FileId, Span};

    use super::*;
    use crate::testing::name;

    fn key(path: &str) -> Key {
        let span = Span::whole(FileId(0));
        Key { name: name("k"), span, algorithm: KeyAlgorithm::HmacSha256, file: path.into() }
    }

    #[test]
    fn secrets_follow_their_files_and_what_is_missing_is_said() {
        let path = std::env::temp_dir().join(format!("hostbook-key-{}", std::process::id()));
        let keys = Keys::default();
        keys.set(&[key(path.to_str().unwrap())]);
        assert!(keys.load().is_empty());
        assert_eq!(keys.troubles().len(), 1);
        assert!(!keys.refresh(), "nothing is there yet");
        fs::write(&path, "c2VjcmV0c2VjcmV0c2VjcmV0").unwrap();
        assert!(keys.refresh());
        assert_eq!(keys.load().len(), 1);
        assert!(!keys.refresh());
        fs::remove_file(&path).unwrap();
        assert!(keys.refresh());
        assert!(keys.load().is_empty());
    }
}
