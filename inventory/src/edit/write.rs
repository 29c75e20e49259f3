//! Writing a file as a whole: others see the old text or the new one, never a part.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};

/// A new text beside the file that it is to replace. Dropped before that, it goes.
#[derive(Debug)]
pub(super) struct Prepared {
    temporary: PathBuf,
    target: PathBuf,
    /// What the file must still hold; `None`: it must not be there.
    before: Option<String>,
    done: Done,
}

/// What became of the file so far, and so how it is undone.
#[derive(Debug, PartialEq, Eq)]
enum Done {
    Nothing,
    /// The old text is under the temporary name.
    Exchanged,
    /// There was no file.
    Created,
    /// The old text is gone.
    Replaced,
}

/// Why a file was not replaced.
#[derive(Debug)]
pub(super) enum WriteError {
    /// Somebody else changed it.
    Changed(PathBuf),
    /// The system refused.
    System(PathBuf, io::Error),
}

impl std::fmt::Display for WriteError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            WriteError::Changed(path) => write!(
                f,
                "`{}` was changed by somebody else in this moment; nothing of it is lost: run the command again",
                path.display()
            ),
            WriteError::System(path, error) => write!(f, "cannot write `{}`: {error}", path.display()),
        }
    }
}

impl Prepared {
    /// Writes `text` to disk, beside `path`, with the mode and owner of what is there now.
    pub(super) fn new(path: &Path, before: Option<String>, text: &str) -> Result<Prepared, WriteError> {
        let failed = |error| WriteError::System(path.to_owned(), error);
        // A link stays a link: what it points to is replaced.
        let target = if before.is_some() { fs::canonicalize(path).map_err(failed)? } else { path.to_owned() };
        let directory = parent(&target);
        fs::create_dir_all(directory).map_err(failed)?;
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        // The lock excludes other edits, so whatever has this name was left behind by one that was killed.
        let temporary = directory.join(format!(".{name}.hostbook-edit"));
        let _ = fs::remove_file(&temporary);
        let prepared = Prepared { temporary, target, before, done: Done::Nothing };
        prepared.write(text).map_err(failed)?;
        Ok(prepared)
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&self.temporary)?;
        if let Ok(old) = fs::metadata(&self.target) {
            file.set_permissions(fs::Permissions::from_mode(old.mode() & 0o7777))?;
            let new = file.metadata()?;
            if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
                // Only root may give files away; for others the directory says who may write there.
                let _ = fchown(&file, Some(old.uid()), Some(old.gid()));
            }
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()
    }

    /// Puts the new text in place, if the file still holds what was read.
    pub(super) fn commit(&mut self) -> Result<(), WriteError> {
        let target = self.target.clone();
        let failed = |error: io::Error| WriteError::System(target.clone(), error);
        let changed = || WriteError::Changed(target.clone());
        let Some(before) = &self.before else {
            match rename(&self.temporary, &self.target, RenameFlags::RENAME_NOREPLACE) {
                Ok(()) => self.done = Done::Created,
                Err(Errno::EEXIST) => return Err(changed()),
                Err(error) => return Err(failed(error.into())),
            }
            return sync_directory(&self.target).map_err(failed);
        };
        if !holds(&self.target, before) {
            return Err(changed());
        }
        match rename(&self.temporary, &self.target, RenameFlags::RENAME_EXCHANGE) {
            // What was there at this very moment is now under the temporary name, and can be looked at.
            Ok(()) if !holds(&self.temporary, before) => {
                self.exchange().map_err(|error| failed(error.into()))?;
                return Err(changed());
            }
            Ok(()) => self.done = Done::Exchanged,
            // A file system that cannot exchange.
            Err(Errno::EINVAL | Errno::ENOSYS) => {
                fs::rename(&self.temporary, &self.target).map_err(failed)?;
                self.done = Done::Replaced;
            }
            Err(error) => return Err(failed(error.into())),
        }
        sync_directory(&self.target).map_err(failed)
    }

    /// Undoes the commit, for an edit of several files of which another one could not be written.
    /// Returns whether the file is as it was.
    pub(super) fn undo(self) -> bool {
        match self.done {
            Done::Nothing => true,
            Done::Exchanged => self.exchange().is_ok(),
            Done::Created => fs::remove_file(&self.target).is_ok(),
            Done::Replaced => false,
        }
    }

    fn exchange(&self) -> Result<(), Errno> {
        rename(&self.temporary, &self.target, RenameFlags::RENAME_EXCHANGE)
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        // After an exchange this is the old text; it may be gone already.
        let _ = fs::remove_file(&self.temporary);
    }
}

fn rename(from: &Path, to: &Path, flags: RenameFlags) -> Result<(), Errno> {
    renameat2(AT_FDCWD, from, AT_FDCWD, to, flags)
}

fn holds(path: &Path, text: &str) -> bool {
    fs::read(path).is_ok_and(|octets| octets == text.as_bytes())
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(parent(path))?.sync_all()
}

/// The directory of `path`, which is no directory itself.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("hostbook-write-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        path
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_mode_stays_and_nothing_is_left_behind() {
        let root = directory("mode");
        let file = root.join("a.toml");
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        Prepared::new(&file, Some("old".into()), "new").unwrap().commit().unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o640);
        assert_eq!(names(&root), ["a.toml"]);
    }

    #[test]
    fn a_file_that_somebody_else_changed_stays_as_they_left_it() {
        let root = directory("changed");
        let file = root.join("a.toml");
        fs::write(&file, "old").unwrap();
        let mut prepared = Prepared::new(&file, Some("old".into()), "new").unwrap();
        fs::write(&file, "theirs").unwrap();
        assert!(matches!(prepared.commit(), Err(WriteError::Changed(_))));
        drop(prepared);
        assert_eq!(fs::read_to_string(&file).unwrap(), "theirs");
        let other = root.join("b.toml");
        let mut prepared = Prepared::new(&other, None, "new").unwrap();
        fs::write(&other, "theirs").unwrap();
        assert!(matches!(prepared.commit(), Err(WriteError::Changed(_))));
        drop(prepared);
        assert_eq!(fs::read_to_string(&other).unwrap(), "theirs");
        assert_eq!(names(&root), ["a.toml", "b.toml"]);
    }

    #[test]
    fn a_link_stays_a_link() {
        let root = directory("link");
        fs::write(root.join("real.toml"), "old").unwrap();
        std::os::unix::fs::symlink("real.toml", root.join("a.toml")).unwrap();
        Prepared::new(&root.join("a.toml"), Some("old".into()), "new").unwrap().commit().unwrap();
        assert!(fs::symlink_metadata(root.join("a.toml")).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(root.join("real.toml")).unwrap(), "new");
    }
}
