//! The daemon: sockets, threads, files, signals and clocks around [`crate::core`].
//!
//! Order at start: files and sockets while there are privileges, then those are given up, then the
//! inventory, then answers. A view is loaded once per batch of datagrams or query of a connection, so
//! that each answer is of one generation.

mod announce;
mod by_zone;
mod clock;
mod connections;
mod counters;
mod encrypted;
mod forward;
mod journal;
mod keys;
mod lease_store;
mod options;
mod places;
mod query_log;
mod reload;
mod secondaries;
mod server;
mod service;
mod status;
mod stream;
mod tcp;
#[cfg(test)]
mod tests;
mod transfer;
mod udp;
mod updates;
mod zone_keys;

pub use connections::{CLIENT_CONNECTIONS_MAX, CONNECTIONS_MAX, QUERY_OCTETS_MAX};
pub use counters::{DnsCounters, Traffic};
pub use encrypted::{Certificate, CertificateError, Encrypted, Files};
pub use options::Options;
pub use server::{Server, Sockets};
pub use service::Service;

use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use daemon::control;
use daemon::exit::{Exit, Fatal};
use daemon::follow::{self, FollowOptions, Following};
use daemon::metrics::{Common, Registry};
use daemon::notify::Notifier;
use daemon::privileges::{Keep, User, give_up};
use daemon::service::{Pages, attend};
use daemon::signals::Signals;
use daemon::state::StateDir;
use inventory_core::model::Snapshot;
use tracing::{info, warn};

use crate::view::DnsView;

use journal::Journal;
use options::EVERYWHERE;
use reload::{Reloader, system_clock};
use status::{Status, lock};

/// Runs the daemon until it is told to finish; the exit code is that of the command-line contract.
pub fn run(options: Options) -> ExitCode {
    daemon::log::init();
    match try_run(options) {
        Ok(()) => Exit::Fine.into(),
        Err(fatal) => fatal.report("hostbook-dnsd"),
    }
}

/// What is opened while there are privileges.
struct Opened {
    state: Arc<StateDir>,
    sockets: Sockets,
    control: control::Server,
    metrics: Option<std::net::TcpListener>,
}

fn try_run(options: Options) -> Result<(), Fatal> {
    let started = SystemTime::now();
    let notifier = Notifier::from_env();
    let Opened { state, sockets, control, metrics } = open(&options)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Fatal::system("start the runtime", &error))?;
    // Before the inventory is read, which may take a while: an early SIGHUP must not end the process.
    let signals = runtime.block_on(async { Signals::install() });
    let signals = signals.map_err(|error| Fatal::system("catch signals", &error))?;

    let mut registry = Registry::default();
    let counters = Arc::new(DnsCounters::new(&mut registry));
    let service = Service::new(DnsView::build(&Snapshot::nothing()), Journal::open(&state));
    service.queries.log_one_of(options.query_log.unwrap_or(0));
    let serial_trouble = Arc::new(Mutex::new(None));
    let reloader =
        Reloader::new(Arc::clone(&service), Arc::clone(&state), Arc::clone(&serial_trouble), system_clock());
    let reloader = Arc::new(Mutex::new(reloader));
    let threads = reload::retry_often(Arc::clone(&reloader))
        .and_then(|retrying| Ok((retrying, updates::start(&reloader, &service, counters.updates())?)))
        .and_then(|threads| Ok((threads, forward::start(&service, counters.forwarded())?)));
    let _threads = threads.map_err(|error| Fatal::system("start threads", &error))?;
    let following = follow_inventory(options.inventory, &state, &reloader, &notifier)?;

    let mut listeners: Vec<String> = sockets.addresses().iter().map(ToString::to_string).collect();
    listeners.extend(sockets.encrypted.iter().flat_map(Encrypted::addresses));
    let certificate = sockets.encrypted.as_ref().map(Encrypted::certificate);
    let server = Server::start(sockets, &service, &counters, notifier.watchdog_interval())
        .map_err(|error| Fatal::system("start threads", &error))?;
    let follow = following.status_handle();
    let common = Common::new(env!("CARGO_PKG_VERSION"), started, move || lock(&follow).figures());
    common.register(&mut registry);
    let status = Status {
        common,
        follow: following.status_handle(),
        service,
        counters,
        listeners,
        certificate,
        serial_trouble,
        reloader,
    };
    for address in &status.listeners {
        info!(%address, "answering");
    }
    notifier.status(&format!("answering for {} zones", status.service.views.load().zones().len()));
    notifier.ready();
    let pages = Pages { control, metrics, registry };
    let answer = move |request: &control::Request| status.answer(request);
    runtime.block_on(attend(signals, &notifier, &following, pages, answer, server.is_alive()))?;
    notifier.stopping();
    drop(server);
    info!("finished");
    Ok(())
}

/// Takes every good state of the inventory into service.
fn follow_inventory(
    inventories: Vec<PathBuf>,
    state: &StateDir,
    reloader: &Arc<Mutex<Reloader>>,
    notifier: &Notifier,
) -> Result<Following, Fatal> {
    let (applied, reloads) = (Arc::clone(reloader), notifier.clone());
    let mut first = true;
    let options = FollowOptions { inventories, state_dir: state.path().to_owned(), daemon: "dnsd" };
    let following = follow::start(options, move |snapshot| {
        // The start is complete only when answers are given.
        let reload = !std::mem::take(&mut first);
        if reload {
            reloads.reloading();
        }
        reload::take(&applied, snapshot);
        if reload {
            reloads.ready();
        }
    })?;
    Ok(following)
}

/// Opens files and sockets, then gives up privileges.
fn open(options: &Options) -> Result<Opened, Fatal> {
    let user = options.user.as_deref().map(User::find).transpose()?;
    let state = Arc::new(StateDir::open(&options.state, user.as_ref())?);
    let workers = options.workers.map_or_else(processors, usize::from);
    let mut sockets = Sockets::open(&options.listen, workers)?;
    if options.listen.is_empty() {
        let [v4, v6] = EVERYWHERE;
        sockets.add(v4, workers)?;
        match sockets.add(v6, workers) {
            // A machine without IPv6 is no reason not to serve IPv4.
            Err(error) if matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::AddrNotAvailable) => {
                warn!(%error, "only IPv4 is served");
            }
            opened => opened?,
        }
    }
    sockets.encrypted = encrypted(options)?;
    let control = control::Server::bind(&options.control, user.as_ref())?;
    let metrics = options.metrics.map(daemon::tcp::listen).transpose()?;
    give_up(user.as_ref(), Keep::default())?;
    if let Err(error) = state.check_writable() {
        Fatal::from(error).warn();
    }
    Ok(Opened { state, sockets, control, metrics })
}

/// Opens the sockets for encrypted connections, if any are wanted.
fn encrypted(options: &Options) -> Result<Option<Encrypted>, Fatal> {
    let (Some(chain), Some(key)) = (&options.certificate, &options.key) else { return Ok(None) };
    let certificate = Certificate::open(Files { chain: chain.clone(), key: key.clone() })?;
    Ok(Some(Encrypted::open(certificate, &options.tls, &options.https, &options.quic)?))
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
