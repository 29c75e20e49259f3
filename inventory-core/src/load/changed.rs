//! Which files changed since the last look: read and parsed, or gone.

use std::collections::HashSet;
use std::sync::Arc;

use super::file::{self, Order, Parsed, Read, Wanted};
use super::{FILES_AT_ONCE, Loader};
use crate::source::Version;
use crate::span::FileId;

impl Loader {
    /// Reads the listed files whose version or octets changed; parses them, or defers that.
    pub(super) fn read_changed(&mut self, listed: &[(Arc<str>, Version)]) -> (Vec<Parsed>, Vec<Wanted>) {
        let mut wanted = Vec::new();
        for (path, version) in listed {
            if self.files.get(path).is_none_or(|state| state.version != Some(*version)) {
                wanted.push((
                    Arc::clone(path),
                    self.id(path),
                    self.files.get(path).and_then(|state| state.hash),
                ));
            }
        }
        let order = if wanted.len() > FILES_AT_ONCE { Order::FewFirst } else { Order::Everything };
        self.read(&wanted, order)
    }

    pub(super) fn read(&mut self, wanted: &[Wanted], order: Order) -> (Vec<Parsed>, Vec<Wanted>) {
        let (mut changed, mut deferred) = (Vec::new(), Vec::new());
        for result in file::read_all(&*self.source, wanted, order) {
            match result {
                Read::Same { path, version } => {
                    if let Some(state) = self.files.get_mut(&path) {
                        state.version = Some(version);
                    }
                }
                Read::Vanished => {}
                Read::New(parsed) if self.is_known_trouble(&parsed) => {}
                Read::New(parsed) => changed.push(*parsed),
                Read::Deferred(wanted) => deferred.push(wanted),
            }
        }
        self.parsed_files += changed.iter().filter(|parsed| parsed.hash.is_some()).count() as u64;
        (changed, deferred)
    }

    /// Whether a file could not be read, for the same reason as at the last look.
    fn is_known_trouble(&self, parsed: &Parsed) -> bool {
        let known = self.files.get(&parsed.path);
        parsed.hash.is_none()
            && known.is_some_and(|state| state.hash.is_none() && state.parse_findings == parsed.findings)
    }

    /// Drops the files that are not listed any more (or vanished since); returns their ids.
    pub(super) fn forget_absent(&mut self, listed: &[(Arc<str>, Version)]) -> HashSet<FileId> {
        let present: HashSet<&Arc<str>> = listed.iter().map(|(path, _)| path).collect();
        let mut gone = HashSet::new();
        self.files.retain(|path, state| {
            let keep = present.contains(path);
            if !keep {
                gone.insert(state.id);
            }
            keep
        });
        gone
    }
}
