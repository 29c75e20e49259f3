//! Editing as editors do: write beside, rename over.

use std::fs;
use std::path::Path;

use crate::exit::Failure;

/// Replaces the one occurrence of `old` in `path`.
pub(super) fn replace(path: &Path, old: &str, new: &str) -> Result<(), Failure> {
    let text = fs::read_to_string(path)?;
    if text.matches(old).count() != 1 {
        let message = format!(
            "`{old}` is not in `{}` exactly once: the demo needs the inventory examples/lab",
            path.display()
        );
        return Err(Failure::new(message));
    }
    let beside = path.with_extension("toml.new");
    fs::write(&beside, text.replacen(old, new, 1))?;
    fs::rename(&beside, path)?;
    Ok(())
}
