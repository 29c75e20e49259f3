//! What to watch: the directories of an inventory and the links that lead to it.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::statfs;

/// More directories are not watched; the clock stands in for them.
const DIRECTORIES_MAX: usize = 10_000;

/// What an inventory consists of, for a watcher.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// Every directory below the root that is not hidden, and the root.
    inside: HashSet<PathBuf>,
    /// The root and whatever it links to, by the real paths of the directories that hold these.
    links: HashSet<PathBuf>,
}

impl Places {
    /// The places of the inventory at `root`, which need not be there.
    pub(super) fn of(root: &Path) -> Places {
        let mut places = Places { inside: HashSet::new(), links: links(root) };
        if let Ok(real) = fs::canonicalize(root) {
            walk(&real, &mut places.inside);
        }
        places
    }

    /// The places of a branch in the git directory `git`: where its refs are, loose, packed or in tables.
    pub(super) fn of_refs(git: &Path) -> Places {
        let mut places = Places { inside: HashSet::new(), links: links(git) };
        if let Ok(real) = fs::canonicalize(git) {
            walk(&real.join("refs"), &mut places.inside);
            places.inside.extend([real.join("reftable"), real].into_iter().filter(|path| path.is_dir()));
        }
        places
    }

    /// These and those of another inventory.
    pub(super) fn extend(&mut self, others: Places) {
        self.inside.extend(others.inside);
        self.links.extend(others.links);
    }

    /// The directories to watch: those inside, and those that hold the links on the way to the root.
    pub(super) fn directories(&self) -> HashSet<PathBuf> {
        let holders = self.links.iter().filter_map(|link| link.parent());
        self.inside.iter().cloned().chain(holders.map(Path::to_owned)).collect()
    }

    /// Whether it matters what happens to `path`.
    pub(super) fn concerns(&self, path: &Path) -> bool {
        self.inside.contains(path)
            || path.parent().is_some_and(|parent| self.inside.contains(parent))
            || self.links.iter().any(|link| link == path || link.parent() == Some(path))
    }
}

/// `root` and whatever it links to.
fn links(root: &Path) -> HashSet<PathBuf> {
    let mut links = HashSet::new();
    let mut here = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
    for _ in 0..16 {
        let (Some(parent), Some(name)) = (here.parent().map(Path::to_owned), here.file_name()) else {
            break;
        };
        links.insert(fs::canonicalize(&parent).unwrap_or_else(|_| parent.clone()).join(name));
        match fs::read_link(&here) {
            Ok(target) => here = parent.join(target),
            Err(_) => break,
        }
    }
    links
}

fn walk(directory: &Path, all: &mut HashSet<PathBuf>) {
    if all.len() >= DIRECTORIES_MAX || !all.insert(directory.to_owned()) {
        return;
    }
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        let hidden = entry.file_name().as_encoded_bytes().first() == Some(&b'.');
        let is_directory = match entry.file_type() {
            Ok(kind) if kind.is_symlink() => entry.path().is_dir(),
            Ok(kind) => kind.is_dir(),
            Err(_) => false,
        };
        if is_directory && !hidden {
            walk(&fs::canonicalize(entry.path()).unwrap_or_else(|_| entry.path()), all);
        }
    }
}

/// Whether git is changing the working tree that holds `root`.
pub(super) fn git_is_busy(root: &Path) -> bool {
    let real = fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    let git = real.ancestors().find_map(git_directory);
    git.is_some_and(|git| git.join("index.lock").exists())
}

/// Where git keeps the index of a working tree whose top is `tree`. In linked working trees and
/// submodules, `.git` is a file that names it.
pub(super) fn git_directory(tree: &Path) -> Option<PathBuf> {
    let git = tree.join(".git");
    if !git.is_file() {
        return git.is_dir().then_some(git);
    }
    let text = fs::read_to_string(git).ok()?;
    Some(tree.join(text.strip_prefix("gitdir:")?.trim()))
}

/// Whether `root` is on a file system that other machines or lower layers change silently.
pub(super) fn is_without_events(root: &Path) -> bool {
    /// Plan 9's protocol, as used by virtual machines (linux/magic.h).
    const V9FS_MAGIC: statfs::FsType = statfs::FsType(0x0102_1997);
    /// SMB2 (linux/magic.h).
    const SMB2_MAGIC: statfs::FsType = statfs::FsType(0xfe53_4d42);
    let blind = [
        statfs::NFS_SUPER_MAGIC,
        statfs::OVERLAYFS_SUPER_MAGIC,
        statfs::FUSE_SUPER_MAGIC,
        statfs::SMB_SUPER_MAGIC,
        V9FS_MAGIC,
        SMB2_MAGIC,
    ];
    statfs::statfs(root).is_ok_and(|stat| blind.contains(&stat.filesystem_type()))
}
