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
