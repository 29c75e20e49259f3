//! The standard types and explorers. They are part of the program, so they are found wherever it is.

use std::fs;
use std::io;
use std::path::Path;

/// Path and content of every file.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/own.rs"));

/// Writes them below `directory` as a configuration directory.
///
/// # Errors
/// The file system refuses.
pub fn unpack(directory: &Path) -> io::Result<()> {
    for (path, content) in FILES {
        let path = directory.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, content)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_carries_the_files_of_this_checkout() {
        let place = std::env::temp_dir().join(format!("own-{}", std::process::id()));
        unpack(&place).unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let compared = compare(&root.join("types"), &place.join("type"))
            + compare(&root.join("explorers"), &place.join("explorer"));
        fs::remove_dir_all(&place).unwrap();
        assert!(compared > 100, "only {compared} files");
    }

    /// Compares every file below `here` with the one below `there`; how many there are.
    fn compare(here: &Path, there: &Path) -> usize {
        let entries = fs::read_dir(here).unwrap().map(|entry| entry.unwrap());
        let counts =
            entries.filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b".")).map(|entry| {
                let (path, other) = (entry.path(), there.join(entry.file_name()));
                if path.is_dir() {
                    return compare(&path, &other);
                }
                assert!(fs::read(&path).unwrap() == fs::read(&other).unwrap(), "{}", path.display());
                1
            });
        counts.sum()
    }
}
