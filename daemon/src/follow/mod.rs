//! Following the inventory: each good state is taken into service, a broken one never is.
//!
//! A thread of its own (named `inventory`) waits for hints, looks, and hands every new snapshot to the
//! daemon, one at a time and in order. The daemon builds its view beside the old one and swaps a pointer.
//! A daemon that starts on a broken inventory serves the last good state from its state directory, and
//! says so.

mod last_good;
mod status;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use inventory_core::diag::{self, Diagnostic};
use inventory_core::load::{Loaded, Loader};
use inventory_core::model::Snapshot;
use inventory_core::source;
use inventory_core::watch::{Wake, Waker, Watcher};
use tracing::{error, info, warn};

use crate::exit::{Exit, Fatal};

use last_good::LastGood;
pub use status::{Errors, FollowStatus};

/// What to follow and where to keep the last good state.
#[derive(Clone, Debug)]
pub struct FollowOptions {
    /// Root of the inventory.
    pub inventory: PathBuf,
    /// The daemon's state directory; the last good state goes below it.
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

/// Loads the inventory, applies the first snapshot, and then follows it.
///
/// `apply` is called with each new good snapshot: once before this returns, later in the thread.
///
/// # Errors
/// There is nothing to serve: see [`StartError`].
pub fn start(
    options: FollowOptions,
    mut apply: impl FnMut(&Arc<Snapshot>) + Send + 'static,
) -> Result<Following, StartError> {
    let watcher = Watcher::new(&options.inventory);
    if let Some(why) = watcher.trouble() {
        warn!(%why, "no file events here, so the inventory is looked at every few seconds");
    }
    let last_good = LastGood::new(options.state_dir.join("last-good"));
    let mut loader = Loader::new(source::open(&options.inventory));
    let status = Arc::new(Mutex::new(FollowStatus::default()));
    let mut follower = Follower { status: Arc::clone(&status), last_good, daemon: options.daemon };
    match loader.load() {
        Loaded::Good { snapshot, warnings } => follower.good(&snapshot, &warnings, &loader, &mut apply),
        Loaded::Broken { diagnostics } => {
            follower.start_from_last_good(&options, diagnostics, &mut loader, &mut apply)?;
        }
        Loaded::Unchanged => {}
    }
    let waker = watcher.waker();
    let run = move || follower.run(watcher, loader, apply);
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

/// The state that a daemon with this state directory took into service last, and what is odd in it; `None`
/// if it never did.
///
/// # Errors
/// What was kept cannot be read.
pub fn served(state_dir: &std::path::Path) -> Result<Option<(Snapshot, Vec<Diagnostic>)>, String> {
    LastGood::new(state_dir.join("last-good")).load()
}

impl Following {
    /// Looks at the inventory at once, whatever was heard (SIGHUP).
    pub fn look_now(&self) {
        self.waker.look_now();
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

/// The thread's side.
struct Follower {
    status: Arc<Mutex<FollowStatus>>,
    last_good: LastGood,
    daemon: &'static str,
}

impl Follower {
    fn run(mut self, mut watcher: Watcher, mut loader: Loader, mut apply: impl FnMut(&Arc<Snapshot>)) {
        // What was made between the first look and now raised a hint; new directories did not.
        let mut again = watcher.refresh();
        loop {
            let wake = if std::mem::take(&mut again) { Wake::Hint } else { watcher.wait() };
            if wake == Wake::Stop {
                return;
            }
            self.look(wake, &mut loader, &mut apply);
            again = watcher.refresh();
        }
    }

    fn look(&mut self, wake: Wake, loader: &mut Loader, apply: &mut impl FnMut(&Arc<Snapshot>)) {
        let started = Instant::now();
        match loader.load() {
            Loaded::Unchanged => {
                if wake == Wake::Asked {
                    info!("looked at the inventory as asked: nothing changed");
                }
            }
            Loaded::Good { snapshot, warnings } => {
                self.good(&snapshot, &warnings, loader, apply);
                let milliseconds = started.elapsed().as_millis();
                info!(generation = snapshot.generation, milliseconds, "change taken into service");
            }
            Loaded::Broken { diagnostics } => self.broken(diagnostics),
        }
        self.with_status(FollowStatus::looked);
    }

    /// Takes `snapshot` into service, then keeps it as the last good one.
    fn good(
        &mut self,
        snapshot: &Snapshot,
        warnings: &[Diagnostic],
        loader: &Loader,
        apply: &mut impl FnMut(&Arc<Snapshot>),
    ) {
        let served = self.with_status(|status| (status.hash.clone(), status.from_last_good));
        let hash = snapshot.hash.to_string();
        if served.0 != hash {
            apply(&Arc::new(snapshot.clone()));
            let (hosts, short) = (snapshot.inventory.host_count(), &hash[..12]);
            info!(
                generation = snapshot.generation,
                hash = short,
                hosts,
                warnings = warnings.len(),
                "inventory in service"
            );
        } else {
            info!(generation = snapshot.generation, "inventory is whole again, with what is served already");
        }
        self.with_status(|status| status.good(snapshot, warnings));
        if let Err(why) = self.last_good.keep(loader) {
            warn!(%why, "the last good state could not be kept: a restart on a broken inventory would find an older one");
            self.with_status(|status| status.last_good_trouble = Some(why));
        } else {
            self.with_status(|status| status.last_good_trouble = None);
        }
    }

    fn broken(&mut self, diagnostics: Vec<Diagnostic>) {
        /// More lines than this say nothing new; `hostbook check` shows all.
        const LINES_MAX: usize = 10;
        let count = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
        for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).take(LINES_MAX) {
            error!("{}", diag::short(diagnostic));
        }
        let generation = self.with_status(|status| status.generation);
        error!(
            errors = count,
            generation, "the inventory is broken; generation {generation} stays in service"
        );
        self.with_status(|status| status.broken(diagnostics));
    }

    fn start_from_last_good(
        &mut self,
        options: &FollowOptions,
        diagnostics: Vec<Diagnostic>,
        loader: &mut Loader,
        apply: &mut impl FnMut(&Arc<Snapshot>),
    ) -> Result<(), StartError> {
        let failed = |last_good, diagnostics| StartError {
            inventory: options.inventory.clone(),
            diagnostics,
            last_good,
        };
        let snapshot = match self.last_good.load() {
            Ok(Some((snapshot, _))) => snapshot,
            Ok(None) => return Err(failed(None, diagnostics)),
            Err(why) => {
                return Err(failed(Some(format!("the last good state cannot be used: {why}")), diagnostics));
            }
        };
        loader.count_from(snapshot.generation);
        apply(&Arc::new(snapshot.clone()));
        self.with_status(|status| {
            status.good(&snapshot, &[]);
            status.from_last_good = true;
        });
        self.broken(diagnostics);
        let kept = self.last_good.kept_at().unwrap_or_else(|| "an unknown time".to_owned());
        error!(
            daemon = self.daemon,
            %kept,
            hash = %format_args!("{:.12}", snapshot.hash),
            "started on a broken inventory: serving the LAST GOOD state from the state directory until it is mended",
        );
        Ok(())
    }

    fn with_status<T>(&self, act: impl FnOnce(&mut FollowStatus) -> T) -> T {
        act(&mut self.status.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}
