//! A directory, usually a git checkout.

use std::collections::HashSet;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{FILE_OCTETS_MAX, Listing, RESERVED_DIRECTORIES, ReadError, Source, Version, is_inventory_file};

/// The files below a directory.
///
/// Hidden files and directories do not count, nor do the root's [`RESERVED_DIRECTORIES`]. Symbolic
/// links are followed if they end inside the root. The root itself may be one: it is resolved anew
/// at each look, so that it can be swapped.
#[derive(Clone, Debug)]
pub struct Directory {
    root: PathBuf,
}

/// Deeper directories are reported: nobody has them on purpose.
const DEPTH_MAX: usize = 32;

impl Directory {
    /// The inventory at `root`. Nothing is looked at yet.
    pub fn new(root: impl Into<PathBuf>) -> Directory {
        Directory { root: root.into() }
    }

    /// The root, as it was given.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where `path` really is, if that is inside the root.
    fn locate(&self, path: &str) -> Result<PathBuf, ReadError> {
        let full = self.root.join(path);
        let real = fs::canonicalize(&full).map_err(|error| read_error(&error))?;
        let root = fs::canonicalize(&self.root).map_err(|error| read_error(&error))?;
        if real.starts_with(&root) {
            return Ok(real);
        }
        Err(ReadError::Unreadable(format!("it is a link that leaves the inventory, to `{}`", real.display())))
    }
}

impl Source for Directory {
    fn list(&self) -> Listing {
        let mut walk = Walk { listing: Listing::default(), seen: HashSet::new(), root: PathBuf::new() };
        match fs::canonicalize(&self.root) {
            Ok(root) => {
                walk.root.clone_from(&root);
                walk.directory(&root, "", 0);
            }
            Err(error) => walk.listing.unreadable.push((".".into(), plain(&error))),
        }
        walk.listing.files.sort_by(|a, b| a.0.cmp(&b.0));
        walk.listing
    }

    fn version(&self, path: &str) -> Result<Version, ReadError> {
        let metadata = fs::metadata(self.locate(path)?).map_err(|error| read_error(&error))?;
        if !metadata.is_file() {
            return Err(ReadError::Unreadable("it is not a file".to_owned()));
        }
        Ok(version_of(&metadata))
    }

    /// A file whose version differs before and after is read again: an editor may be writing it.
    fn read(&self, path: &str) -> Result<(Version, Vec<u8>), ReadError> {
        for _ in 0..5 {
            let mut file = File::open(self.locate(path)?).map_err(|error| read_error(&error))?;
            let before = file.metadata().map_err(|error| read_error(&error))?;
            if !before.is_file() {
                return Err(ReadError::Unreadable("it is not a file".to_owned()));
            }
            if before.len() > FILE_OCTETS_MAX {
                return Err(ReadError::Unreadable(format!(
                    "it has {} octets, more than {FILE_OCTETS_MAX}",
                    before.len()
                )));
            }
            let mut octets = Vec::with_capacity(usize::try_from(before.len()).unwrap_or(0) + 1);
            file.by_ref()
                .take(FILE_OCTETS_MAX + 1)
                .read_to_end(&mut octets)
                .map_err(|error| read_error(&error))?;
            let after = file.metadata().map_err(|error| read_error(&error))?;
            let version = version_of(&after);
            if version == version_of(&before) && octets.len() as u64 == after.len() {
                return Ok((version, octets));
            }
        }
        Err(ReadError::Unsettled)
    }

    fn describe(&self) -> String {
        self.root.display().to_string()
    }
}

/// One walk through the tree.
struct Walk {
    listing: Listing,
    /// Device and inode of each directory on the way, against circles of links.
    seen: HashSet<(u64, u64)>,
    root: PathBuf,
}

impl Walk {
    fn directory(&mut self, directory: &Path, prefix: &str, depth: usize) {
        if let Err(why) = self.entries(directory, prefix, depth) {
            let path = if prefix.is_empty() { "." } else { prefix.trim_end_matches('/') };
            self.listing.unreadable.push((path.into(), why));
        }
    }

    fn entries(&mut self, directory: &Path, prefix: &str, depth: usize) -> Result<(), String> {
        if depth > DEPTH_MAX {
            return Err(format!("directories are nested more than {DEPTH_MAX} deep"));
        }
        let metadata = fs::metadata(directory).map_err(|error| plain(&error))?;
        if !self.seen.insert((metadata.dev(), metadata.ino())) {
            return Ok(());
        }
        for entry in fs::read_dir(directory).map_err(|error| plain(&error))? {
            let entry = entry.map_err(|error| plain(&error))?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                let lossy = name.to_string_lossy().into_owned();
                if lossy.ends_with(".toml") {
                    self.listing
                        .unreadable
                        .push((format!("{prefix}{lossy}").into(), "its name is not UTF-8".to_owned()));
                }
                continue;
            };
            let reserved = prefix.is_empty() && RESERVED_DIRECTORIES.contains(&name);
            if !name.starts_with('.') && !reserved {
                self.entry(&entry.path(), &format!("{prefix}{name}"), name, depth);
            }
        }
        Ok(())
    }

    /// A file or directory; whatever vanishes between being listed and looked at was never there.
    fn entry(&mut self, full: &Path, path: &str, name: &str, depth: usize) {
        let metadata = match fs::symlink_metadata(full) {
            Ok(link) if link.is_symlink() => match fs::canonicalize(full) {
                Ok(target) if target.starts_with(&self.root) => fs::metadata(full),
                Ok(target) if is_inventory_file(name) => {
                    let why = format!("it is a link that leaves the inventory, to `{}`", target.display());
                    return self.listing.unreadable.push((path.into(), why));
                }
                Ok(_) => return,
                Err(error) => Err(error),
            },
            other => other,
        };
        match metadata {
            Ok(metadata) if metadata.is_dir() => self.directory(full, &format!("{path}/"), depth + 1),
            Ok(metadata) if is_inventory_file(name) => {
                self.listing.files.push((Arc::from(path), version_of(&metadata)));
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound && is_inventory_file(name) => {
                self.listing.unreadable.push((path.into(), plain(&error)));
            }
            Ok(_) | Err(_) => {}
        }
    }
}

fn version_of(metadata: &Metadata) -> Version {
    let nanoseconds = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
    Version::Stat([
        metadata.dev().into(),
        metadata.ino().into(),
        metadata.len().into(),
        nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
        nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
    ])
}

fn read_error(error: &io::Error) -> ReadError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ReadError::Missing,
        _ => ReadError::Unreadable(plain(error)),
    }
}

/// The reason in words, without the error number.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}
