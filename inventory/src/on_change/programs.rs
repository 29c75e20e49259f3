//! The programs of the hooks' directory, and whether they may be trusted.
//!
//! Whoever can write a hook has what the hooks' user has. So a program counts only if nobody but root and
//! that user can change it, or replace it in its directory.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;

/// What a directory holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Programs {
    /// Those that are run, in the order of their names.
    pub(super) trusted: Vec<PathBuf>,
    /// Why others are not, in a line each.
    pub(super) refused: Vec<String>,
}

/// Looks at `directory`. Files that are not executable, hidden, or left by an editor or a package manager
/// are no programs.
pub(super) fn look(directory: &Path) -> Programs {
    match try_look(directory) {
        Ok(programs) => programs,
        Err(error) => {
            let refused =
                vec![format!("cannot read the hooks' directory `{}`: {error}", directory.display())];
            Programs { trusted: Vec::new(), refused }
        }
    }
}

fn try_look(directory: &Path) -> io::Result<Programs> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if is_name_of_program(&entry.file_name().to_string_lossy()) {
            paths.push(entry.path());
        }
    }
    paths.sort();
    let mut programs = Programs::default();
    let why = distrust(&std::fs::metadata(directory)?);
    for path in paths {
        // What a link leads to is what is run.
        let metadata = std::fs::metadata(&path);
        match metadata {
            Ok(metadata) if !metadata.is_file() || metadata.permissions().mode() & 0o111 == 0 => {}
            Ok(metadata) => match why.or_else(|| distrust(&metadata)) {
                None => programs.trusted.push(path),
                Some(why) => programs.refused.push(format!("hook `{}` is not run: {why}", name(&path))),
            },
            Err(error) => programs.refused.push(format!("hook `{}` is not run: {error}", name(&path))),
        }
    }
    Ok(programs)
}

/// The name of a hook, for messages.
pub(super) fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn is_name_of_program(name: &str) -> bool {
    let left_over = ["~", ".bak", ".orig", ".rej", ".swp", ".rpmnew", ".rpmsave"];
    !name.starts_with('.')
        && !name.contains(".dpkg-")
        && !left_over.iter().any(|ending| name.ends_with(ending))
}

/// Why whoever else can write a file or directory makes it unsafe; `None` if nobody else can.
fn distrust(metadata: &Metadata) -> Option<&'static str> {
    let owner = metadata.uid();
    if owner != 0 && owner != geteuid().as_raw() {
        return Some(
            "it or its directory belongs to somebody else than root and the hooks' user (chown root)",
        );
    }
    let others = metadata.permissions().mode() & 0o022 != 0;
    others.then_some("others may write it or its directory (chmod go-w)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A directory of its own, with `files` and their modes.
    fn directory(name: &str, files: &[(&str, u32)]) -> PathBuf {
        let directory = std::env::temp_dir().join(format!("hostbook-hooks-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).unwrap();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
        for (name, mode) in files {
            fs::write(directory.join(name), "#!/bin/sh\n").unwrap();
            fs::set_permissions(directory.join(name), fs::Permissions::from_mode(*mode)).unwrap();
        }
        directory
    }

    #[test]
    fn programs_are_run_by_name_and_what_is_none_is_passed_over() {
        let files =
            [("20-b", 0o755), ("10-a.sh", 0o700), ("README", 0o644), (".hidden", 0o755), ("10-a.sh~", 0o755)];
        let directory = directory("names", &files);
        fs::create_dir(directory.join("sub")).unwrap();
        let programs = look(&directory);
        assert_eq!(programs.trusted, [directory.join("10-a.sh"), directory.join("20-b")]);
        assert!(programs.refused.is_empty(), "{:?}", programs.refused);
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn what_others_may_write_is_not_run_and_named() {
        let there = directory("modes", &[("fine", 0o755), ("open", 0o775)]);
        let programs = look(&there);
        assert_eq!(programs.trusted, [there.join("fine")]);
        assert!(programs.refused[0].starts_with("hook `open` is not run: others may write it"));
        fs::set_permissions(&there, fs::Permissions::from_mode(0o777)).unwrap();
        let programs = look(&there);
        assert!(programs.trusted.is_empty() && programs.refused.len() == 2, "{programs:?}");
        fs::remove_dir_all(&there).unwrap();
        let gone = look(&there);
        assert!(gone.refused[0].starts_with("cannot read the hooks' directory"), "{gone:?}");
    }
}
