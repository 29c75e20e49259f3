//! One inventory that is followed, alone or among others.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use inventory_core::diag::{Diagnostic, Finding, Locator};
use inventory_core::load::{Loaded, Loader};
use inventory_core::model::{Commit, ContentHash, Snapshot};
use inventory_core::source::{self, git};
use sha2::{Digest, Sha256};

use super::last_good::LastGood;
use super::status::{Errors, SourceStatus};

/// An inventory, what it says now, and what of it is served.
pub(super) struct Followed {
    pub(super) place: PathBuf,
    pub(super) label: String,
    loader: Loader,
    last_good: LastGood,
    /// The state in the state directory.
    kept: Option<ContentHash>,
    /// The last state that passed its own check.
    pub(super) good: Option<Snapshot>,
    /// How many warnings that has.
    pub(super) warnings: usize,
    /// Whether it is what the inventory says now.
    is_current: bool,
    /// What of it is in service.
    pub(super) served: Option<Snapshot>,
    /// Whether what is served came from the state directory.
    pub(super) from_last_good: bool,
    /// What is wrong with what it says now.
    pub(super) errors: Vec<Diagnostic>,
    /// Why what it says now cannot be served beside the others.
    pub(super) clashes: Vec<Diagnostic>,
}

/// What a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Unchanged,
    Good,
    Broken,
}

impl Followed {
    /// `is_only`: no other is followed beside it.
    pub(super) fn new(place: &Path, label: String, state_dir: &Path, is_only: bool) -> Followed {
        Followed {
            loader: Loader::new(source::open(place)),
            last_good: LastGood::new(kept_in(state_dir, place, is_only)),
            place: place.to_owned(),
            label,
            kept: None,
            good: None,
            warnings: 0,
            is_current: false,
            served: None,
            from_last_good: false,
            errors: Vec::new(),
            clashes: Vec::new(),
        }
    }

    /// How many times a file of it has been read and parsed.
    pub(super) fn files_read(&self) -> u64 {
        self.loader.parsed_files()
    }

    /// Looks at it.
    pub(super) fn look(&mut self) -> Look {
        match self.loader.load() {
            Loaded::Unchanged => Look::Unchanged,
            Loaded::Good { snapshot, warnings } => {
                self.good = Some(snapshot);
                self.warnings = warnings.len();
                self.from_last_good = false;
                self.is_current = true;
                self.errors.clear();
                Look::Good
            }
            Loaded::Broken { diagnostics } => {
                self.errors = diagnostics.into_iter().filter(Diagnostic::is_error).collect();
                self.is_current = false;
                Look::Broken
            }
        }
    }

    /// Takes the last good state, since what it says now is broken. Returns when that was kept.
    ///
    /// # Errors
    /// Why there is none; `None`: none was ever kept.
    pub(super) fn take_last_good(&mut self) -> Result<String, Option<String>> {
        match self.last_good.load() {
            Ok(Some((snapshot, _))) => {
                self.kept = Some(snapshot.hash);
                self.good = Some(snapshot);
                self.from_last_good = true;
                Ok(self.last_good.kept_at().unwrap_or_else(|| "an unknown time".to_owned()))
            }
            Ok(None) => Err(None),
            Err(why) => Err(Some(format!("the last good state cannot be used: {why}"))),
        }
    }

    /// Keeps the state that is served as the last good one, if it is what the inventory says now.
    ///
    /// # Errors
    /// What failed, where, and what to do about it.
    pub(super) fn keep(&mut self) -> Result<(), String> {
        let Some(served) = self.served.as_ref().filter(|_| self.is_current && self.clashes.is_empty()) else {
            return Ok(());
        };
        if self.kept != Some(served.hash) {
            self.last_good.keep(&self.loader)?;
            self.kept = Some(served.hash);
        }
        Ok(())
    }

    /// Findings about its last good state, with their places.
    pub(super) fn located(&self, findings: &[Finding]) -> Vec<Diagnostic> {
        let texts = self.loader.texts();
        Locator::new(&texts).diagnostics(findings)
    }

    /// Everything that is wrong with what it says now.
    pub(super) fn wrong(&self) -> impl Iterator<Item = &Diagnostic> {
        self.errors.iter().chain(&self.clashes)
    }

    /// Whether what it says now is served.
    pub(super) fn is_fine(&self) -> bool {
        self.wrong().next().is_none() && self.served.is_some()
    }

    /// The commit that is served; of a state whose files did not change since, the latest of those.
    pub(super) fn commit(&self) -> Option<Commit> {
        let served = self.served.as_ref()?;
        let latest = self.loader.source().commit().filter(|_| self.is_current && self.clashes.is_empty());
        latest.or_else(|| served.commit.clone())
    }

    pub(super) fn status(&self) -> SourceStatus {
        let commit = self.commit();
        SourceStatus {
            place: self.place.display().to_string(),
            label: self.label.clone(),
            ok: self.is_fine(),
            in_service: self.served.is_some(),
            hash: self.served.as_ref().map(|served| served.hash.to_string()).unwrap_or_default(),
            commit: commit.as_ref().map(|commit| commit.id.to_string()),
            commit_time: commit.map(|commit| commit.unix_seconds),
            from_last_good: self.from_last_good,
            errors: Errors::of(self.wrong().cloned().collect()),
        }
    }
}

/// What each of `places` is called: its branch or its directory, with a number where that is not unique.
pub(super) fn labels(places: &[PathBuf]) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    for place in places {
        let plain = label(place);
        let numbered = (2..).map(|number: u32| format!("{plain}-{number}"));
        let free = std::iter::once(plain.clone()).chain(numbered).find(|label| !labels.contains(label));
        labels.push(free.unwrap_or(plain));
    }
    labels
}

fn label(place: &Path) -> String {
    let name = match git::Location::parse(place) {
        Some(location) => location.branch,
        None => {
            place.file_name().map_or_else(|| "inventory".into(), |name| name.to_string_lossy().into_owned())
        }
    };
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    name.chars().map(plain).collect()
}

/// Where the last good state of the inventory at `place` is kept.
pub(super) fn kept_in(state_dir: &Path, place: &Path, is_only: bool) -> PathBuf {
    if is_only {
        return state_dir.join("last-good");
    }
    let whole = std::path::absolute(place).unwrap_or_else(|_| place.to_owned());
    let digest = Sha256::digest(whole.as_os_str().as_encoded_bytes());
    let digits: String = digest.iter().take(4).map(|octet| format!("{octet:02x}")).collect();
    state_dir.join("sources").join(format!("{}-{digits}", label(place)))
}

/// A diagnostic of one inventory among several: its paths say whose they are.
pub(super) fn labelled(label: &str, diagnostic: &Diagnostic) -> Diagnostic {
    let mut diagnostic = diagnostic.clone();
    let places = diagnostic.others.iter_mut().map(|other| &mut other.place);
    for place in places.chain([&mut diagnostic.place]) {
        place.path = format!("{label}:{}", place.path);
    }
    diagnostic
}

/// The newest of the commits.
pub(super) fn newest<'f>(sources: impl Iterator<Item = &'f Followed>) -> Option<Commit> {
    sources.filter_map(Followed::commit).max_by_key(|commit| (commit.unix_seconds, Arc::clone(&commit.id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_called_by_branch_or_directory_and_never_alike() {
        let places =
            ["/srv/site.git#customers/a", "/etc/hostbook", "/other/hostbook", "."].map(PathBuf::from);
        assert_eq!(labels(&places), ["customers-a", "hostbook", "hostbook-2", "inventory"]);
    }
}
