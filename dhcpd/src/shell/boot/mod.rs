//! The boot service: TFTP and HTTP on the served interfaces, in a thread of its own.
//!
//! Files are read where they are asked for: from the page cache that costs less than handing the work to
//! another thread. A slow disk makes machines wait that boot, and nobody else.

mod content;
mod http;
mod interface;
mod limits;
mod memory;
mod root;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tftp;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use daemon::ListenError;
use daemon::exit::Fatal;
use daemon::interfaces::Interface;
use daemon::metrics::{Counters, SharedTally};
use daemon::state::StateDir;
use inventory_core::model::Snapshot;
use serde_json::Value;
use tokio::sync::oneshot;

use crate::boot::{BootEvent, Service};
use content::Shared;
use http::Patience;
use interface::Door;
use limits::Limits;
use memory::Memory;
use root::BootRoot;

/// How often it is tried to write down what could not be written.
const CATCH_UP_INTERVAL: Duration = Duration::from_secs(5);

/// Open sockets of the boot service, not read yet.
#[derive(Debug)]
pub(super) struct BootSockets {
    doors: Vec<Door>,
    root: BootRoot,
    http_port: u16,
}

/// The running boot service. Dropping it ends it.
pub(super) struct BootServer {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
}

impl BootSockets {
    /// Opens the sockets on the named interfaces; one named twice is opened once.
    ///
    /// # Errors
    /// A port is taken, or a permission is missing.
    pub(super) fn open(
        root: &Path,
        http_port: u16,
        names: &[String],
        interfaces: &[Interface],
    ) -> Result<BootSockets, ListenError> {
        let mut doors = Vec::with_capacity(names.len());
        for (place, name) in names.iter().enumerate() {
            if !names.iter().take(place).any(|before| before == name) {
                doors.push(Door::open(name, http_port, interfaces)?);
            }
        }
        Ok(BootSockets { doors, root: BootRoot::new(root), http_port })
    }

    /// The port that HTTP is served on.
    pub(super) fn http_port(&self) -> u16 {
        self.http_port
    }

    /// Starts serving what `snapshots` says.
    ///
    /// # Errors
    /// What was learned earlier cannot be read, or the thread cannot be started.
    pub(super) fn start(
        self,
        state: &Arc<StateDir>,
        snapshots: &Arc<ArcSwap<Snapshot>>,
        tally: SharedTally<BootEvent>,
    ) -> Result<BootServer, Fatal> {
        let (memory, installs) = Memory::load(state)?;
        let shared = Arc::new(Shared {
            root: self.root,
            service: Mutex::new(Service::new(installs)),
            snapshots: Arc::clone(snapshots),
            memory,
            tally,
            transfers: Limits::default(),
            connections: Limits::default(),
            patience: Patience::default(),
            http_port: self.http_port,
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Fatal::system("start the boot service", &error))?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = Arc::clone(&shared);
        let serve = move || {
            runtime.block_on(async {
                for door in self.doors {
                    tokio::spawn(interface::serve(door, Arc::clone(&serving)));
                }
                let catching_up = async {
                    loop {
                        tokio::time::sleep(CATCH_UP_INTERVAL).await;
                        serving.catch_up();
                    }
                };
                tokio::select! {
                    // The other end is dropped, too, when the daemon finishes.
                    _ = stopped => {}
                    () = catching_up => {}
                }
            });
        };
        let thread = std::thread::Builder::new().name("boot".to_owned()).spawn(serve);
        let thread = thread.map_err(|error| Fatal::system("start a thread", &error))?;
        Ok(BootServer { stop: Some(stop), thread: Some(thread), shared })
    }
}

impl BootServer {
    /// A question that says what keeps machines from booting, or from being installed once only.
    pub(super) fn problems(&self) -> Box<dyn Fn() -> Vec<String> + Send + Sync> {
        let shared = Arc::clone(&self.shared);
        Box::new(move || shared.root.problem().into_iter().chain(shared.memory.problem()).collect())
    }

    /// A question that says which hosts are installed, and with which host keys.
    pub(super) fn installed(&self) -> Box<dyn Fn() -> Value + Send + Sync> {
        let shared = Arc::clone(&self.shared);
        Box::new(move || shared.installed())
    }
}

impl Drop for BootServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic was printed when it happened.
            let _ = thread.join();
        }
    }
}

/// The counters of the boot service.
pub(super) fn counters() -> Arc<Counters<BootEvent>> {
    Counters::new("hostbook_dhcpd_boot", "Requests to the boot service, by what became of them", "event")
}
