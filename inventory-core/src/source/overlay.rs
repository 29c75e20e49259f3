//! A source with some files as they are to become.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Listing, RESERVED_DIRECTORIES, ReadError, Source, Version, is_inventory_file};

/// Another source under files that have not been written yet. Copies share those files, so that a
/// loader can look again after each edit.
#[derive(Clone)]
pub struct Overlay {
    base: Arc<dyn Source>,
    files: Arc<Mutex<Files>>,
}

#[derive(Default)]
struct Files {
    by_path: BTreeMap<Arc<str>, (u64, Vec<u8>)>,
    writes: u64,
}

impl Overlay {
    /// `base` with nothing over it.
    pub fn new(base: impl Source + 'static) -> Overlay {
        Overlay { base: Arc::new(base), files: Arc::default() }
    }

    /// Puts a file over the one that the base has, or has not.
    pub fn write(&self, path: &str, octets: impl Into<Vec<u8>>) {
        let mut files = self.lock();
        files.writes += 1;
        let version = files.writes;
        files.by_path.insert(path.into(), (version, octets.into()));
    }

    fn lock(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for Overlay {
    fn list(&self) -> Listing {
        let mut listing = self.base.list();
        let files = self.lock();
        listing.files.retain(|(path, _)| !files.by_path.contains_key(path));
        for (path, (version, _)) in &files.by_path {
            let top = path.split('/').next().unwrap_or_default();
            let reserved = path.contains('/') && RESERVED_DIRECTORIES.contains(&top);
            if !reserved && path.rsplit('/').next().is_some_and(is_inventory_file) {
                listing.files.push((Arc::clone(path), Version::Count(*version)));
            }
        }
        listing.files.sort_by(|a, b| a.0.cmp(&b.0));
        listing
    }

    fn version(&self, path: &str) -> Result<Version, ReadError> {
        match self.lock().by_path.get(path) {
            Some((version, _)) => Ok(Version::Count(*version)),
            None => self.base.version(path),
        }
    }

    fn read(&self, path: &str) -> Result<(Version, Vec<u8>), ReadError> {
        if let Some((version, octets)) = self.lock().by_path.get(path) {
            return Ok((Version::Count(*version), octets.clone()));
        }
        self.base.read(path)
    }

    fn describe(&self) -> String {
        self.base.describe()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Memory;
    use super::*;

    #[test]
    fn files_over_the_base_are_listed_and_read_instead_of_its_own() {
        let base: Memory = [("a.toml", "old"), ("b.toml", "b")].into_iter().collect();
        let overlay = Overlay::new(base);
        let shared = overlay.clone();
        overlay.write("a.toml", "new");
        overlay.write("c.toml", "c");
        overlay.write("templates/x.toml", "no inventory file");
        let paths: Vec<_> = shared.list().files.into_iter().map(|(path, _)| path.to_string()).collect();
        assert_eq!(paths, ["a.toml", "b.toml", "c.toml"]);
        assert_eq!(shared.read("a.toml").unwrap().1, b"new");
        assert_eq!(shared.read("b.toml").unwrap().1, b"b");
        assert_ne!(shared.version("a.toml"), shared.version("c.toml"));
    }
}
