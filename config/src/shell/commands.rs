//! What the program does, command by command.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use inventory_core::source::git::{Location, check_out};
use serde_json::json;

use super::args::{Command, ConfArg, Format, Push, Shell};
use super::cdistcfg::CdistConfig;
use super::confdir::{Conf, split_path};
use super::env::Target;
use super::fleet::Fleet;
use super::host::{Host, Settings};
use super::metrics;
use super::progress::Progress;
use super::report::{HostReport, Result as Outcome};
use super::rundir::RunDir;
use super::secrets::{Secrets, is_in_memory};
use super::select::{self, SelectError};
use super::server::Server;
use super::stop::Stop;
use super::{output, own, reported, typelist};
use crate::core::engine::Mode;

/// Why a command ends with another code than 0.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// Exit code 1 with a message.
    pub fn new(message: impl fmt::Display) -> Failure {
        Failure { code: 1, message: message.to_string() }
    }

    /// Exit code 2: the command line makes no sense.
    pub fn usage(message: impl fmt::Display) -> Failure {
        Failure { code: 2, message: message.to_string() }
    }

    /// Prints the message and gives the code.
    pub fn report(&self) -> ExitCode {
        eprintln!("hostbook-config: {}", self.message);
        ExitCode::from(self.code)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::new(error)
    }
}

impl From<SelectError> for Failure {
    fn from(error: SelectError) -> Failure {
        let code = match error {
            SelectError::Inventory => 65,
            SelectError::Usage(_) => 2,
            SelectError::Unknown(_) => 1,
        };
        Failure { code, message: error.to_string() }
    }
}

/// Runs a command.
///
/// # Errors
/// See [`Failure`]: the message and the exit code.
pub fn run(command: &Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Push(args) => push(args, args.dry_run),
        Command::Plan(args) => push(args, true),
        Command::Types(args) => typelist::run(args),
        Command::Shell(args) => shell(args),
    }
}

/// Hosts worked on at the same time when nobody says how many.
const HOSTS_PARALLEL: u16 = 32;

fn push(args: &Push, dry: bool) -> Result<ExitCode, Failure> {
    let stop = Stop::on_signals();
    let config = CdistConfig::read(args.conf.config_file.as_deref())?;
    let args = &config.fill(args.clone()).map_err(Failure::usage)?;
    private_files();
    let mut hosts = select::select(args.conf.inventory.as_deref(), &args.hosts, &args.select)?;
    reported::fill(&mut hosts, args.reach.control.as_deref());
    let secrets = Secrets::new(args.secret_command.clone());
    let dir = RunDir::create(args.out_path.as_deref(), secrets.are_used())?;
    if secrets.are_used() && !is_in_memory(dir.path()) {
        let place = dir.path().display();
        return Err(Failure::new(format!(
            "secrets would be written to disk: {place} is not in memory (see XDG_RUNTIME_DIR)"
        )));
    }
    let conf = read_conf(&args.conf, &config, &dir)?;
    let manifest = initial_manifest(args, &conf)?;
    dir.lay_out(&conf, &std::env::current_exe()?)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let settings = Settings {
        conf: Arc::new(conf),
        manifest,
        mode: Mode { dry, install: args.install },
        jobs: args.jobs.filter(|jobs| *jobs > 0).unwrap_or(cores),
        retries: args.reach.retries,
        stop,
        secrets,
    };
    let fleet = Fleet {
        dir: &dir,
        settings: &settings,
        reach: &args.reach,
        keep: args.out_path.is_some(),
        log_level: log_level(args.verbose),
    };
    let json = args.json || args.format == Format::Json;
    let style = output::Style { dry, verbose: args.verbose > 0 };
    let progress = Progress::new(hosts.len(), json, style);
    let reports = fleet.run(&hosts, args.hosts_parallel.unwrap_or(HOSTS_PARALLEL).into(), &progress)?;
    drop(progress);
    if let Some(file) = &args.metrics {
        let end = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        metrics::write(file, &reports, dry, end)
            .map_err(|error| Failure::new(format!("cannot write {}: {error}", file.display())))?;
    }
    if json {
        output::print(&format!("{}\n", json!({ "dry_run": dry, "hosts": reports })));
    } else if reports.len() > 1 {
        output::print(&output::total(&reports, dry));
    }
    Ok(exit_code(&reports, dry))
}

fn exit_code(reports: &[HostReport], dry: bool) -> ExitCode {
    let changes = |report: &HostReport| matches!(report.result, Outcome::Changed | Outcome::MayChange);
    if reports.iter().any(HostReport::is_bad) {
        ExitCode::FAILURE
    } else if dry && reports.iter().any(changes) {
        ExitCode::from(3)
    } else {
        ExitCode::SUCCESS
    }
}

/// Everything that this process and its scripts write is for this user only.
fn private_files() {
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
}

/// Configuration directories, least important first.
///
/// # Errors
/// One that must be there is not, or something cannot be read.
pub fn read_conf(args: &ConfArg, config: &CdistConfig, dir: &RunDir) -> Result<Conf, Failure> {
    let standard = dir.path().join("own");
    own::unpack(&standard)?;
    let mut all = vec![(standard, false)];
    if let Some(home) = std::env::var_os("HOME") {
        all.extend(sets(&Path::new(&home).join(".skonfig")).into_iter().map(|path| (path, false)));
        all.push((Path::new(&home).join(".cdist"), false));
    }
    all.extend(config.conf_dirs.iter().map(|path| (path.clone(), false)));
    all.extend(
        args.cdist_path.as_deref().map(split_path).unwrap_or_default().into_iter().map(|path| (path, false)),
    );
    if let Some(inventory) = &args.inventory {
        all.push((beside(inventory, dir)?, false));
    }
    all.extend(args.conf_dir.iter().map(|path| (path.clone(), true)));
    let absolute = |(path, must): (PathBuf, bool)| Ok((std::path::absolute(path)?, must));
    let all = all.into_iter().map(absolute).collect::<io::Result<Vec<_>>>()?;
    let conf = Conf::read(&all)?;
    for warning in &conf.warnings {
        eprintln!("hostbook-config: warning: {warning}");
    }
    Ok(conf)
}

/// The configuration directory beside the inventory; that of a branch is written into `dir`.
fn beside(inventory: &Path, dir: &RunDir) -> Result<PathBuf, Failure> {
    let Some(location) = Location::parse(inventory) else { return Ok(inventory.join("config")) };
    let to = dir.path().join("branch");
    check_out(&location, "config", &to).map_err(Failure::new)?;
    Ok(to)
}

/// skonfig's configuration directories: sets of types in the order of their names, then its own.
fn sets(skonfig: &Path) -> Vec<PathBuf> {
    let listing = std::fs::read_dir(skonfig.join("set")).into_iter().flatten().flatten();
    let mut all: Vec<PathBuf> = listing.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    all.sort();
    all.push(skonfig.to_owned());
    all
}

fn initial_manifest(args: &Push, conf: &Conf) -> Result<PathBuf, Failure> {
    match (&args.manifest, conf.part("manifest").get("init")) {
        (Some(file), _) if file.exists() => Ok(std::path::absolute(file)?),
        (Some(file), _) => {
            Err(Failure::new(format!("the initial manifest `{}` does not exist", file.display())))
        }
        (None, Some(file)) => Ok(file.clone()),
        (None, None) => {
            let write = |inventory: &PathBuf| match Location::parse(inventory) {
                Some(_) => "commit `config/manifest/init` to that branch, or ".to_owned(),
                None => format!("write `{}`, or ", inventory.join("config/manifest/init").display()),
            };
            let beside = args.conf.inventory.as_ref().map(write).unwrap_or_default();
            let hint = format!("{beside}give --manifest FILE, or -c DIR with `manifest/init` in it");
            Err(Failure::usage(format!("there is no initial manifest: {hint}")))
        }
    }
}

fn log_level(verbose: u8) -> (u8, &'static str) {
    match verbose {
        0 => (30, "WARNING"),
        1 => (20, "INFO"),
        2 => (15, "VERBOSE"),
        3 => (10, "DEBUG"),
        _ => (5, "TRACE"),
    }
}

/// A shell in which the types' commands work: they define objects, as in a manifest, of a host that is not
/// there. At its end the objects are listed.
fn shell(args: &Shell) -> Result<ExitCode, Failure> {
    private_files();
    let dir = RunDir::create(None, false)?;
    let conf = Arc::new(read_conf(&args.conf, &CdistConfig::read(args.conf.config_file.as_deref())?, &dir)?);
    dir.lay_out(&conf, &std::env::current_exe()?)?;
    let manifest = PathBuf::from("shell");
    let settings = Settings {
        conf,
        manifest: manifest.clone(),
        mode: Mode::default(),
        jobs: 1,
        retries: 0,
        stop: Stop::default(),
        secrets: Secrets::default(),
    };
    let target = Target { host: "no-host".to_owned(), ..Target::default() };
    let host = Arc::new(Host::without_target(&dir, settings, target)?);
    Server::start(&dir.socket())?.add(0, Arc::clone(&host) as Arc<_>);
    let default = std::env::var_os("SHELL").unwrap_or_else(|| "/bin/sh".into());
    let (program, words) =
        args.command.split_first().map_or((&default, &[][..]), |(first, rest)| (first, rest));
    let status = std::process::Command::new(program)
        .args(words)
        .envs(host.environment().initial_manifest(&manifest))
        .status()
        .map_err(|error| Failure::new(format!("cannot run `{}`: {error}", program.display())))?;
    for object in host.defined() {
        output::print(&format!("{object}\n"));
    }
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
