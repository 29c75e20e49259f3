//! Replacing a file so that a crash at any moment leaves the old or the new contents.
//!
//! Write beside it, sync, rename over it, sync the directory: only the last makes the rename itself
//! survive a power cut.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::Ordering;

use super::{StateDir, StateError};

const TEMPORARY: &str = ".tmp";

impl StateDir {
    /// As [`write`](StateDir::write), with the contents that `fill` writes (buffered).
    ///
    /// An error of `fill` is passed on as that of the write.
    pub fn replace(
        &self,
        name: &str,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), StateError> {
        self.replace_with_mode(name, 0o640, fill)
    }

    pub(super) fn replace_with_mode(
        &self,
        name: &str,
        mode: u32,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), StateError> {
        let path = self.path.join(name);
        let number = self.next_temporary.fetch_add(1, Ordering::Relaxed);
        let temporary = self.path.join(format!(".{name}.{number}{TEMPORARY}"));
        let written = write_new(&temporary, mode, fill).and_then(|()| fs::rename(&temporary, &path));
        if let Err(error) = written {
            let _ = fs::remove_file(&temporary);
            return Err(StateError::new("write", &path, error));
        }
        let synced = File::open(&self.path).and_then(|directory| directory.sync_all());
        synced.map_err(|error| StateError::new("sync", &self.path, error))
    }

    /// Removes what interrupted writes of earlier processes left. Failures are harmless.
    pub(super) fn remove_leftovers(&self) {
        let Ok(entries) = fs::read_dir(&self.path) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with('.') && name.ends_with(TEMPORARY) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

fn write_new(path: &Path, mode: u32, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    let mut buffered = BufWriter::with_capacity(64 * 1024, file);
    fill(&mut buffered)?;
    buffered.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::Explain;
    use crate::sys::fork::in_child;
    use crate::testing::TempDir;
    use nix::mount::{MsFlags, mount};
    use nix::sched::{CloneFlags, unshare};

    #[test]
    fn a_write_that_fails_half_way_leaves_the_old_contents_and_no_leftover() {
        let temp = TempDir::new("replace");
        let state = StateDir::open(temp.path(), None).unwrap();
        state.write("leases", b"old").unwrap();
        let result = state.replace("leases", |file| {
            file.write_all(b"half of the new")?;
            Err(io::Error::from_raw_os_error(libc::EIO))
        });
        assert!(result.unwrap_err().to_string().contains("input/output error"));
        assert_eq!(state.read("leases").unwrap().unwrap(), b"old");
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 2); // the file and the lock
    }

    #[test]
    fn leftovers_of_a_crash_are_removed_at_the_next_start_and_nothing_else() {
        let temp = TempDir::new("replace");
        for name in [".leases.3.tmp", ".keep", "other.tmp"] {
            fs::write(temp.path().join(name), b"x").unwrap();
        }
        let state = StateDir::open(temp.path(), None).unwrap();
        assert!(!temp.path().join(".leases.3.tmp").exists());
        assert!(state.read(".keep").unwrap().is_some() && state.read("other.tmp").unwrap().is_some());
    }

    #[test]
    fn a_full_and_a_read_only_disk_are_reported_and_what_was_there_stays() {
        if !nix::unistd::geteuid().is_root() {
            println!("skipped: needs root to mount a small file system");
            return;
        }
        let temp = TempDir::new("replace");
        in_child(|| on_a_small_disk(temp.path()));
    }

    fn on_a_small_disk(path: &Path) {
        let none = None::<&str>;
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
        mount(Some("tmpfs"), path, Some("tmpfs"), MsFlags::empty(), Some("size=64k")).unwrap();
        let state = StateDir::open(path, None).unwrap();
        state.write("file", b"old").unwrap();
        state.check_writable().unwrap();

        let full = state.write("file", &[1; 128 * 1024]).unwrap_err();
        assert!(full.is_full() && full.help().unwrap().contains("df -h"), "{full}");
        fs::write(path.join("ballast"), vec![0; 128 * 1024]).unwrap_err();
        assert!(state.check_writable().unwrap_err().is_full());
        assert_eq!(state.read("file").unwrap().unwrap(), b"old");
        fs::remove_file(path.join("ballast")).unwrap();
        state.check_writable().unwrap();

        // A second mount over the first: that one cannot turn read-only while the lock is open in it.
        mount(Some(path), path, none, MsFlags::MS_BIND, none).unwrap();
        let read_only = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        mount(none, path, none, read_only, none).unwrap();
        let error = state.check_writable().unwrap_err();
        assert!(error.help().unwrap().contains("read-only"), "{error}");
        assert_eq!(state.read("file").unwrap().unwrap(), b"old");
    }
}
