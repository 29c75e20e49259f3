//! Secrets by reference: `secret:NAME` as the value of a parameter.
//!
//! A command of the operator's (`pass show`, `sops -d --extract …`, a script) says what `NAME` is. The value lives
//! in memory and in the run's directories, which lie in memory on both sides; reports show `***` instead of it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::sys::statfs::{FsType, TMPFS_MAGIC, statfs};

use crate::core::quote::quote_text;

/// What stands in front of a reference.
const MARK: &[u8] = b"secret:";

/// Shorter values are not masked: they would hide half of every report.
const MASKED_MIN: usize = 4;

/// The secrets of a run. Each is asked for once.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    command: Option<String>,
    known: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Secrets {
    /// Secrets that `command` tells; without one, references are ordinary values.
    pub fn new(command: Option<String>) -> Secrets {
        Secrets { command, known: Arc::default() }
    }

    /// Whether there may be secrets.
    pub fn are_used(&self) -> bool {
        self.command.is_some()
    }

    /// A word of a definition with the secret that it refers to, alone or behind `--name=`.
    ///
    /// # Errors
    /// The command does not know it, in words without the value.
    pub fn resolve(&self, word: Vec<u8>) -> Result<Vec<u8>, String> {
        if self.command.is_none() {
            return Ok(word);
        }
        let option = word.starts_with(b"--").then(|| word.iter().position(|octet| *octet == b'=')).flatten();
        let start = option.map_or(0, |equals| equals + 1);
        let (head, value) = word.split_at(start);
        match value.strip_prefix(MARK) {
            Some(name) => {
                let name =
                    std::str::from_utf8(name).map_err(|_| "the name of a secret is not UTF-8".to_owned())?;
                Ok([head, self.get(name)?.as_bytes()].concat())
            }
            None => Ok(word),
        }
    }

    /// The secret of this name.
    ///
    /// # Errors
    /// The command does not know it, in words without the value.
    pub fn get(&self, name: &str) -> Result<String, String> {
        let Some(command) = &self.command else {
            return Err("there is no --secret-command".to_owned());
        };
        let mut known = self.known();
        if let Some(value) = known.get(name) {
            return Ok(value.clone());
        }
        let mut words = command.split_whitespace();
        let program = words.next().ok_or("--secret-command is empty")?;
        let output = Command::new(program)
            .args(words)
            .arg(name)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output();
        let output = output.map_err(|error| format!("cannot run `{command}`: {error}"))?;
        if !output.status.success() {
            return Err(format!("`{command} {name}` ended with {}", output.status));
        }
        let value =
            String::from_utf8(output.stdout).map_err(|_| format!("the secret `{name}` is not UTF-8"))?;
        let value = value.trim_end_matches('\n').to_owned();
        known.insert(name.to_owned(), value.clone());
        Ok(value)
    }

    /// `text` without any secret in it.
    pub fn mask(&self, text: &str) -> String {
        let mut hidden: Vec<Range<usize>> = Vec::new();
        for value in self.known().values() {
            // As it is, as it stands between a shell's quotes, and line by line as diffs show it.
            let quoted = quote_text(value);
            let inner = quoted.get(1..quoted.len() - 1).unwrap_or_default();
            for form in [value.as_str(), inner].into_iter().chain(value.lines()) {
                if form.len() >= MASKED_MIN {
                    hidden.extend(occurrences(text, form));
                }
            }
        }
        without(text, hidden)
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where `form` stands in `text`, also where it overlaps itself.
fn occurrences<'a>(text: &'a str, form: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + text.get(from..)?.find(form)?;
        from = start + text.get(start..)?.chars().next().map_or(1, char::len_utf8);
        Some(start..start + form.len())
    })
}

/// `text` with a mask for each part that is hidden. What overlaps or touches is one part, so that the rest of a secret
/// which holds another one, or begins in it, does not stay.
fn without(text: &str, mut hidden: Vec<Range<usize>>) -> String {
    hidden.sort_by_key(|range| range.start);
    let (mut masked, mut shown, mut end) = (String::new(), 0, None);
    for range in hidden {
        if end.is_none_or(|end| range.start > end) {
            masked.push_str(text.get(shown..range.start).unwrap_or_default());
            masked.push_str("***");
        }
        shown = shown.max(range.end);
        end = Some(shown);
    }
    masked.push_str(text.get(shown..).unwrap_or_default());
    masked
}

/// Whether what is written below `directory` stays in memory.
pub fn is_in_memory(directory: &Path) -> bool {
    let memory = |kind: FsType| kind == TMPFS_MAGIC;
    statfs(directory).is_ok_and(|status| memory(status.filesystem_type()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved_alone_and_behind_a_parameter() {
        let secrets = Secrets::new(Some("printf [%s]".to_owned()));
        let resolve = |word: &str| String::from_utf8(secrets.resolve(word.into()).unwrap()).unwrap();
        assert_eq!(resolve("secret:db/web"), "[db/web]");
        assert_eq!(resolve("--password=secret:x"), "[x]".replace("[x]", "--password=[x]"));
        assert_eq!(resolve("no secret:x"), "no secret:x");
        assert_eq!(Secrets::default().resolve(b"secret:x".to_vec()), Ok(b"secret:x".to_vec()));
    }

    #[test]
    fn what_was_told_is_masked_also_between_quotes() {
        let secrets = Secrets::new(Some("printf it's-%s".to_owned()));
        secrets.get("hidden").unwrap();
        assert_eq!(secrets.mask("a it's-hidden b"), "a *** b");
        assert_eq!(secrets.mask(r"echo 'it'\''s-hidden'"), "echo '***'");
    }

    #[test]
    fn no_part_of_a_secret_stays_beside_the_mask_of_another() {
        // The order of the names is not that of the lengths.
        let secrets = Secrets::new(Some("printf %s".to_owned()));
        for value in ["abcd", "abcdefgh", "xyxyx", "ghijkl"] {
            secrets.get(value).unwrap();
        }
        assert_eq!(secrets.mask("-abcdefgh-abcd-"), "-***-***-");
        assert_eq!(secrets.mask("-abcdefghijkl-"), "-***-", "one ends in the other");
        assert_eq!(secrets.mask("-xyxyxyx-"), "-***-", "one overlaps itself");
        assert_eq!(secrets.mask("abcdabcd"), "***");
        assert_eq!(secrets.mask("nothing"), "nothing");
    }

    #[test]
    fn a_secret_that_is_not_there_is_an_error() {
        assert!(
            Secrets::new(Some("false".to_owned())).get("x").unwrap_err().contains("`false x` ended with")
        );
    }
}
