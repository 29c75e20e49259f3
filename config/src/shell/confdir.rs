//! Configuration directories: where types, explorers and manifests come from.
//!
//! Later directories win entry by entry: a whole type, one explorer. The merged view is a directory of
//! links, as scripts expect to find it below `$__global/conf`.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::core::types::{Type, TypeFiles, Types};

/// Parts of a configuration directory that are merged.
const PARTS: [&str; 4] = ["explorer", "files", "manifest", "type"];

/// Everything that the configuration directories hold together.
#[derive(Debug, Default)]
pub struct Conf {
    /// By part, by entry: where it is.
    entries: BTreeMap<&'static str, BTreeMap<String, PathBuf>>,
    /// The types.
    pub types: Arc<Types>,
    /// Odd things that were left out.
    pub warnings: Vec<String>,
}

impl Conf {
    /// Reads the directories, least important first. One that does not exist counts as empty unless
    /// `must_exist` says otherwise for it.
    ///
    /// # Errors
    /// A directory or a file of a type cannot be read.
    pub fn read(directories: &[(PathBuf, bool)]) -> io::Result<Conf> {
        let mut conf = Conf::default();
        for (at, (directory, must_exist)) in directories.iter().enumerate() {
            if directories.iter().take(at).any(|(earlier, _)| earlier == directory) {
                continue;
            }
            if *must_exist && !directory.is_dir() {
                let what = format!("configuration directory `{}` does not exist", directory.display());
                return Err(io::Error::new(io::ErrorKind::NotFound, what));
            }
            for part in PARTS {
                conf.add(part, &directory.join(part))?;
            }
        }
        let read = |(name, path): (&String, &PathBuf)| {
            let files = type_files(path).map_err(|error| {
                io::Error::new(error.kind(), format!("type `{name}` in {}: {error}", path.display()))
            })?;
            Ok((name.clone(), Arc::new(Type::read(name, &files))))
        };
        let types: io::Result<Types> = conf.part("type").iter().map(read).collect();
        conf.types = Arc::new(types?);
        Ok(conf)
    }

    /// Entries of a part by name.
    pub fn part(&self, part: &'static str) -> &BTreeMap<String, PathBuf> {
        static NONE: BTreeMap<String, PathBuf> = BTreeMap::new();
        self.entries.get(part).unwrap_or(&NONE)
    }

    /// Makes the merged view: a directory per part, a link per entry.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn link_into(&self, view: &Path) -> io::Result<()> {
        for part in PARTS {
            let directory = view.join(part);
            std::fs::create_dir_all(&directory)?;
            for (name, target) in self.part(part) {
                symlink(target, directory.join(name))?;
            }
        }
        Ok(())
    }

    fn add(&mut self, part: &'static str, directory: &Path) -> io::Result<()> {
        let listing = match std::fs::read_dir(directory) {
            Ok(listing) => listing,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        for entry in listing {
            let path = std::path::absolute(entry?.path())?;
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if part == "type" && (name.starts_with('.') || !path.is_dir()) {
                if !name.starts_with('.') {
                    self.warnings.push(format!("`{}` is no type: not a directory", path.display()));
                }
                continue;
            }
            self.entries.entry(part).or_default().insert(name.to_owned(), path.clone());
        }
        Ok(())
    }
}

/// Files of a type that declare something, with their content where it matters.
fn type_files(directory: &Path) -> io::Result<TypeFiles> {
    let mut files = TypeFiles::new();
    for part in [
        "",
        "explorer",
        "parameter",
        "parameter/default",
        "parameter/deprecated",
        "manifest",
        "gencode-local",
        "gencode-remote",
    ] {
        let listing = match std::fs::read_dir(directory.join(part)) {
            Ok(listing) => listing,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                continue;
            }
            Err(error) => return Err(error),
        };
        for entry in listing {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !entry.path().is_file() || name.starts_with('.') && !part.is_empty() {
                continue;
            }
            let declares = part.starts_with("parameter") || part.is_empty() && name == "deprecated";
            let text = if declares { std::fs::read(entry.path())? } else { Vec::new() };
            let path = if part.is_empty() { name } else { format!("{part}/{name}") };
            files.insert(path, String::from_utf8_lossy(&text).into_owned());
        }
    }
    Ok(files)
}

/// Splits `CDIST_PATH`: `:` between directories, `\:` for a colon in one.
pub fn split_path(text: &str) -> Vec<PathBuf> {
    let (mut parts, mut part) = (Vec::new(), String::new());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\\' if chars.next_if_eq(&':').is_some() => part.push(':'),
            ':' => parts.push(std::mem::take(&mut part)),
            other => part.push(other),
        }
    }
    parts.push(part);
    parts.into_iter().filter(|part| !part.is_empty()).map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colon_may_be_escaped() {
        assert_eq!(split_path(r"/a:/b\:c::/d"), ["/a", "/b:c", "/d"].map(PathBuf::from));
        assert_eq!(split_path(""), Vec::<PathBuf>::new());
    }
}
