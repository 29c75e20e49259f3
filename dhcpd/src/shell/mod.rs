//! The daemon: sockets, threads, files, signals and clocks around [`crate::core`].
//!
//! Order at start: files and sockets while there are privileges, then those are given up, then the
//! inventory, then answers. A view is loaded once per batch of datagrams, so that each answer is of one
//! generation.

mod book;
mod boot;
mod bulk;
mod clock;
mod counters;
mod held;
mod inquiry;
mod interface;
mod keeper;
mod links;
mod moved;
mod names;
mod options;
mod ports;
mod probes;
mod recorded;
mod reload;
mod replies;
mod seen;
mod server;
mod status;
mod store;
mod tell;
mod transfer;
mod v4;
mod v6;
mod worker;
mod writer;

pub use counters::{DhcpCounters, Traffic};
pub use options::Options;
pub use ports::Ports;
pub use store::{LeaseStore, Loaded, RedbJournal, StoreError};

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use daemon::control;
use daemon::exit::{Exit, Fatal};
use daemon::follow::{self, FollowOptions, Following};
use daemon::interfaces::interfaces;
use daemon::metrics::{Common, Registry};
use daemon::neighbours::NeighbourSocket;
use daemon::notify::Notifier;
use daemon::privileges::{Keep, User, give_up};
use daemon::service::{Pages, attend};
use daemon::signals::Signals;
use daemon::state::StateDir;
use inventory_core::model::Snapshot;
use tracing::{info, warn};

use crate::history::History;
use crate::view::DhcpView;

use book::LeaseGauges;
use boot::{BootServer, BootSockets};
use bulk::BulkServer;
use moved::Moved;
use names::{Askers, Mailbox, Names};
use recorded::Recorded;
use reload::Reloader;
use server::{Server, Thread};
use status::{Status, lock};
use v4::{Begin, Four};
use v6::{Six, SixService};

/// Files of the leases of each family, in the state directory.
const JOURNAL: &str = "leases.redb";
const JOURNAL6: &str = "leases6.redb";

/// Runs the daemon until it is told to finish; the exit code is that of the command-line contract.
pub fn run(options: Options) -> ExitCode {
    daemon::log::init();
    let done = if options.is_transfer() { transfer(&options) } else { try_run(options) };
    match done {
        Ok(()) => Exit::Fine.into(),
        Err(fatal) => fatal.report("hostbook-dhcpd"),
    }
}

/// What is opened while there are privileges.
struct Opened {
    state: Arc<StateDir>,
    ports: Ports,
    boot: Option<BootSockets>,
    control: control::Server,
    metrics: Option<std::net::TcpListener>,
    /// Our DUID.
    duid: Box<[u8]>,
    /// For router advertisements.
    neighbours: Option<NeighbourSocket>,
}

fn try_run(options: Options) -> Result<(), Fatal> {
    let started = SystemTime::now();
    let notifier = Notifier::from_env();
    let Opened { state, ports, boot, control, metrics, duid, neighbours } = open(&options)?;
    // Before the inventory is read, which may take a while: an early SIGHUP must not end the process.
    let (runtime, signals) = catch_signals()?;
    let mut registry = Registry::default();
    let counters = Arc::new(DhcpCounters::new(&mut registry));
    let six = Arc::new(Six::new(duid, &mut registry));
    let reloader = Reloader::new(Moved::load(&state));
    let (views, links) = (Arc::clone(&reloader.views), Arc::clone(&reloader.links));
    let snapshots = Arc::clone(&reloader.snapshots);
    let news = Arc::clone(&reloader.six);
    let following = follow_inventory(&options, &state, reloader, &notifier)?;
    let history = history(&options, &state)?;
    let boot_port = boot.as_ref().map(BootSockets::http_port);
    let begin = Begin { boot_port, seen: seen::load(&state) };
    let begin6 = v6::Begin { boot_port, keys: v6::keys(&state), clients: v6::clients(&state) };
    let threads = Threads::start(
        Four::new(ports, Arc::clone(&links), begin),
        SixService::new(&options.interface, Arc::clone(&six), neighbours, begin6),
        Around {
            state: &state,
            views: &views,
            snapshots: &snapshots,
            counters: &counters,
            six: &six,
            history: history.as_ref(),
            watchdog: notifier.watchdog_interval(),
            registry: &mut registry,
        },
    );
    let Threads { server, four, six: six_thread, names } =
        threads.map_err(|error| Fatal::system("start a thread", &error))?;
    let _ = news.set(Arc::clone(&six_thread.inquirer));
    let boot = boot.map(|boot| boot.start(&state, &snapshots, counters.boot())).transpose()?;
    let bulk = BulkServer::start(&options.interface, &views, &four.inquirer, counters.bulk())?;
    let follow = following.status_handle();
    let common = Common::new(env!("CARGO_PKG_VERSION"), started, move || lock(&follow).figures());
    common.register(&mut registry);
    registry.register_collector(Box::new(LeaseGauges(Arc::clone(&four.inquirer))));
    let status = Status {
        common,
        follow: following.status_handle(),
        views,
        counters,
        links,
        six,
        four,
        six_thread,
        boot_problems: boot_problems(boot.as_ref()),
        installed: boot.as_ref().map(BootServer::installed),
        history,
        names,
    };
    notifier.status(&format!("serving {} networks", snapshots.load().inventory.globals.networks.len()));
    notifier.ready();
    let pages = Pages { control, metrics, registry };
    let answer = move |request: &control::Request| status.answer(request);
    runtime.block_on(attend(signals, &notifier, &following, pages, answer, server.is_alive()))?;
    notifier.stopping();
    drop((bulk, server, boot));
    info!("finished");
    Ok(())
}

/// Takes every good state of the inventory into service.
fn follow_inventory(
    options: &Options,
    state: &StateDir,
    mut reloader: Reloader,
    notifier: &Notifier,
) -> Result<Following, Fatal> {
    let reloads = notifier.clone();
    let inventories = options.inventory.clone();
    let follow_options = FollowOptions { inventories, state_dir: state.path().to_owned(), daemon: "dhcpd" };
    let following = follow::start(follow_options, move |snapshot| {
        // The start is complete only when answers are given.
        let reload = reloader.last.is_some();
        if reload {
            reloads.reloading();
        }
        reloader.apply(snapshot);
        if reload {
            reloads.ready();
        }
    })?;
    Ok(following)
}

/// What says what keeps machines from booting; said in the log once.
fn boot_problems(boot: Option<&BootServer>) -> Box<dyn Fn() -> Vec<String> + Send + Sync> {
    let problems = boot.map(BootServer::problems).unwrap_or_else(|| Box::new(Vec::new));
    for problem in problems() {
        warn!("{problem}");
    }
    problems
}

/// The history of leases, if one is kept.
fn history(options: &Options, state: &StateDir) -> Result<Option<Arc<History>>, Fatal> {
    let Some(limits) = options.history() else { return Ok(None) };
    let history = History::start(state.path(), limits);
    Ok(Some(Arc::new(history.map_err(|error| Fatal::system("start a thread", &error))?)))
}

/// The threads of both families.
struct Threads {
    server: Server,
    four: Thread<crate::core::Core>,
    six: Thread<crate::core::v6::Core>,
    names: Names,
}

/// What they work with.
struct Around<'a> {
    state: &'a Arc<StateDir>,
    views: &'a Arc<ArcSwap<DhcpView>>,
    snapshots: &'a Arc<ArcSwap<Snapshot>>,
    counters: &'a DhcpCounters,
    six: &'a Six,
    history: Option<&'a Arc<History>>,
    watchdog: Option<Duration>,
    registry: &'a mut Registry,
}

impl Threads {
    fn start(four: Four, six: SixService, around: Around<'_>) -> std::io::Result<Threads> {
        let Around { state, counters, .. } = around;
        let mailbox = Arc::new(Mailbox::default());
        let is_new = History::is_new(state.path());
        let recorded = |store| {
            let history = around.history.cloned();
            Box::new(Recorded { store, history, is_new, names: Arc::clone(&mailbox) })
        };
        let store = |name| RedbJournal::new(state.path().join(name));
        let mut server = Server::new(around.views, around.watchdog)?;
        let four = server.start("dhcpv4", four, recorded(store(JOURNAL)), counters.worker())?;
        server.keep(state, &four.inquirer, seen::KEPT)?;
        let six =
            server.start("dhcpv6", six, recorded(store(JOURNAL6).lazy()), around.six.counters.worker())?;
        server.keep(state, &six.inquirer, v6::KEPT)?;
        let askers = Askers { four: Arc::clone(&four.inquirer), six: Arc::clone(&six.inquirer) };
        let names = Names::start(mailbox, askers, around.snapshots, around.registry)?;
        Ok(Threads { server, four, six, names })
    }
}

/// The runtime of everything but packets, and the signals that it hears from now on.
fn catch_signals() -> Result<(tokio::runtime::Runtime, Signals), Fatal> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Fatal::system("start the runtime", &error))?;
    let signals = runtime.block_on(async { Signals::install() });
    Ok((runtime, signals.map_err(|error| Fatal::system("catch signals", &error))?))
}

/// Writes leases out or takes them in, in place of serving.
fn transfer(options: &Options) -> Result<(), Fatal> {
    let state = StateDir::open(&options.state, None)?;
    let mut stores = [JOURNAL, JOURNAL6].map(|name| RedbJournal::new(state.path().join(name)).lazy());
    if let Some(path) = &options.import_leases {
        transfer::import(&mut stores, path)?;
    }
    if options.export_leases { transfer::export(&mut stores) } else { Ok(()) }
}

/// Opens files and sockets, then gives up privileges.
fn open(options: &Options) -> Result<Opened, Fatal> {
    let user = options.user.as_deref().map(User::find).transpose()?;
    let state = Arc::new(StateDir::open(&options.state, user.as_ref())?);
    let interfaces = interfaces().map_err(|error| Fatal::system("list the interfaces", &error))?;
    let ports = Ports::open(&options.interface, &interfaces)?;
    let neighbours = v6::open_neighbours();
    let boot = options
        .boot_root
        .as_deref()
        .map(|root| BootSockets::open(root, options.boot_port, &options.interface, &interfaces));
    let boot = boot.transpose()?;
    let control = control::Server::bind(&options.control, user.as_ref())?;
    let metrics = options.metrics.map(daemon::tcp::listen).transpose()?;
    // An interface that comes back needs a socket on port 67 again.
    give_up(user.as_ref(), Keep { net_bind_service: true, ..Keep::default() })?;
    if let Err(error) = state.check_writable() {
        Fatal::from(error).warn();
    }
    let duid = v6::server_duid(&state, &interfaces);
    Ok(Opened { state, ports, boot, control, metrics, duid, neighbours })
}
