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
use super::process;
use super::programs;

/// File in the state directory: the state that hooks were told of last.
const HANDLED: &str = "handled.json";
/// File in the state directory: the event that was told last.
const EVENT: &str = "event.json";
/// How often daemons that do not serve a change yet are asked again.
const POLL: Duration = Duration::from_millis(500);
/// How long after hooks could not be told a change they are told it again; each time twice as long after.
const AGAIN: Duration = Duration::from_secs(5);
/// The longest of these times.
const AGAIN_MAX: Duration = Duration::from_secs(60);

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
        let handled = match state.read(HANDLED) {
            Ok(Some(handled)) => handled,
            Ok(None) => return Before::Nothing,
            Err(error) => {
                warn!(%error, "hooks are told of a state, since the one before cannot be read");
                return Before::Unknown;
            }
        };
        let handled: Value = serde_json::from_slice(&handled).unwrap_or_default();
        match kept.filter(|kept| handled["hash"] == *kept.hash.to_string()) {
            Some(kept) => Before::Known(kept, handled),
            None => Before::Unknown,
        }
    }

    /// Handles snapshots until there will be none any more.
    pub(super) fn run(mut self, snapshots: &Receiver<Arc<Snapshot>>) {
        let mut next = snapshots.recv().ok();
        let mut again = AGAIN;
        while let Some(snapshot) = next {
            let Some(snapshot) = self.when_served(snapshot, snapshots) else { return };
            let told = self.handle(&snapshot);
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            next = if told {
                again = AGAIN;
                snapshots.recv().ok()
            } else {
                let wait = again;
                again = AGAIN_MAX.min(wait * 2);
                match snapshots.recv_timeout(wait) {
                    Err(RecvTimeoutError::Timeout) => Some(snapshot),
                    newer => newer.ok(),
                }
            };
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
        self.daemons.iter().find_map(|socket| {
            match control::ask(socket, &Request::new("status"), control::PATIENCE) {
                Ok(status) if status["inventory"]["hash"] == *hash => None,
                Ok(status) => {
                    let daemon = status["daemon"].as_str().unwrap_or("a daemon");
                    let served = status["inventory"]["hash"].as_str().unwrap_or_default();
                    Some(format!("{daemon}, which serves content {served:.12} and not {hash:.12}"))
                }
                Err(ControlError::NotRunning { .. }) => None,
                Err(error) => Some(format!("the daemon at `{}`: {error}", socket.display())),
            }
        })
    }

    /// Tells the hooks what differs from what they were told last; false if they have to be told again.
    fn handle(&mut self, snapshot: &Arc<Snapshot>) -> bool {
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
            return false;
        }
        let described = describe(snapshot);
        let kept = self.state.write(HANDLED, described.to_string().as_bytes());
        self.board.kept(kept.err().map(|error| format!("hooks may be told this change again: {error}")));
        self.before = Before::Known(Arc::clone(snapshot), described);
        true
    }

    /// Runs every hook on `event`; false if that was cut off, or could not begin.
    fn tell(&self, event: &Value) -> bool {
        let there = programs::look(&self.directory);
        let inputs = match self.inputs(event, there.trusted.len()) {
            Ok(inputs) => inputs,
            Err(error) => {
                if self.board.kept(Some(format!("hooks are not run: {error}"))) {
                    warn!(error, "hooks are not run: what they are to be told cannot be kept");
                }
                return false;
            }
        };
        for refused in &there.refused {
            warn!("{refused}");
        }
        for (program, input) in there.trusted.iter().zip(inputs) {
            let hook = programs::name(program);
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

    /// Writes `event` down, and opens it `count` times, each to be read from its beginning.
    fn inputs(&self, event: &Value, count: usize) -> Result<Vec<File>, String> {
        self.state.write(EVENT, format!("{event}\n").as_bytes()).map_err(|error| error.to_string())?;
        let path = self.state.path().join(EVENT);
        let opened = (0..count).map(|_| File::open(&path)).collect::<Result<_, _>>();
        opened.map_err(|error| format!("`{}`: {error}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::sync::mpsc::channel;
    use std::time::Instant;

    use super::*;

    fn site(address: &str) -> Arc<Snapshot> {
        let text = format!(
            "[site]\nnameservers = [\"ns1.lab.example.org\"]\ncontact = \"h@lab.example.org\"\n[zone.\"lab.example.org\"]\n\
             [network.n]\nzone = \"lab.example.org\"\nipv4 = \"10.0.0.0/24\"\n[host.ns1]\nnetwork = \"n\"\nip = \"{address}\"\n"
        );
        Arc::new(inventory_core::load_texts(&[("a.toml", &text)]).unwrap())
    }

    /// A directory with a state directory and a hook that copies what it is told to `told`.
    fn place(name: &str) -> (PathBuf, Arc<StateDir>) {
        let path = std::env::temp_dir().join(format!("hostbook-runner-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        let hooks = path.join("hooks");
        fs::create_dir_all(&hooks).unwrap();
        fs::write(
            hooks.join("tell"),
            format!("#!/bin/sh\ncd {} && cat > new && mv new told\n", path.display()),
        )
        .unwrap();
        for of_hooks in [&hooks, &hooks.join("tell")] {
            fs::set_permissions(of_hooks, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let state = StateDir::open(&path.join("state"), None).unwrap();
        (path, Arc::new(state))
    }

    /// What `look` comes to; panics with what it sees instead if that does not change for a minute.
    fn eventually<T>(look: impl Fn() -> Result<T, String>) -> T {
        let started = Instant::now();
        loop {
            match look() {
                Ok(found) => return found,
                Err(seen) => assert!(started.elapsed() < Duration::from_secs(60), "{seen}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What the hook of `path` was told, once it was.
    fn told(path: &Path) -> Value {
        let told = path.join("told");
        let text =
            eventually(|| fs::read_to_string(&told).map_err(|error| format!("{}: {error}", told.display())));
        serde_json::from_str(&text).unwrap()
    }

    fn runner(path: &Path, state: &Arc<StateDir>, before: Before) -> Runner {
        Runner {
            directory: path.join("hooks"),
            state: Arc::clone(state),
            daemons: Vec::new(),
            limit: Duration::from_secs(60),
            stop: Arc::default(),
            board: Board::new(&path.join("hooks")),
            before,
        }
    }

    #[test]
    fn a_state_before_that_cannot_be_read_is_not_taken_for_the_first() {
        let (path, state) = place("unreadable");
        assert!(matches!(Runner::before(&state, None), Before::Nothing));
        // A directory in its place is no file that anybody can read, root included.
        fs::create_dir(state.path().join(HANDLED)).unwrap();
        let before = Runner::before(&state, Some(site("10.0.0.2")));
        assert!(matches!(before, Before::Unknown));
        assert!(runner(&path, &state, before).handle(&site("10.0.0.3")));
        assert_eq!(told(&path)["changes"], Value::Null, "the hooks are to look at everything");
        fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn a_change_that_could_not_be_written_down_is_told_once_it_can() {
        let (path, state) = place("again");
        let first = site("10.0.0.2");
        let before = Before::Known(Arc::clone(&first), describe(&first));
        let runner = runner(&path, &state, before);
        let board = Arc::clone(&runner.board);
        fs::create_dir(state.path().join(EVENT)).unwrap();
        let (sender, snapshots) = channel();
        let second = site("10.0.0.3");
        sender.send(Arc::clone(&second)).unwrap();
        let thread = std::thread::spawn(move || runner.run(&snapshots));
        eventually(|| match board.to_json() {
            (_, problems) if problems.iter().any(|one| one.starts_with("hooks are not run: ")) => Ok(()),
            other => Err(format!("{other:?}")),
        });
        fs::remove_dir(state.path().join(EVENT)).unwrap();
        assert_eq!(told(&path)["after"]["hash"], *second.hash.to_string());
        drop(sender);
        thread.join().unwrap();
        assert_eq!(board.to_json().1, Vec::<String>::new());
        fs::remove_dir_all(path).unwrap();
    }
}
