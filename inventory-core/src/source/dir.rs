//! A directory, usually a git checkout.

use std::collections::{HashSet, VecDeque};
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::fcntl::OFlag;

use super::{
    FILE_OCTETS_MAX, Listing, LookLock, RESERVED_DIRECTORIES, ReadError, Source, Version, is_inventory_file,
};

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
        Err(ReadError::Unreadable(leaves(&full)))
    }
}

impl Source for Directory {
    fn list(&self) -> Listing {
        let mut walk = Walk {
            listing: Listing::default(),
            seen: HashSet::new(),
            root: PathBuf::new(),
            links: VecDeque::new(),
        };
        match fs::canonicalize(&self.root) {
            Ok(root) => {
                walk.root.clone_from(&root);
                walk.directory(&root, "", 0);
                while let Some((full, path, depth)) = walk.links.pop_front() {
                    walk.directory(&full, &path, depth);
                }
            }
            Err(error) => walk.listing.unreadable.push((".".into(), plain(&error))),
        }
        walk.listing.files.sort_by(|a, b| a.0.cmp(&b.0));
        walk.listing
    }

    fn version(&self, path: &str) -> Result<Version, ReadError> {
        let metadata = fs::metadata(self.locate(path)?).map_err(|error| read_error(&error))?;
        if !metadata.is_file() {
            return Err(ReadError::Unreadable(not_a_file(&metadata)));
        }
        Ok(version_of(&metadata))
    }

    /// A file whose version differs before and after is read again: an editor may be writing it.
    fn read(&self, path: &str) -> Result<(Version, Vec<u8>), ReadError> {
        for _ in 0..5 {
            let mut file = open(&self.locate(path)?).map_err(|error| read_error(&error))?;
            let before = file.metadata().map_err(|error| read_error(&error))?;
            if !before.is_file() {
                return Err(ReadError::Unreadable(not_a_file(&before)));
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

    fn hold(&self) -> Option<LookLock> {
        LookLock::take(&self.root)
    }
}

/// One walk through the tree.
struct Walk {
    listing: Listing,
    /// Device and inode of each directory on the way, against circles of links.
    seen: HashSet<(u64, u64)>,
    root: PathBuf,
    /// Links to directories, for the end: a directory is known by its own path, and by that of a link
    /// only if it has none that counts. So paths, and with them the hash, do not hang on the order of
    /// `readdir`.
    links: VecDeque<(PathBuf, String, usize)>,
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
        let entries: Result<Vec<_>, _> = fs::read_dir(directory).map_err(|error| plain(&error))?.collect();
        let mut entries = entries.map_err(|error| plain(&error))?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
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
        let link = fs::symlink_metadata(full);
        let is_link = link.as_ref().is_ok_and(Metadata::is_symlink);
        let metadata = if is_link { fs::metadata(full) } else { link };
        match metadata {
            Ok(metadata) if metadata.is_dir() && is_link => {
                if self.holds(full) {
                    self.links.push_back((full.to_owned(), format!("{path}/"), depth + 1));
                } else {
                    // Said, because whoever made the link waits for the hosts behind it.
                    self.listing.unreadable.push((path.into(), leaves(full)));
                }
            }
            Ok(metadata) if metadata.is_dir() => self.directory(full, &format!("{path}/"), depth + 1),
            _ if !is_inventory_file(name) => {}
            Ok(metadata) if !metadata.is_file() => {
                self.listing.unreadable.push((path.into(), not_a_file(&metadata)));
            }
            Ok(_) if is_link && !self.holds(full) => {
                self.listing.unreadable.push((path.into(), leaves(full)));
            }
            Ok(metadata) => self.listing.files.push((Arc::from(path), version_of(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // A link that is still there leads nowhere, which must not delete what it led to.
                if let Ok(target) = fs::read_link(full) {
                    let why = format!("it is a link to `{}`, which is not there", target.display());
                    self.listing.unreadable.push((path.into(), why));
                }
            }
            Err(error) => self.listing.unreadable.push((path.into(), plain(&error))),
        }
    }

    /// Whether `link` ends inside the root.
    fn holds(&self, link: &Path) -> bool {
        fs::canonicalize(link).is_ok_and(|target| target.starts_with(&self.root))
    }
}

/// Opens a file without waiting: a FIFO would block until somebody writes to it.
fn open(path: &Path) -> io::Result<File> {
    File::options().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)
}

fn leaves(link: &Path) -> String {
    let target = fs::read_link(link).unwrap_or_default();
    format!("it is a link that leaves the inventory, to `{}`", target.display())
}

fn not_a_file(metadata: &Metadata) -> String {
    let kind = metadata.file_type();
    let what = if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    };
    format!("it is {what}, not a file")
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
