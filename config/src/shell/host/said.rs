//! What scripts wrote beside code and what explorers found: it is kept in files, for whoever asks for it.

use std::fs;
use std::path::Path;

use crate::shell::report::Output;
use crate::shell::script::end;
use crate::shell::secrets::Secrets;

/// Scripts in the order in which they run; those whose standard output is for people, too.
const SCRIPTS: [(&str, bool); 6] = [
    ("init", true),
    ("manifest", true),
    ("gencode-local", false),
    ("gencode-remote", false),
    ("code-local", true),
    ("code-remote", true),
];

/// What the scripts wrote whose streams are kept in `directory`, explorers first; only those that wrote something, and
/// no secret of it.
pub(super) fn said(directory: &Path, secrets: &Secrets) -> Vec<Output> {
    let listing = fs::read_dir(directory.join("stderr")).into_iter().flatten().flatten();
    let names = listing.filter_map(|entry| entry.file_name().into_string().ok());
    let mut explorers: Vec<String> = names.filter(|name| name.starts_with("explorer-")).collect();
    explorers.sort();
    let explorers = explorers.iter().map(|name| (name.as_str(), false));
    explorers.chain(SCRIPTS).filter_map(|(name, both)| output(directory, name, both, secrets)).collect()
}

fn output(directory: &Path, name: &str, both: bool, secrets: &Secrets) -> Option<Output> {
    let read = |stream: &str| {
        let octets = fs::read(directory.join(stream).join(name)).unwrap_or_default();
        end(secrets.mask(&String::from_utf8_lossy(&octets)).trim_end()).to_owned()
    };
    let script = name.replacen("explorer-", "explorer ", 1);
    let output =
        Output { script, stdout: if both { read("stdout") } else { String::new() }, stderr: read("stderr") };
    (!output.stdout.is_empty() || !output.stderr.is_empty()).then_some(output)
}
