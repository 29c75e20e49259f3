//! A place for a test: an inventory that it edits, and the daemons' files beside it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::temp::TempDir;

/// A directory with an inventory, state directories, control sockets and logs. It goes away with the value.
#[derive(Debug)]
pub struct Place {
    directory: TempDir,
}

impl Place {
    /// A place with an empty inventory directory.
    pub fn empty() -> Place {
        let place = Place { directory: TempDir::new("place") };
        fs::create_dir(place.inventory()).unwrap();
        place
    }

    /// A place with a copy of `examples/lab`.
    pub fn lab() -> Place {
        Place::example("lab")
    }

    /// A place with a copy of an example.
    pub fn example(name: &str) -> Place {
        let place = Place::empty();
        copy_tree(&workspace().join("examples").join(name), &place.inventory());
        place
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Root of the inventory.
    pub fn inventory(&self) -> PathBuf {
        self.path().join("inventory")
    }

    /// State directory of a daemon (`dhcpd`, `dnsd`).
    pub fn state(&self, daemon: &str) -> PathBuf {
        self.path().join("state").join(daemon)
    }

    /// Control socket of a daemon.
    pub fn control(&self, daemon: &str) -> PathBuf {
        self.path().join(format!("{daemon}.sock"))
    }

    /// Saves a file of the inventory as editors do: written beside, renamed over.
    pub fn save(&self, file: &str, text: &str) {
        let path = self.inventory().join(file);
        let beside = path.with_extension("toml.new");
        fs::write(&beside, text).unwrap();
        fs::rename(&beside, &path).unwrap();
    }

    /// Replaces the one occurrence of `old` in a file and saves it.
    ///
    /// # Panics
    /// It occurs never or more than once.
    pub fn edit(&self, file: &str, old: &str, new: &str) {
        let text = fs::read_to_string(self.inventory().join(file)).unwrap();
        assert_eq!(text.matches(old).count(), 1, "`{old}` in {file}");
        self.save(file, &text.replacen(old, new, 1));
    }
}

/// Root of the workspace.
///
/// # Panics
/// Never: this package has a parent directory.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn copy_tree(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}
