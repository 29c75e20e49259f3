//! Directories of a run on the source host: one for the run, in it one per host, laid out as cdist's scripts
//! expect it. All of it is private, in memory where the system has such a place, and gone at the end.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};

use daemon::random::octets;
use nix::sys::statvfs::{FsFlags, statvfs};

use super::client::{KNOWN_HOST, REMOTE_COPY, REMOTE_EXEC, SECRET};
use super::confdir::Conf;
use super::secrets::is_in_memory;
use crate::core::hex::hex;
use crate::core::model::Object;
use crate::core::name::ObjectName;

/// The directory of a run. Removed when dropped, unless it is to be kept.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    keep: bool,
}

impl RunDir {
    /// Makes a new directory: below `place`, where it is kept, or else in memory. Scripts of a branch lie in it and are
    /// executed there, so it comes to lie where the system allows that, unless no place does, or none in memory and it
    /// `must_be_in_memory`. Whether it is in memory is for the caller to see: [`is_in_memory`].
    ///
    /// # Errors
    /// No place for it is writable.
    pub fn create(place: Option<&Path>, must_be_in_memory: bool) -> io::Result<RunDir> {
        let name = format!("hostbook-{}", random_hex::<8>()?);
        let mut places = Vec::new();
        if let Some(place) = place {
            fs::create_dir_all(place)?;
            places.push(std::path::absolute(place)?);
            if places.iter().any(|place| is_too_long(place)) {
                let why = format!("`{}` is too long for the sockets that would lie in it", place.display());
                return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
            }
        } else {
            places.extend(std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from));
            places.extend([PathBuf::from("/dev/shm"), std::env::temp_dir()]);
            places.retain(|place| !is_too_long(place));
        }
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        let (mut without_programs, mut on_disk) = (None, None);
        for path in places.iter().map(|place| place.join(&name)) {
            if let Err(error) = fs::DirBuilder::new().mode(0o700).create(&path) {
                last = error;
                continue;
            }
            let made = RunDir { path, keep: place.is_some() };
            let fits = !must_be_in_memory || is_in_memory(&made.path);
            if place.is_some() || fits && runs_programs(&made.path) {
                return Ok(made);
            }
            let second_best = if fits { &mut without_programs } else { &mut on_disk };
            second_best.get_or_insert(made);
        }
        without_programs.or(on_disk).ok_or(last)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The engine's socket.
    pub fn socket(&self) -> PathBuf {
        self.path.join("s")
    }

    /// The program behind `$__remote_exec` or `$__remote_copy`.
    pub fn tool(&self, name: &str) -> PathBuf {
        self.path.join("tool").join(name)
    }

    /// Lays out what all hosts share: the merged configuration, and links to `client` for every type and for
    /// the programs beside them.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn lay_out(&self, conf: &Conf, client: &Path) -> io::Result<()> {
        conf.link_into(&self.path.join("conf"))?;
        let (bin, tool) = (self.path.join("bin"), self.path.join("tool"));
        fs::create_dir(&bin)?;
        fs::create_dir(&tool)?;
        for name in conf.types.keys() {
            symlink(client, bin.join(name))?;
        }
        symlink(client, bin.join(SECRET))?;
        [REMOTE_EXEC, REMOTE_COPY, KNOWN_HOST].iter().try_for_each(|name| symlink(client, tool.join(name)))
    }
}

impl Drop for RunDir {
    fn drop(&mut self) {
        if !self.keep {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Directories of one host.
#[derive(Clone, Debug)]
pub struct HostDirs {
    root: PathBuf,
    marker: String,
}

impl HostDirs {
    /// Lays out the directories of host `number`.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn create(run: &RunDir, number: usize) -> io::Result<HostDirs> {
        let root = run.path().join(number.to_string());
        let dirs = HostDirs { root, marker: format!(".cdist-{}", random_hex::<4>()?) };
        let data = dirs.global();
        for directory in ["explorer", "object", "stdout", "stderr", "inventory"] {
            fs::create_dir_all(data.join(directory))?;
        }
        for shared in ["conf", "bin"] {
            symlink(run.path().join(shared), data.join(shared))?;
        }
        for file in ["messages", "typeorder"] {
            fs::write(data.join(file), "")?;
        }
        fs::write(data.join("object_marker"), format!("{}\n", dirs.marker))?;
        Ok(dirs)
    }

    /// `$__global`.
    pub fn global(&self) -> PathBuf {
        self.root.join("data")
    }

    /// The object marker.
    pub fn marker(&self) -> &str {
        &self.marker
    }

    /// A file of the host that is not for scripts.
    pub fn own(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// `$__object`.
    pub fn object(&self, name: &ObjectName) -> PathBuf {
        self.global().join("object").join(name.directory(&self.marker))
    }

    /// Writes an object's parameters, anew.
    ///
    /// # Errors
    /// The file system refuses; the id may be too long for it.
    pub fn write_values(&self, object: &Object) -> io::Result<()> {
        let path = self.object(&object.name);
        for directory in ["parameter", "explorer", "stdout", "stderr"] {
            fs::create_dir_all(path.join(directory))?;
        }
        let parameters = path.join("parameter");
        for old in fs::read_dir(&parameters)? {
            fs::remove_file(old?.path())?;
        }
        object.values.iter().try_for_each(|(name, value)| fs::write(parameters.join(name), value.file()))
    }

    /// Writes what ties an object to others.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn write_ties(&self, object: &Object) -> io::Result<()> {
        let path = self.object(&object.name);
        let lists = [
            ("require", &object.requires),
            ("autorequire", &object.autorequires),
            ("children", &object.children),
            ("parents", &object.parents),
        ];
        for (file, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            let lines: String = list.iter().map(|name| format!("{name}\n")).collect();
            fs::write(path.join(file), lines)?;
        }
        let sources: String = object.sources.iter().map(|source| format!("{source}\n")).collect();
        fs::write(path.join("source"), sources)
    }

    /// Takes away what a type's scripts left in an object's directory, so that its code can be generated
    /// as if for the first time.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn forget_generated(&self, name: &ObjectName) -> io::Result<()> {
        const KEPT: [&str; 12] = [
            "parameter",
            "explorer",
            "stdin",
            "stdout",
            "stderr",
            "require",
            "autorequire",
            "children",
            "parents",
            "source",
            "typeorder",
            "state",
        ];
        for entry in fs::read_dir(self.object(name))? {
            let entry = entry?;
            if KEPT.iter().any(|kept| entry.file_name() == *kept) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Appends a line to a file of `$__global`.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn append(&self, file: &Path, text: &[u8]) -> io::Result<()> {
        fs::OpenOptions::new().create(true).append(true).open(file)?.write_all(text)
    }
}

/// Whether the system executes programs that lie in the directory: its file system is not mounted `noexec`.
fn runs_programs(directory: &Path) -> bool {
    statvfs(directory).is_ok_and(|about| !about.flags().contains(FsFlags::ST_NOEXEC))
}

/// Whether sockets below `place` would have too long a name: 107 octets is all that the system takes, and ssh adds
/// some of its own while it makes one.
fn is_too_long(place: &Path) -> bool {
    const OWN: usize = "/hostbook-0123456789abcdef/99999/m.0123456789abcdef".len();
    place.as_os_str().len() + OWN > 107
}

/// `OCTETS` random octets in hexadecimal.
///
/// # Errors
/// The system has no random numbers.
pub fn random_hex<const OCTETS: usize>() -> io::Result<String> {
    Ok(hex(&octets::<OCTETS>()?))
}
