//! Secrets by reference: `secret:NAME` as the value of a parameter.
//!
//! A command of the operator's (`pass show`, `sops -d --extract …`, a script) says what `NAME` is. The value lives
//! in memory and in the run's directories, which lie in memory on both sides; reports show `***` instead of it.

use std::collections::BTreeMap;
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
        let mut masked = text.to_owned();
        for value in self.known().values() {
            // As it is, as it stands between a shell's quotes, and line by line as diffs show it.
            let quoted = quote_text(value);
            let inner = quoted.trim_start_matches('\'').trim_end_matches('\'').to_owned();
            for form in [value.as_str(), &inner].into_iter().chain(value.lines()) {
                if form.len() >= MASKED_MIN {
                    masked = masked.replace(form, "***");
                }
            }
        }
        masked
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
    fn a_secret_that_is_not_there_is_an_error() {
        assert!(
            Secrets::new(Some("false".to_owned())).get("x").unwrap_err().contains("`false x` ended with")
        );
    }
}
