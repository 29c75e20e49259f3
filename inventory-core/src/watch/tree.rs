//! What to watch: the directories of an inventory and the links that lead to it.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::statfs;

/// More directories are not watched; the clock stands in for them.
const DIRECTORIES_MAX: usize = 10_000;

/// The directories to watch for the inventory at `root`: every one below it that is not hidden, and
/// those that hold the links on the way to the root, or the root itself if it is not there.
pub(super) fn directories(root: &Path) -> HashSet<PathBuf> {
    let mut all = links(root);
    if let Ok(real) = fs::canonicalize(root) {
        walk(&real, &mut all);
    }
    all
}

/// The directories that hold `root` and whatever it links to.
fn links(root: &Path) -> HashSet<PathBuf> {
    let mut holders = HashSet::new();
    let mut here = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
    for _ in 0..16 {
        let Some(parent) = here.parent().map(Path::to_owned) else {
            break;
        };
        holders.insert(fs::canonicalize(&parent).unwrap_or_else(|_| parent.clone()));
        match fs::read_link(&here) {
            Ok(target) => here = parent.join(target),
            Err(_) => break,
        }
    }
    holders
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
    let git = real.ancestors().map(|above| above.join(".git")).find(|git| git.exists());
    git.is_some_and(|git| git.join("index.lock").exists())
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
