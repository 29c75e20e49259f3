//! What a core has learned and could learn again, over restarts: a file in the state directory that is
//! written now and then.
//!
//! Nothing is promised by it. So it may be half a minute behind, and one that cannot be written is no reason
//! not to serve.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use daemon::state::StateDir;
use tracing::debug;

use super::inquiry::Inquirer;

/// How long a file may be behind.
const INTERVAL: Duration = Duration::from_secs(30);

/// What is kept of a core.
pub(super) struct Kept<C, T> {
    /// Its file, and the name of its thread.
    pub(super) file: &'static str,
    /// Another number after each change.
    pub(super) version: fn(&C) -> u64,
    /// What there is; in the core's thread.
    pub(super) copy: fn(&C) -> T,
    /// The same as it is written.
    pub(super) text: fn(T) -> Vec<u8>,
}

/// Writes it down. Dropping it writes for the last time; the worker must still run then.
pub(super) struct Keeper {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Keeps what the worker has learned.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(super) fn start<C: 'static, T: Send + 'static>(
        state: &Arc<StateDir>,
        inquirer: &Arc<Inquirer<C>>,
        kept: Kept<C, T>,
    ) -> io::Result<Keeper> {
        let (stop, stopped) = channel();
        let (state, inquirer) = (Arc::clone(state), Arc::clone(inquirer));
        let name = kept.file.trim_end_matches(".json").to_owned();
        let keep = move || keep(&state, &inquirer, &kept, &stopped);
        let thread = std::thread::Builder::new().name(name).spawn(keep)?;
        Ok(Keeper { stop: Some(stop), thread: Some(thread) })
    }
}

fn keep<C: 'static, T: Send + 'static>(
    state: &StateDir,
    inquirer: &Inquirer<C>,
    kept: &Kept<C, T>,
    stopped: &Receiver<()>,
) {
    let Kept { file, version, copy, text } = *kept;
    let mut written = inquirer.ask(move |core, _| version(core));
    loop {
        let ends = stopped.recv_timeout(INTERVAL) != Err(RecvTimeoutError::Timeout);
        let before = written;
        let news = inquirer.ask(move |core, _| {
            let now = version(core);
            (Some(now) != before).then(|| (now, copy(core)))
        });
        if let Some((version, what)) = news.flatten() {
            match state.write(file, &text(what)) {
                Ok(()) => written = Some(version),
                Err(error) => debug!(file, %error, "what was learned cannot be written"),
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
