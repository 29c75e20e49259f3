//! `hostbook hook follow`: programs of this host that are run after each change that the daemons serve.
//!
//! A process of its own, which follows the inventory as the daemons do: whatever a hook does, no answer
//! waits for it. The programs are those of a directory of the host. The inventory cannot name one, so that
//! a push runs nothing here but what the host's administrator has put there.

mod board;
mod event;
mod process;
mod programs;
mod runner;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, SystemTime};

use clap::Args;
use daemon::control::{self, ControlError};
use daemon::exit::{Exit, Fatal};
use daemon::follow::{self, FollowOptions};
use daemon::metrics::{Common, Registry};
use daemon::notify::Notifier;
use daemon::privileges::{Keep, User, give_up};
use daemon::service::{Pages, attend};
use daemon::signals::Signals;
use daemon::state::StateDir;
use inventory_core::units::parse_duration;
use nix::unistd::geteuid;
use serde_json::{Value, json};

use board::{Board, Figures};
use runner::Runner;

use crate::exit::Outcome;
use crate::status;

#[derive(Debug, Args)]
pub(crate) struct Follow {
    /// The inventory: a directory of `*.toml` files, or a branch of a repository; repeated: several, in the
    /// order in which the daemons have them.
    #[arg(short = 'i', long, value_name = "PATH", env = "HOSTBOOK_INVENTORY", default_value = ".")]
    inventory: Vec<PathBuf>,
    /// Directory of the programs: executable files, which nobody but root and the hooks' user may write.
    #[arg(long, value_name = "DIR", default_value = "/etc/hostbook-hooks")]
    hooks: PathBuf,
    /// Control socket of a daemon that serves a change before hooks hear of it; repeated: of several.
    /// Without it, the usual places. A daemon that does not run is not waited for.
    #[arg(long, value_name = "PATH")]
    daemon: Vec<PathBuf>,
    /// Longest time that a hook may take.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = seconds)]
    timeout: u64,
    /// Directory for what must outlive a restart: what hooks were told last.
    #[arg(long, value_name = "DIR", default_value = "/var/lib/hostbook/hooks")]
    state: PathBuf,
    /// Socket that `hostbook status` asks.
    #[arg(long, value_name = "PATH", default_value = status::HOOKS)]
    control: PathBuf,
    /// Address to serve Prometheus metrics on, by HTTP.
    #[arg(long, value_name = "ADDR:PORT")]
    metrics: Option<SocketAddr>,
    /// User that hooks are run as; root must name one.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Group that hooks are run in, in place of the user's own: that of the daemons' sockets, such as
    /// `hostbook`, so that they can be asked.
    #[arg(long, value_name = "NAME", requires = "user")]
    group: Option<String>,
}

fn seconds(text: &str) -> Result<u64, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

/// Follows until it is told to finish.
pub(crate) fn run(args: &Follow) -> Outcome {
    daemon::log::init();
    Ok(match try_run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fatal) => fatal.report("hostbook"),
    })
}

/// What is opened while there are privileges.
struct Opened {
    state: Arc<StateDir>,
    control: control::Server,
    metrics: Option<TcpListener>,
}

fn try_run(args: &Follow) -> Result<(), Fatal> {
    let (started, notifier) = (SystemTime::now(), Notifier::from_env());
    refuse_unsafe(args)?;
    let Opened { state, control, metrics } = open(args)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Fatal::system("start the runtime", &error))?;
    let signals = runtime.block_on(async { Signals::install() });
    let signals = signals.map_err(|error| Fatal::system("catch signals", &error))?;

    let kept = follow::kept(state.path(), &args.inventory).map_err(Fatal::new)?;
    let (board, stop) = (Board::new(&args.hooks), Arc::new(AtomicBool::new(false)));
    let runner = Runner {
        // Hooks are run in another directory.
        directory: std::path::absolute(&args.hooks)
            .map_err(|error| Fatal::system("find the hooks", &error))?,
        before: Runner::before(&state, kept.map(Arc::new)),
        state: Arc::clone(&state),
        daemons: status::daemons(&args.daemon),
        limit: Duration::from_secs(args.timeout),
        stop: Arc::clone(&stop),
        board: Arc::clone(&board),
    };
    let (sender, snapshots) = channel();
    let options = FollowOptions {
        inventories: args.inventory.clone(),
        state_dir: state.path().to_owned(),
        daemon: "hooks",
    };
    let following = follow::start(options, move |snapshot| {
        // The thread ends only after this one.
        let _ = sender.send(Arc::clone(snapshot));
    })?;
    let thread = std::thread::Builder::new().name("hooks".to_owned()).spawn(move || runner.run(&snapshots));
    let thread = thread.map_err(|error| Fatal::system("start a thread", &error))?;

    let follow = following.status_handle();
    let figures = Arc::clone(&follow);
    let lock = |status: &std::sync::Mutex<follow::FollowStatus>| {
        status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    };
    let common = Common::new(env!("CARGO_PKG_VERSION"), started, move || lock(&figures).figures());
    let mut registry = Registry::default();
    common.register(&mut registry);
    registry.register_collector(Box::new(Figures(Arc::clone(&board))));
    let answer = move |request: &control::Request| match request.get.as_str() {
        "status" => status_json(&lock(&follow), &board, &common),
        other => control::refuse(format!("unknown request `{other}`: the hooks know `status`")),
    };
    notifier.ready();
    let pages = Pages { control, metrics, registry };
    let attended = runtime.block_on(attend(signals, &notifier, &following, pages, answer, || true));
    notifier.stopping();
    stop.store(true, Ordering::Relaxed);
    // Without a sender the thread ends.
    drop(following);
    let _ = thread.join();
    attended
}

fn status_json(follow: &follow::FollowStatus, board: &Board, common: &Common) -> Value {
    let (hooks, problems) = board.to_json();
    let mut status = json!({
        "daemon": "hooks",
        "generation": follow.generation,
        "hash": follow.hash,
        "inventory": follow,
        "hooks": hooks,
        "problems": problems,
    });
    if let (Value::Object(status), Value::Object(common)) = (&mut status, common.to_json()) {
        status.extend(common);
    }
    status
}

/// Refuses what would let an inventory, or anybody, run code as root.
fn refuse_unsafe(args: &Follow) -> Result<(), Fatal> {
    let is_root = |name: &String| User::find(name).is_ok_and(|user| user.uid == 0);
    if geteuid().is_root() && args.user.as_ref().is_none_or(is_root) {
        let fatal = Fatal::new("hooks are not run as root").with_exit(Exit::Usage);
        return Err(fatal
            .with_help("name the user that they are run as by `--user`, such as `--user hostbook-hooks`"));
    }
    let whole = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let hooks = whole(&args.hooks);
    match args.inventory.iter().find(|inventory| hooks.starts_with(whole(inventory))) {
        Some(inventory) => Err(Fatal::new(format!(
            "the hooks' directory `{}` is inside the inventory `{}`, so that whoever pushes would run code here",
            args.hooks.display(),
            inventory.display()
        ))
        .with_exit(Exit::Usage)
        .with_help("name a directory outside by `--hooks`")),
        None => Ok(()),
    }
}

/// Refuses daemons that this user may not ask: whether they serve a change would never be known.
fn require_answers(daemons: &[PathBuf]) -> Result<(), Fatal> {
    for socket in daemons {
        let asked = control::ask(socket, &control::Request::new("status"), control::PATIENCE);
        if let Err(error @ ControlError::PermissionDenied { .. }) = asked {
            return Err(Fatal::from(error).with_help(
                "name the group of the daemons' sockets by `--group`, such as `--group hostbook`",
            ));
        }
    }
    Ok(())
}

/// Opens files and sockets, then gives up privileges.
fn open(args: &Follow) -> Result<Opened, Fatal> {
    let user = args.user.as_deref().map(User::find).transpose()?;
    let user = match (user, &args.group) {
        (Some(user), Some(group)) => Some(user.in_group(group)?),
        (user, _) => user,
    };
    let state = Arc::new(StateDir::open(&args.state, user.as_ref())?);
    let control = control::Server::bind(&args.control, user.as_ref())?;
    let metrics = args.metrics.map(daemon::tcp::listen).transpose()?;
    give_up(user.as_ref(), Keep::default())?;
    require_answers(&status::daemons(&args.daemon))?;
    if let Err(error) = state.check_writable() {
        Fatal::from(error).warn();
    }
    Ok(Opened { state, control, metrics })
}
