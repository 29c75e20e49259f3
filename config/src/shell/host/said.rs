//! What scripts wrote beside code and what explorers found: it is kept in files, for whoever asks for it.

use std::fs;
use std::path::Path;

use crate::shell::report::Output;

/// Octets that are kept of what a script wrote, the last ones.
const SHOWN: usize = 4000;

/// Scripts in the order in which they run; those whose standard output is for people, too.
const SCRIPTS: [(&str, bool); 6] = [
    ("init", true),
    ("manifest", true),
    ("gencode-local", false),
    ("gencode-remote", false),
    ("code-local", true),
    ("code-remote", true),
];

/// What the scripts wrote whose streams are kept in `directory`, explorers first; only those that wrote something.
pub(super) fn said(directory: &Path) -> Vec<Output> {
    let listing = fs::read_dir(directory.join("stderr")).into_iter().flatten().flatten();
    let names = listing.filter_map(|entry| entry.file_name().into_string().ok());
    let mut explorers: Vec<String> = names.filter(|name| name.starts_with("explorer-")).collect();
    explorers.sort();
    let explorers = explorers.iter().map(|name| (name.as_str(), false));
    explorers.chain(SCRIPTS).filter_map(|(name, both)| output(directory, name, both)).collect()
}

fn output(directory: &Path, name: &str, both: bool) -> Option<Output> {
    let read = |stream: &str| fs::read(directory.join(stream).join(name)).unwrap_or_default();
    let octets = [if both { read("stdout") } else { Vec::new() }, read("stderr")].concat();
    let end = octets.get(octets.len().saturating_sub(SHOWN)..).unwrap_or_default();
    let text = String::from_utf8_lossy(end).trim_end().to_owned();
    let script = name.replacen("explorer-", "explorer ", 1);
    (!text.is_empty()).then_some(Output { script, text })
}
