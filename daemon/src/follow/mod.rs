//! Following the inventory: each good state is taken into service, a broken one never is.
//!
//! A thread of its own (named `inventory`) waits for hints, looks, and hands every new snapshot to the
//! daemon, one at a time and in order. The daemon builds its view beside the old one and swaps a pointer.
//! A daemon that starts on a broken inventory serves the last good state from its state directory, and
//! says so.

mod followed;
mod follower;
mod last_good;
mod status;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use inventory_core::diag::{self, Diagnostic};
use inventory_core::join::{Joiner, Part};
use inventory_core::model::Snapshot;
use inventory_core::watch::{Waker, Watcher};
use tracing::{error, warn};

use crate::exit::{Exit, Fatal};

use followed::{kept_in, labels};
use follower::Follower;
use last_good::LastGood;
pub use status::{Errors, FollowStatus, SourceStatus};

/// What to follow and where to keep the last good state.
#[derive(Clone, Debug)]
pub struct FollowOptions {
    /// Where the inventories are, at least one. Several are served as one; where two clash, the one named
    /// first goes first.
    pub inventories: Vec<PathBuf>,
    /// The daemon's state directory; the last good states go below it.
    pub state_dir: PathBuf,
    /// Name of the daemon, for messages.
    pub daemon: &'static str,
}

/// A followed inventory. Dropping it stops the thread.
pub struct Following {
    waker: Waker,
    status: Arc<Mutex<FollowStatus>>,
    thread: Option<JoinHandle<()>>,
}

/// The inventory is broken and there is no last good state to start with. Exit code 65.
#[derive(Debug)]
pub struct StartError {
    /// Root of the inventory.
    pub inventory: PathBuf,
    /// Everything that is wrong with it.
    pub diagnostics: Vec<Diagnostic>,
    /// Why the last good state could not be used, if there was one.
    pub last_good: Option<String>,
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for diagnostic in &self.diagnostics {
            writeln!(f, "{}", diag::short(diagnostic))?;
        }
        let last_good = self.last_good.as_deref().unwrap_or("no last good state has been kept yet");
        write!(
            f,
            "the inventory `{}` cannot be served, and {last_good}. Mend it (`hostbook check -i {}` shows the places) \
             and start again",
            self.inventory.display(),
            self.inventory.display(),
        )
    }
}

impl std::error::Error for StartError {}

impl From<StartError> for Fatal {
    fn from(error: StartError) -> Fatal {
        Fatal::new(error.to_string()).with_exit(Exit::BadInventory)
    }
}

/// Loads the inventories, applies the first snapshot, and then follows them.
///
/// `apply` is called with each new good snapshot: once before this returns, later in the thread.
///
/// # Errors
/// There is nothing to serve: see [`StartError`].
pub fn start(
    options: FollowOptions,
    mut apply: impl FnMut(&Arc<Snapshot>) + Send + 'static,
) -> Result<Following, StartError> {
    let watcher = Watcher::of(options.inventories.iter().map(PathBuf::as_path));
    if let Some(why) = watcher.trouble() {
        warn!(%why, "no file events here, so the inventory is looked at every few seconds");
    }
    let status = Arc::new(Mutex::new(FollowStatus::default()));
    let mut follower = Follower::new(&options, Arc::clone(&status));
    follower.start(&mut apply)?;
    let waker = watcher.waker();
    let run = move || follower.run(watcher, apply);
    let thread = std::thread::Builder::new().name("inventory".to_owned()).spawn(run);
    let thread = match thread {
        Ok(thread) => Some(thread),
        Err(error) => {
            error!(%error, "no thread can be started to follow the inventory: edits are not seen until a restart");
            None
        }
    };
    Ok(Following { waker, status, thread })
}

/// The state of the inventory at `place` that a daemon with this state directory took into service last,
/// and what is odd in it; `None` if it never did. A daemon that follows one inventory only is not asked
/// which: it may be followed by another name.
///
/// # Errors
/// What was kept cannot be read.
pub fn served(state_dir: &Path, place: &Path) -> Result<Option<(Snapshot, Vec<Diagnostic>)>, String> {
    match LastGood::new(kept_in(state_dir, place, false)).load()? {
        Some(kept) => Ok(Some(kept)),
        None => LastGood::new(kept_in(state_dir, place, true)).load(),
    }
}

/// The state of all of `inventories` together that a daemon with this state directory took into service
/// last; `None` if it did not for one of them.
///
/// # Errors
/// What was kept cannot be read.
pub fn kept(state_dir: &Path, inventories: &[PathBuf]) -> Result<Option<Snapshot>, String> {
    let is_only = inventories.len() == 1;
    let mut states = Vec::new();
    for (place, label) in inventories.iter().zip(labels(inventories)) {
        let Some((snapshot, _)) = LastGood::new(kept_in(state_dir, place, is_only)).load()? else {
            return Ok(None);
        };
        states.push((label, snapshot));
    }
    let parts: Vec<Part<'_>> = states.iter().map(|(label, snapshot)| Part { label, snapshot }).collect();
    let (hash, inventory) = Joiner::default().join(&parts);
    Ok(Some(Snapshot { generation: 0, hash, inventory, commit: None }))
}

impl Following {
    /// Looks at the inventory at once, whatever was heard (SIGHUP).
    pub fn look_now(&self) {
        self.waker.look_now();
    }

    /// A handle that looks at the inventory at once.
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// What is served, and what is wrong with what is not.
    pub fn status(&self) -> FollowStatus {
        self.status.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// A handle that reads the status from anywhere.
    pub fn status_handle(&self) -> Arc<Mutex<FollowStatus>> {
        Arc::clone(&self.status)
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.waker.stop();
        if let Some(thread) = self.thread.take() {
            // A panic in the thread was printed when it happened.
            let _ = thread.join();
        }
    }
}
