//! What a directory tree holds, to be compared.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// By path: what is there.
pub(crate) type Tree = BTreeMap<String, String>;

/// Everything below `root`, but for paths that begin with one of `without`: kind, mode, owner, content; and
/// times of files if `times`.
pub(crate) fn tree(root: &Path, without: &[&str], times: bool) -> Tree {
    let mut tree = Tree::new();
    walk(root, "", without, times, &mut tree);
    tree
}

fn walk(root: &Path, at: &str, without: &[&str], times: bool, tree: &mut Tree) {
    for entry in fs::read_dir(root.join(at)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if at.is_empty() { name } else { format!("{at}/{name}") };
        if without.iter().any(|prefix| path.starts_with(prefix)) {
            continue;
        }
        let status = entry.path().symlink_metadata().unwrap();
        let kind = status.file_type();
        let content = if kind.is_symlink() {
            format!("-> {}", fs::read_link(entry.path()).unwrap().display())
        } else if kind.is_file() {
            String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).into_owned()
        } else if kind.is_dir() {
            "directory".to_owned()
        } else {
            format!("special {} {}", status.rdev(), kind.is_fifo())
        };
        let time = if times && kind.is_file() {
            format!(" {}.{}", status.mtime(), status.mtime_nsec())
        } else {
            String::new()
        };
        let (mode, owner, group) = (status.mode(), status.uid(), status.gid());
        tree.insert(path.clone(), format!("{mode:o} {owner}:{group}{time} {content}"));
        if kind.is_dir() {
            walk(root, &path, without, times, tree);
        }
    }
}

/// What differs, a line per path.
pub(crate) fn difference(left: &Tree, right: &Tree) -> Vec<String> {
    let short =
        |text: Option<&String>| text.map_or("nothing".to_owned(), |text| text.chars().take(300).collect());
    let paths: std::collections::BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    let differs = paths.into_iter().filter(|path| left.get(*path) != right.get(*path));
    differs
        .map(|path| format!("{path}:\n  {}\n  {}", short(left.get(path)), short(right.get(path))))
        .collect()
}
