//! The thread that runs hooks: one change after the other, one program at a time.
//!
//! A change is what lies between the state that hooks were told of last and the newest one that the
//! daemons serve. Changes that come while hooks run are one change afterwards.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use daemon::control::{self, ControlError, Request};
use daemon::state::StateDir;
use inventory_core::model::Snapshot;
use serde_json::Value;
use tracing::{info, warn};

use super::board::Board;
use super::event::{self, describe};
use super::{process, programs};

/// File in the state directory: the state that hooks were told of last.
const HANDLED: &str = "handled.json";
/// File in the state directory: the event that was told last.
const EVENT: &str = "event.json";
/// How often daemons that do not serve a change yet are asked again.
const POLL: Duration = Duration::from_millis(500);
/// A daemon that takes longer for an answer is in trouble.
const ANSWER: Duration = Duration::from_secs(5);

/// What was told last.
pub(super) enum Before {
    /// Nothing, ever: the first state is where it begins.
    Nothing,
    /// Something, which is not there any more.
    Unknown,
    /// This state, and its description.
    Known(Arc<Snapshot>, Value),
}

/// The thread's own.
pub(super) struct Runner {
    pub(super) directory: PathBuf,
    pub(super) state: Arc<StateDir>,
    /// Control sockets of the daemons that serve a change before hooks hear of it.
    pub(super) daemons: Vec<PathBuf>,
    pub(super) limit: Duration,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) board: Arc<Board>,
    pub(super) before: Before,
}

impl Runner {
    /// What was told last, as the state directory has it. `kept` is the last state that was followed.
    pub(super) fn before(state: &StateDir, kept: Option<Arc<Snapshot>>) -> Before {
        let Ok(Some(handled)) = state.read(HANDLED) else { return Before::Nothing };
        let handled: Value = serde_json::from_slice(&handled).unwrap_or_default();
        match kept.filter(|kept| handled["hash"] == *kept.hash.to_string()) {
            Some(kept) => Before::Known(kept, handled),
            None => Before::Unknown,
        }
    }

    /// Handles snapshots until there will be none any more.
    pub(super) fn run(mut self, snapshots: &Receiver<Arc<Snapshot>>) {
        while let Ok(snapshot) = snapshots.recv() {
            let Some(snapshot) = self.when_served(snapshot, snapshots) else { return };
            self.handle(&snapshot);
        }
    }

    /// Waits until every daemon that runs serves `snapshot`, or a newer one that comes meanwhile.
    fn when_served(
        &self,
        mut snapshot: Arc<Snapshot>,
        snapshots: &Receiver<Arc<Snapshot>>,
    ) -> Option<Arc<Snapshot>> {
        loop {
            while let Ok(newer) = snapshots.try_recv() {
                snapshot = newer;
            }
            let behind = self.behind(&snapshot);
            self.board.wait(behind.clone());
            if behind.is_none() {
                return Some(snapshot);
            }
            match snapshots.recv_timeout(POLL) {
                Ok(newer) => snapshot = newer,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    /// A daemon that runs and does not serve `snapshot`, in words.
    fn behind(&self, snapshot: &Snapshot) -> Option<String> {
        let hash = snapshot.hash.to_string();
        self.daemons.iter().find_map(|socket| match control::ask(socket, &Request::new("status"), ANSWER) {
            Ok(status) if status["inventory"]["hash"] == *hash => None,
            Ok(status) => {
                let daemon = status["daemon"].as_str().unwrap_or("a daemon");
                let served = status["inventory"]["hash"].as_str().unwrap_or_default();
                Some(format!("{daemon}, which serves content {served:.12} and not {hash:.12}"))
            }
            Err(ControlError::NotRunning { .. }) => None,
            Err(error) => Some(format!("the daemon at `{}`: {error}", socket.display())),
        })
    }

    /// Tells the hooks what differs from what they were told last.
    fn handle(&mut self, snapshot: &Arc<Snapshot>) {
        let event = match &self.before {
            Before::Nothing => None,
            Before::Known(before, _) if before.hash == snapshot.hash => None,
            Before::Known(before, described) => {
                event::between(Some((before, described)), snapshot, &self.daemons)
            }
            Before::Unknown => event::between(None, snapshot, &self.daemons),
        };
        if let Some(event) = event
            && !self.tell(&event)
        {
            return;
        }
        let described = describe(snapshot);
        let kept = self.state.write(HANDLED, described.to_string().as_bytes());
        self.board.kept(kept.err().map(|error| format!("hooks may be told this change again: {error}")));
        self.before = Before::Known(Arc::clone(snapshot), described);
    }

    /// Runs every hook on `event`; false if that was cut off.
    fn tell(&self, event: &Value) -> bool {
        let text = format!("{event}\n");
        let path = self.state.path().join(EVENT);
        if let Err(error) = self.state.write(EVENT, text.as_bytes()) {
            warn!(%error, "hooks are not run: what they are to be told cannot be written");
            self.board.kept(Some(format!("hooks are not run: {error}")));
            return false;
        }
        let there = programs::look(&self.directory);
        for refused in &there.refused {
            warn!("{refused}");
        }
        for program in &there.trusted {
            let hook = programs::name(program);
            let input = match File::open(&path) {
                Ok(input) => input,
                Err(error) => {
                    warn!(%error, hook, "the hook is not run");
                    continue;
                }
            };
            let ran = process::run(program, input, self.limit, &self.stop);
            if self.stop.load(Ordering::Relaxed) {
                return false;
            }
            let milliseconds = ran.time.as_millis();
            match &ran.trouble {
                None => info!(hook, milliseconds, "hook run"),
                Some(trouble) => warn!(hook, milliseconds, %trouble, output = ran.output, "hook failed"),
            }
            self.board.ran(&hook, &ran);
        }
        true
    }
}
