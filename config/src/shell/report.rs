//! What came out of a run, per host and object.

use serde::Serialize;

use super::transport::Cost;

/// How an object, or a host as a whole, came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Result {
    /// It is for another kind of run.
    Skipped,
    /// It is as it should be.
    Unchanged,
    /// It might change in a push; what it requires would change first.
    MayChange,
    /// It was changed; by `plan`: it would be.
    Changed,
    /// It requires something that did not get done.
    Blocked,
    /// Something failed.
    Failed,
}

impl Result {
    /// The word for people, `dry` for a plan.
    pub fn word(self, dry: bool) -> &'static str {
        match self {
            Result::Skipped => "skipped",
            Result::Unchanged => "unchanged",
            Result::MayChange => "may change",
            Result::Changed if dry => "would change",
            Result::Changed => "changed",
            Result::Blocked => "blocked",
            Result::Failed => "failed",
        }
    }
}

/// What a script wrote that is neither code nor what an explorer found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Output {
    /// Name of the script.
    pub script: String,
    /// The end of what it wrote to standard output, where that is for people.
    pub stdout: String,
    /// The end of what it wrote to standard error.
    pub stderr: String,
}

/// An object.
#[derive(Clone, Debug, Serialize)]
pub struct ObjectReport {
    /// Its name.
    pub object: String,
    /// How it came out.
    pub result: Result,
    /// Why it failed or is blocked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Objects whose types' manifests defined it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<String>,
    /// Objects that it waits for: those that it requires, and those that its type's manifest defined.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// Code for the source host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_local: Option<String>,
    /// Code for the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_remote: Option<String>,
    /// What its scripts wrote.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub output: Vec<Output>,
    /// What a plan would change in a file, as a unified diff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

/// A host.
#[derive(Clone, Debug, Serialize)]
pub struct HostReport {
    /// Its name.
    pub host: String,
    /// The worst of its objects, or that the run failed.
    pub result: Result,
    /// Why the run on this host as a whole failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Its objects in the order of the manifests.
    pub objects: Vec<ObjectReport>,
    /// Things to mend some day.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// What the initial manifest and the system's explorers wrote.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub output: Vec<Output>,
    /// Seconds from beginning to end.
    pub seconds: f64,
    /// Processes started to reach the target.
    pub processes: u64,
    /// Times that something was sent and its answer waited for.
    pub round_trips: u64,
}

impl HostReport {
    /// A host whose run ended with `error`, if there is one.
    pub fn new(
        host: &str,
        error: Option<String>,
        objects: Vec<ObjectReport>,
        warnings: Vec<String>,
        seconds: f64,
        cost: Cost,
    ) -> HostReport {
        let worst = objects.iter().map(|object| object.result).max().unwrap_or(Result::Unchanged);
        let result = if error.is_some() { Result::Failed } else { worst.max(Result::Unchanged) };
        let Cost { processes, round_trips } = cost;
        HostReport {
            host: host.to_owned(),
            result,
            error,
            objects,
            warnings,
            output: Vec::new(),
            seconds,
            processes,
            round_trips,
        }
    }

    /// Number of objects that came out so.
    pub fn count(&self, result: Result) -> usize {
        self.objects.iter().filter(|object| object.result == result).count()
    }

    /// Whether the host needs an operator.
    pub fn is_bad(&self) -> bool {
        self.result >= Result::Blocked
    }
}
