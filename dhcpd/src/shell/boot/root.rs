//! Files below the boot root, and nothing else.
//!
//! The kernel resolves paths (`openat2` with `RESOLVE_BENEATH`): a symbolic link may point to another
//! place below the root, and never out of it, whoever races with whom.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};

use crate::boot::BootEvent;

/// The directory that boot files are served from.
#[derive(Clone, Debug)]
pub(super) struct BootRoot {
    path: PathBuf,
}

/// An open file.
#[derive(Debug)]
pub(super) struct BootFile {
    file: File,
    /// Octets when it was opened.
    pub(super) size: u64,
}

impl BootRoot {
    pub(super) fn new(path: &Path) -> BootRoot {
        BootRoot { path: path.to_owned() }
    }

    /// Why nothing can be served, if the root cannot be opened.
    pub(super) fn problem(&self) -> Option<String> {
        let error = std::fs::read_dir(&self.path).err()?;
        Some(format!("the boot root `{}` cannot be read: {error}", self.path.display()))
    }

    /// Opens a file by its relative path. The root is looked up anew, so that it can be swapped.
    pub(super) fn open(&self, path: &str) -> Result<BootFile, BootEvent> {
        let root = File::open(&self.path).map_err(|error| event_of(&error))?;
        let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        let resolve = ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS;
        let how = OpenHow::new().flags(flags).resolve(resolve);
        let file = openat2(&root, path, how).map_err(|errno| match errno {
            Errno::EXDEV => BootEvent::OutsideRoot,
            other => event_of(&other.into()),
        })?;
        let file = File::from(file);
        let metadata = file.metadata().map_err(|error| event_of(&error))?;
        if !metadata.is_file() {
            return Err(BootEvent::Unreadable);
        }
        Ok(BootFile { file, size: metadata.len() })
    }
}

impl BootFile {
    /// Reads `octets` at `offset`; fewer only at the end of the file, which may have been cut since.
    pub(super) fn read(&self, offset: u64, octets: usize, out: &mut Vec<u8>) -> io::Result<()> {
        let start = out.len();
        out.resize(start + octets, 0);
        let mut filled = 0;
        while filled < octets {
            let room = out.get_mut(start + filled..).unwrap_or_default();
            match self.file.read_at(room, offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    out.truncate(start);
                    return Err(error);
                }
            }
        }
        out.truncate(start + filled);
        Ok(())
    }
}

fn event_of(error: &io::Error) -> BootEvent {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => BootEvent::NotFound,
        _ => BootEvent::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::TempDir;
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn tree() -> (TempDir, BootRoot) {
        let temp = TempDir::new("bootroot");
        let root = temp.path().join("root");
        fs::create_dir_all(root.join("sub")).unwrap();
        fs::write(temp.path().join("secret"), b"secret").unwrap();
        fs::write(root.join("sub/file"), b"0123456789").unwrap();
        (temp, BootRoot::new(&root))
    }

    #[test]
    fn files_are_read_at_any_place() {
        let (_temp, root) = tree();
        let file = root.open("sub/file").unwrap();
        let mut out = b"x".to_vec();
        file.read(7, 2, &mut out).unwrap();
        file.read(8, 100, &mut out).unwrap();
        file.read(100, 5, &mut out).unwrap();
        assert_eq!((file.size, &out[..]), (10, &b"x7889"[..]));
    }

    #[test]
    fn links_are_followed_within_the_root_and_never_out_of_it() {
        let (temp, root) = tree();
        let path = temp.path().join("root");
        symlink("sub/file", path.join("inside")).unwrap();
        symlink("../secret", path.join("relative")).unwrap();
        symlink(temp.path().join("secret"), path.join("absolute")).unwrap();
        symlink("..", path.join("up")).unwrap();
        symlink("../../secret", path.join("sub/deep")).unwrap();
        assert_eq!(root.open("inside").unwrap().size, 10);
        for escape in ["relative", "absolute", "up/secret", "sub/deep"] {
            assert_eq!(root.open(escape).unwrap_err(), BootEvent::OutsideRoot, "{escape}");
        }
    }

    #[test]
    fn what_is_no_file_is_not_served() {
        let (temp, root) = tree();
        nix::unistd::mkfifo(&temp.path().join("root/pipe"), nix::sys::stat::Mode::from_bits_truncate(0o600))
            .unwrap();
        assert_eq!(root.open("sub").unwrap_err(), BootEvent::Unreadable);
        assert_eq!(root.open("pipe").unwrap_err(), BootEvent::Unreadable, "and nobody waits for a writer");
        assert_eq!(root.open("none").unwrap_err(), BootEvent::NotFound);
        assert_eq!(root.open("sub/file/none").unwrap_err(), BootEvent::NotFound);
        assert!(root.problem().is_none());
        assert!(BootRoot::new(Path::new("/nonexistent")).problem().unwrap().contains("`/nonexistent`"));
    }
}
