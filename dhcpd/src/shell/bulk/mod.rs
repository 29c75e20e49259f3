//! Bulk leasequery (RFC 6926): connections of relay agents, in a thread of its own.
//!
//! The port is open while a network names agents that may ask. The thread of DHCPv4 is asked for a few leases at a
//! time, for all connections by turns and with pauses: a crowd of agents costs clients nothing that they would notice.

mod connection;

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use daemon::exit::Fatal;
use daemon::metrics::{Counters, SharedTally};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use tracing::debug;

use super::inquiry::Inquirer;
use super::interface::follow;
use crate::core::bulk::BulkEvent;
use crate::core::{Core, SERVER_PORT};
use crate::view::DhcpView;

/// Connections at once, and of one agent.
const CONNECTIONS_MAX: usize = 32;
const AGENT_MAX: usize = 4;
/// Pause after an error that may stay, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// What all connections share.
pub(super) struct Shared {
    views: Arc<ArcSwap<DhcpView>>,
    worker: Arc<Inquirer<Core>>,
    tally: SharedTally<BulkEvent>,
    /// One asks the worker at a time.
    turn: Semaphore,
    patience: Duration,
}

/// The thread. Dropping it ends it.
pub(super) struct BulkServer {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Shared {
    /// Whether any network lets this agent ask; any agent, where none is named.
    fn may_ask(&self, agent: Option<Ipv4Addr>) -> bool {
        let view = self.views.load();
        view.networks().any(|network| match agent {
            Some(agent) => network.leasequery.contains(&agent),
            None => !network.leasequery.is_empty(),
        })
    }
}

impl BulkServer {
    /// Starts serving on these interfaces; one named twice is served once.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(super) fn start(
        names: &[String],
        views: &Arc<ArcSwap<DhcpView>>,
        worker: &Arc<Inquirer<Core>>,
        tally: SharedTally<BulkEvent>,
    ) -> Result<BulkServer, Fatal> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Fatal::system("start bulk leasequery", &error))?;
        let (views, worker, turn) = (Arc::clone(views), Arc::clone(worker), Semaphore::new(1));
        let shared = Arc::new(Shared { views, worker, tally, turn, patience: connection::PATIENCE });
        let (stop, stopped) = oneshot::channel::<()>();
        let names: BTreeSet<String> = names.iter().cloned().collect();
        let serve = move || {
            runtime.block_on(async {
                let mut tasks = JoinSet::new();
                for name in names {
                    tasks.spawn(attend(name, Arc::clone(&shared)));
                }
                // The other end is dropped, too, when the daemon finishes.
                let _ = stopped.await;
            });
        };
        let thread = std::thread::Builder::new().name("bulk".to_owned()).spawn(serve);
        let thread = thread.map_err(|error| Fatal::system("start a thread", &error))?;
        Ok(BulkServer { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for BulkServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic was printed when it happened.
            let _ = thread.join();
        }
    }
}

/// Has the port of an interface open while somebody may ask, until the task is dropped.
async fn attend(name: String, shared: Arc<Shared>) {
    let open = |_| {
        let everywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, SERVER_PORT));
        let opened = daemon::tcp::listen_on(&name, everywhere).map_err(|error| error.to_string());
        opened.and_then(|socket| TcpListener::from_std(socket).map_err(|error| error.to_string()))
    };
    let serve = |listener| {
        let shared = Arc::clone(&shared);
        async move { serve(listener, &shared).await }
    };
    let trouble = "relay agents cannot ask for many leases yet";
    follow(&name, trouble, || shared.may_ask(None), open, serve).await;
}

/// Accepts connections until the task is dropped, and they are with it.
async fn serve(listener: TcpListener, shared: &Arc<Shared>) {
    let mut connections = JoinSet::new();
    let mut agents: HashMap<Ipv4Addr, usize> = HashMap::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    if let Some(agent) = admit(peer, &mut agents, connections.len(), shared) {
                        let shared = Arc::clone(shared);
                        connections.spawn(async move {
                            connection::serve(stream, agent, &shared).await;
                            agent
                        });
                    }
                }
                Err(error) => {
                    debug!(%error, "accepting a connection failed");
                    tokio::time::sleep(PAUSE).await;
                }
            },
            Some(Ok(agent)) = connections.join_next() => {
                if let Some(count) = agents.get_mut(&agent) {
                    *count -= 1;
                }
                agents.retain(|_, count| *count > 0);
            }
        }
    }
}

/// The agent, if it may have one more connection.
fn admit(
    peer: SocketAddr,
    agents: &mut HashMap<Ipv4Addr, usize>,
    connections: usize,
    shared: &Shared,
) -> Option<Ipv4Addr> {
    let IpAddr::V4(agent) = peer.ip() else { return None };
    if !shared.may_ask(Some(agent)) {
        shared.tally.count(BulkEvent::Refused);
        debug!(%agent, "a connection of no agent that may ask");
        return None;
    }
    let count = agents.entry(agent).or_default();
    if connections >= CONNECTIONS_MAX || *count >= AGENT_MAX {
        shared.tally.count(BulkEvent::TooMany);
        return None;
    }
    *count += 1;
    shared.tally.count(BulkEvent::Connection);
    Some(agent)
}

/// The counters of bulk leasequery.
pub(super) fn counters() -> Arc<Counters<BulkEvent>> {
    Counters::new("hostbook_dhcpd_bulk", "What relay agents have asked for many leases at once", "event")
}
