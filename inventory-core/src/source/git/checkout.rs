//! A folder of a commit as files, for what runs programs from it: configuration beside an inventory.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use super::location::Location;
use super::process::{self, GitError, Objects};
use super::tree;

/// Writes the folder `folder` beside the inventory at `location` into the directory `to`, which is made.
/// Returns whether the commit has such a folder.
///
/// # Errors
/// There is no such repository or branch, its tree has a path that leads elsewhere, or `to` cannot be written.
pub fn check_out(location: &Location, folder: &str, to: &Path) -> Result<bool, GitError> {
    let Location { repository, branch, prefix } = location;
    let commit = tree::resolve(repository, branch)?;
    let listed = process::ask(repository, &["ls-tree", "-r", "-z", "--full-tree", &commit])?;
    let mut objects = Objects::new(repository);
    let prefix = format!("{prefix}{folder}/");
    let mut links = Vec::new();
    let mut is_there = false;
    for line in listed.split(|octet| *octet == 0).filter(|line| !line.is_empty()) {
        let line = String::from_utf8_lossy(line);
        let Some((head, path)) = line.split_once('\t') else { continue };
        let Some(path) = path.strip_prefix(&prefix) else { continue };
        let mut words = head.split(' ');
        let (mode, object) = (words.next().unwrap_or_default(), words.nth(1).unwrap_or_default());
        let path = below(to, path)?;
        is_there = true;
        match mode {
            "100644" | "100755" => {
                let octets = objects.read(object)?;
                let mode = if mode == "100755" { 0o755 } else { 0o644 };
                write(&path, &octets, mode).map_err(|error| failed(&path, &error))?;
            }
            "120000" => links.push((path, objects.read(object)?)),
            _ => {}
        }
    }
    // After the files, so that none is written through one.
    for (path, target) in links {
        let target = String::from_utf8_lossy(&target).into_owned();
        let made = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| symlink(target, &path));
        made.map_err(|error| failed(&path, &error))?;
    }
    Ok(is_there)
}

/// The path in `to`; a tree that was made by hand may hold one that leads out of it.
fn below(to: &Path, path: &str) -> Result<PathBuf, GitError> {
    let is_plain = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    if is_plain {
        Ok(to.join(path))
    } else {
        Err(GitError(format!("the path `{path}` leads out of its folder")))
    }
}

fn write(path: &Path, octets: &[u8], mode: u32) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?.write_all(octets)
}

fn failed(path: &Path, error: &io::Error) -> GitError {
    GitError(format!("cannot write `{}`: {error}", path.display()))
}
