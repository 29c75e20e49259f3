//! A branch that is followed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::location::Location;
use super::tree::{self, GitTree};
use crate::model::Commit;
use crate::source::{Listing, ReadError, Source, Version};

/// The commit that a branch names, taken anew at each listing.
#[derive(Debug)]
pub struct GitBranch {
    location: Location,
    tree: Mutex<Option<Arc<GitTree>>>,
}

impl GitBranch {
    /// The branch at `location`. Nothing is looked at yet.
    pub fn new(location: Location) -> GitBranch {
        GitBranch { location, tree: Mutex::new(None) }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<GitTree>>> {
        self.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tree(&self) -> Result<Arc<GitTree>, ReadError> {
        self.lock().clone().ok_or(ReadError::Missing)
    }
}

impl Source for GitBranch {
    fn list(&self) -> Listing {
        let Location { repository, branch, prefix } = &self.location;
        let mut tree = self.lock();
        let found = tree::resolve(repository, branch).and_then(|commit| match &*tree {
            Some(tree) if tree.id() == commit => Ok(Arc::clone(tree)),
            _ => GitTree::of_commit(repository, &commit, prefix).map(Arc::new),
        });
        match found {
            Ok(found) => tree.insert(found).list(),
            Err(error) => Listing { files: Vec::new(), unreadable: vec![(".".into(), error.to_string())] },
        }
    }

    fn version(&self, path: &str) -> Result<Version, ReadError> {
        self.tree()?.version(path)
    }

    fn read(&self, path: &str) -> Result<(Version, Vec<u8>), ReadError> {
        self.tree()?.read(path)
    }

    fn describe(&self) -> String {
        let Location { repository, branch, prefix } = &self.location;
        let folder = if prefix.is_empty() { String::new() } else { format!(":{prefix}") };
        format!("{}#{branch}{folder}", repository.display())
    }

    fn commit(&self) -> Option<Commit> {
        self.lock().as_ref().and_then(|tree| tree.commit())
    }

    fn rest(&self) {
        if let Some(tree) = &*self.lock() {
            tree.rest();
        }
    }
}
