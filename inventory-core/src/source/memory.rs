//! Files in memory, for tests and for what has not been written yet.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Listing, ReadError, Source, Version};

/// An inventory in memory.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    files: BTreeMap<Arc<str>, (u64, Vec<u8>)>,
    writes: u64,
}

impl Memory {
    /// Puts or replaces a file.
    pub fn write(&mut self, path: &str, octets: impl Into<Vec<u8>>) {
        self.writes += 1;
        self.files.insert(path.into(), (self.writes, octets.into()));
    }

    /// Removes a file.
    pub fn remove(&mut self, path: &str) {
        self.files.remove(path);
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Memory {
    fn from_iter<T: IntoIterator<Item = (&'a str, &'a str)>>(files: T) -> Memory {
        let mut memory = Memory::default();
        for (path, text) in files {
            memory.write(path, text);
        }
        memory
    }
}

impl Source for Memory {
    fn list(&self) -> Listing {
        let inventory = self.files.iter().filter(|(path, _)| {
            let top = path.split('/').next().unwrap_or_default();
            let reserved = path.contains('/') && super::RESERVED_DIRECTORIES.contains(&top);
            let hidden = path.split('/').any(|part| part.starts_with('.'));
            !reserved && !hidden && path.rsplit('/').next().is_some_and(super::is_inventory_file)
        });
        Listing {
            files: inventory
                .map(|(path, (version, _))| (Arc::clone(path), Version::Count(*version)))
                .collect(),
            unreadable: Vec::new(),
        }
    }

    fn version(&self, path: &str) -> Result<Version, ReadError> {
        self.files.get(path).map(|(version, _)| Version::Count(*version)).ok_or(ReadError::Missing)
    }

    fn read(&self, path: &str) -> Result<(Version, Vec<u8>), ReadError> {
        let (version, octets) = self.files.get(path).ok_or(ReadError::Missing)?;
        Ok((Version::Count(*version), octets.clone()))
    }

    fn describe(&self) -> String {
        "memory".to_owned()
    }
}
