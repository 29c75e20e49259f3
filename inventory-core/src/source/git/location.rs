//! Where in a repository an inventory is: `PATH.git#branch`, or `PATH.git#branch:folder`.

use std::path::{Path, PathBuf};

/// A branch of a repository, and a folder in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The repository: a bare one, or a work tree's directory.
    pub repository: PathBuf,
    /// The branch, or anything else that git calls a revision.
    pub branch: String,
    /// Folder of the inventory in the tree, with a slash at its end; empty for the whole.
    pub prefix: String,
}

impl Location {
    /// `None` if `place` has no `#`, or is there as a directory.
    pub fn parse(place: &Path) -> Option<Location> {
        let (repository, rest) = place.to_str()?.rsplit_once('#')?;
        if repository.is_empty() || rest.is_empty() || place.is_dir() {
            return None;
        }
        let (branch, folder) = rest.split_once(':').unwrap_or((rest, ""));
        let folder = folder.trim_matches('/');
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        Some(Location { repository: repository.into(), branch: branch.to_owned(), prefix })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_and_folders_are_told_from_directories() {
        let location = Location::parse(Path::new("/srv/site.git#main")).unwrap();
        assert_eq!(location.repository, Path::new("/srv/site.git"));
        assert_eq!((location.branch.as_str(), location.prefix.as_str()), ("main", ""));
        let location = Location::parse(Path::new("site.git#customers/a:lab/")).unwrap();
        assert_eq!((location.branch.as_str(), location.prefix.as_str()), ("customers/a", "lab/"));
        for other in ["/etc/hostbook", "#main", "site.git#"] {
            assert_eq!(Location::parse(Path::new(other)), None, "{other}");
        }
    }
}
