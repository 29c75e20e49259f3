//! The tree of one commit.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::process::{self, GitError, Objects};
use crate::model::Commit;
use crate::source::{Listing, RESERVED_DIRECTORIES, ReadError, Source, Version, is_inventory_file};

/// A commit's files. They never change, so a look at them is always the same.
#[derive(Debug)]
pub struct GitTree {
    repository: PathBuf,
    /// Name of the commit; of the tree, where there is no commit yet.
    id: String,
    /// When the commit was made, in seconds since 1970.
    unix_seconds: Option<u64>,
    files: BTreeMap<Arc<str>, Entry>,
    /// Links among inventory files, which are not followed.
    links: Vec<Arc<str>>,
    objects: Mutex<Objects>,
}

/// A file of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    object: String,
    version: Version,
}

impl GitTree {
    /// The tree of `revision` below the folder `prefix` (with a slash at its end, or empty).
    ///
    /// # Errors
    /// It is no repository, or has no such revision or folder.
    pub fn at(repository: &Path, revision: &str, prefix: &str) -> Result<GitTree, GitError> {
        let commit = resolve(repository, revision)?;
        GitTree::of_commit(repository, &commit, prefix)
    }

    /// The tree of `revision` in the repository of the work tree that `directory` is in, of that folder.
    ///
    /// # Errors
    /// It is in no work tree, or there is no such revision.
    pub fn beside(directory: &Path, revision: &str) -> Result<GitTree, GitError> {
        let prefix = process::ask(directory, &["rev-parse", "--show-prefix"])?;
        let prefix = String::from_utf8_lossy(&prefix).trim_end_matches('\n').to_owned();
        GitTree::at(directory, revision, &prefix)
    }

    /// The tree that a commit would have now, of the work tree that `directory` is in, of that folder.
    ///
    /// # Errors
    /// It is in no work tree, or its index has conflicts.
    pub fn staged(directory: &Path) -> Result<GitTree, GitError> {
        let ask = |arguments: &[&str]| {
            let answer = process::ask_index(directory, arguments)?;
            Ok(String::from_utf8_lossy(&answer).trim_end_matches('\n').to_owned())
        };
        let (prefix, tree) = (ask(&["rev-parse", "--show-prefix"])?, ask(&["write-tree"])?);
        GitTree::list(directory, &tree, None, &prefix)
    }

    pub(super) fn of_commit(repository: &Path, commit: &str, prefix: &str) -> Result<GitTree, GitError> {
        let time = process::ask(repository, &["log", "-1", "--no-show-signature", "--format=%ct", commit])?;
        let time = String::from_utf8_lossy(&time).trim().parse().unwrap_or(0);
        GitTree::list(repository, commit, Some(time), prefix)
    }

    fn list(
        repository: &Path,
        commit: &str,
        unix_seconds: Option<u64>,
        prefix: &str,
    ) -> Result<GitTree, GitError> {
        let listed = process::ask(repository, &["ls-tree", "-r", "-z", "--full-tree", commit])?;
        let mut tree = GitTree {
            repository: repository.to_owned(),
            id: commit.to_owned(),
            unix_seconds,
            files: BTreeMap::new(),
            links: Vec::new(),
            objects: Mutex::new(Objects::new(repository)),
        };
        for line in listed.split(|octet| *octet == 0).filter(|line| !line.is_empty()) {
            tree.take(&String::from_utf8_lossy(line), prefix);
        }
        if !prefix.is_empty() && tree.files.is_empty() {
            return Err(GitError(format!("there is no folder `{prefix}` in {commit:.12}")));
        }
        Ok(tree)
    }

    /// Takes one line: mode, type, name of the object; a tab; the path.
    fn take(&mut self, line: &str, prefix: &str) {
        let Some((head, path)) = line.split_once('\t') else { return };
        let Some(path) = path.strip_prefix(prefix) else { return };
        let mut words = head.split(' ');
        let (mode, object) = (words.next().unwrap_or_default(), words.nth(1).unwrap_or_default());
        match mode {
            "100644" | "100755" => {
                let entry = Entry { object: object.to_owned(), version: version_of(object) };
                self.files.insert(Arc::from(path), entry);
            }
            "120000" => self.links.push(Arc::from(path)),
            _ => {}
        }
    }

    /// Name of the commit.
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// The commit that `revision` names.
pub(super) fn resolve(repository: &Path, revision: &str) -> Result<String, GitError> {
    let wanted = format!("{revision}^{{commit}}");
    let commit = process::ask(repository, &["rev-parse", "--verify", "--end-of-options", &wanted]);
    let commit = commit.map_err(|error| match error.0.as_str() {
        "Needed a single revision" => GitError(format!("there is no branch or commit `{revision}`")),
        _ => error,
    })?;
    Ok(String::from_utf8_lossy(&commit).trim().to_owned())
}

/// The last commit of `revision` that was made before that moment, in seconds since 1970, by its first
/// parents: what a branch named then, as far as its commits say. `None` if all are younger.
///
/// # Errors
/// It is no repository, or has no such revision.
pub fn commit_before(
    repository: &Path,
    revision: &str,
    unix_seconds: i64,
) -> Result<Option<String>, GitError> {
    let tip = resolve(repository, revision)?;
    // Without its zone git takes some numbers for dates.
    let before = format!("--before=@{} +0000", unix_seconds.max(0));
    let found = process::ask(repository, &["rev-list", "-1", "--first-parent", &before, &tip])?;
    let found = String::from_utf8_lossy(&found).trim().to_owned();
    Ok((!found.is_empty()).then_some(found))
}

fn version_of(object: &str) -> Version {
    let mut octets = [0; 32];
    for (octet, digits) in octets.iter_mut().zip(object.as_bytes().chunks(2)) {
        *octet =
            std::str::from_utf8(digits).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()).unwrap_or(0);
    }
    Version::Object(octets)
}

/// Whether a file at `path` is part of an inventory, as it is in a directory.
fn counts(path: &str) -> bool {
    let mut folders = path.split('/');
    let name = folders.next_back().unwrap_or_default();
    let mut folders = folders.peekable();
    let reserved = folders.peek().is_some_and(|top| RESERVED_DIRECTORIES.contains(top));
    !reserved && is_inventory_file(name) && !folders.any(|folder| folder.starts_with('.'))
}

impl Source for GitTree {
    fn list(&self) -> Listing {
        let files = self.files.iter().filter(|(path, _)| counts(path));
        let links = self.links.iter().filter(|path| counts(path));
        Listing {
            files: files.map(|(path, entry)| (Arc::clone(path), entry.version)).collect(),
            unreadable: links
                .map(|path| {
                    (Arc::clone(path), "it is a link, which is not followed in a repository".to_owned())
                })
                .collect(),
        }
    }

    fn version(&self, path: &str) -> Result<Version, ReadError> {
        self.files.get(path).map(|entry| entry.version).ok_or(ReadError::Missing)
    }

    fn read(&self, path: &str) -> Result<(Version, Vec<u8>), ReadError> {
        let entry = self.files.get(path).ok_or(ReadError::Missing)?;
        let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        let octets = objects.read(&entry.object).map_err(|error| ReadError::Unreadable(error.to_string()))?;
        Ok((entry.version, octets))
    }

    fn describe(&self) -> String {
        format!("{} at {:.12}", self.repository.display(), self.id)
    }

    fn commit(&self) -> Option<Commit> {
        Some(Commit { id: Arc::from(&*self.id), unix_seconds: self.unix_seconds? })
    }

    fn rest(&self) {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner).rest();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_files_count_as_in_a_directory() {
        for path in ["a.toml", "hosts/web.toml", "hosts/config/a.toml"] {
            assert!(counts(path), "{path}");
        }
        for path in
            ["a.txt", ".a.toml", "config/a.toml", "zones/b/a.toml", ".git/a.toml", "hosts/.old/a.toml"]
        {
            assert!(!counts(path), "{path}");
        }
    }

    #[test]
    fn versions_are_the_objects_names() {
        let Version::Object(octets) = version_of("00ff10") else { unreachable!() };
        assert_eq!(octets[..4], [0, 0xff, 0x10, 0]);
    }
}
