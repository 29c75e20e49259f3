//! The machines seen, over restarts: a file in the state directory that is written now and then.
//!
//! It is for people, and nothing is decided by it. So it may be half a minute behind, one that cannot be
//! read is none, and one that cannot be written is no reason not to serve.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use daemon::state::StateDir;
use inventory_core::mac::MacAddr;
use serde::{Deserialize, Serialize};
use tracing::{debug, warn};

use super::inquiry::Inquirer;
use crate::core::{Core, SEEN_MAX, SeenMachine};

const FILE: &str = "seen.json";
/// How long it may be behind.
const INTERVAL: Duration = Duration::from_secs(30);

/// A machine with its address, as it is written.
#[derive(Serialize, Deserialize)]
struct Line {
    mac: String,
    #[serde(flatten)]
    machine: SeenMachine,
}

/// Writes down what was seen. Dropping it writes for the last time; the worker must still run then.
pub(super) struct Keeper {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What was seen before, the latest first.
pub(super) fn load(state: &StateDir) -> Vec<(MacAddr, SeenMachine)> {
    let text = match state.read(FILE) {
        Ok(text) => text.unwrap_or_else(|| b"[]".to_vec()),
        Err(error) => {
            warn!(%error, "the list of machines seen begins anew");
            return Vec::new();
        }
    };
    match serde_json::from_slice::<Vec<Line>>(&text) {
        Ok(lines) => {
            let lines = lines.into_iter().take(SEEN_MAX);
            lines.filter_map(|line| Some((line.mac.parse().ok()?, line.machine))).collect()
        }
        Err(error) => {
            warn!(file = FILE, %error, "the list of machines seen begins anew");
            Vec::new()
        }
    }
}

impl Keeper {
    /// Keeps what the worker has seen.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(super) fn start(state: &Arc<StateDir>, inquirer: &Arc<Inquirer<Core>>) -> io::Result<Keeper> {
        let (stop, stopped) = channel();
        let (state, inquirer) = (Arc::clone(state), Arc::clone(inquirer));
        let keep = move || keep(&state, &inquirer, &stopped);
        let thread = std::thread::Builder::new().name("seen".to_owned()).spawn(keep)?;
        Ok(Keeper { stop: Some(stop), thread: Some(thread) })
    }
}

fn keep(state: &StateDir, inquirer: &Inquirer<Core>, stopped: &Receiver<()>) {
    let mut written = inquirer.ask(|core, _| core.seen_version());
    loop {
        let ends = stopped.recv_timeout(INTERVAL) != Err(RecvTimeoutError::Timeout);
        let before = written;
        let changed = move |core: &Core| Some(core.seen_version()).filter(|version| Some(*version) != before);
        let news = inquirer.ask(move |core, _| {
            let version = changed(core)?;
            let machines = core.seen().map(|(mac, machine)| (mac, machine.clone()));
            Some((version, machines.collect::<Vec<_>>()))
        });
        if let Some((version, machines)) = news.flatten() {
            let lines = machines.into_iter().map(|(mac, machine)| Line { mac: mac.to_string(), machine });
            let text = serde_json::to_vec(&lines.collect::<Vec<_>>()).unwrap_or_default();
            match state.write(FILE, &text) {
                Ok(()) => written = Some(version),
                Err(error) => debug!(%error, "the list of machines seen cannot be written"),
            }
        }
        if ends {
            return;
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic was printed when it happened.
            let _ = thread.join();
        }
    }
}
