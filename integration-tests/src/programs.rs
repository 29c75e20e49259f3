//! The programs under test: built once, started with a place of their own, ended by their process.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;

use daemon::control;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, SysconfVar, sysconf};
use serde_json::Value;

use crate::place::Place;
use crate::run::{succeed, wait_for};

/// Names the directory of the programs to a test in its namespaces.
pub(crate) const DIRECTORY: &str = "HOSTBOOK_TEST_PROGRAMS";

/// Where the programs are. They are built first, so that no test runs an old one.
///
/// # Panics
/// They do not build.
pub fn directory() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        if let Some(directory) = std::env::var_os(DIRECTORY) {
            return directory.into();
        }
        let own = std::env::current_exe().unwrap();
        let directory = own.parent().and_then(Path::parent).unwrap().to_owned();
        let mut build = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
        build.args(["build", "--quiet", "--workspace", "--bins"]);
        if directory.ends_with("release") {
            build.arg("--release");
        }
        succeed(build);
        directory
    })
}

/// A command that runs one of them.
pub fn program(name: &str) -> Command {
    Command::new(directory().join(name))
}

/// A daemon that is to be started.
#[derive(Debug)]
pub struct Launch<'a> {
    name: &'static str,
    place: &'a Place,
    under: Vec<String>,
    args: Vec<String>,
    /// Where the inventories are; that of the place if empty.
    on: Vec<String>,
}

/// A running daemon. It is ended with the value; its log is shown when the test fails.
#[derive(Debug)]
pub struct Daemon {
    name: &'static str,
    child: Child,
    control: PathBuf,
    // Open, so that it can be read even when its place has gone before.
    log: File,
}

impl<'a> Launch<'a> {
    /// `hostbook-dhcpd` on the inventory of `place`.
    pub fn dhcpd(place: &'a Place) -> Launch<'a> {
        Launch { name: "dhcpd", place, under: Vec::new(), args: Vec::new(), on: Vec::new() }
    }

    /// `hostbook-dnsd` on the inventory of `place`.
    pub fn dnsd(place: &'a Place) -> Launch<'a> {
        Launch { name: "dnsd", place, under: Vec::new(), args: Vec::new(), on: Vec::new() }
    }

    /// More arguments.
    #[must_use]
    pub fn args(mut self, args: &[&str]) -> Self {
        self.args.extend(args.iter().map(|arg| (*arg).to_owned()));
        self
    }

    /// Other inventories than that of the place, such as a branch.
    #[must_use]
    pub fn on(mut self, inventories: &[String]) -> Self {
        self.on = inventories.to_vec();
        self
    }

    /// A program that starts it, such as `setpriv --bounding-set=-all`.
    #[must_use]
    pub fn under(mut self, command: &[&str]) -> Self {
        self.under = command.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    /// Starts it and waits until it answers on its control socket.
    ///
    /// # Panics
    /// It ends, or does not answer.
    pub fn start(self) -> Daemon {
        let mut daemon = self.spawn();
        wait_for(&format!("hostbook-{} to answer", daemon.name), || {
            if let Some(status) = daemon.child.try_wait().unwrap() {
                panic!("hostbook-{} ended at start ({status})", daemon.name);
            }
            daemon.try_status()
        });
        daemon
    }

    /// Starts it, waits until it ends by itself, and returns its exit code and its log.
    ///
    /// # Panics
    /// It goes on.
    pub fn fail(self) -> (i32, String) {
        let mut daemon = self.spawn();
        let status = daemon.wait();
        (status.code().unwrap_or_else(|| panic!("{status}")), daemon.log())
    }

    fn spawn(self) -> Daemon {
        let Launch { name, place, under, args, mut on } = self;
        if on.is_empty() {
            on.push(place.inventory().display().to_string());
        }
        let daemon = directory().join(format!("hostbook-{name}"));
        let mut command = match under.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(daemon);
                command
            }
            None => Command::new(daemon),
        };
        let control = place.control(name);
        let log = place.path().join(format!("{name}.log"));
        command.args(on.iter().flat_map(|inventory| ["--inventory", inventory]));
        command.arg("--state").arg(place.state(name)).arg("--control").arg(&control).args(args);
        let log = File::options().read(true).append(true).create(true).open(log).unwrap();
        let copy = || log.try_clone().unwrap();
        let command = command.stdin(Stdio::null()).stdout(copy()).stderr(copy());
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Daemon { name, child, control, log }
    }
}

impl Daemon {
    /// What it says of itself.
    ///
    /// # Panics
    /// It does not answer.
    pub fn status(&self) -> Value {
        self.ask("status")
    }

    fn try_status(&self) -> Option<Value> {
        self.try_ask("status")
    }

    /// Its answer to a request on its control socket.
    ///
    /// # Panics
    /// It does not answer.
    pub fn ask(&self, what: &str) -> Value {
        self.try_ask(what).unwrap_or_else(|| panic!("hostbook-{} does not answer", self.name))
    }

    fn try_ask(&self, what: &str) -> Option<Value> {
        control::ask(&self.control, &control::Request::new(what), control::PATIENCE).ok()
    }

    /// Waits until its status is as wanted.
    ///
    /// # Panics
    /// It does not become so.
    pub fn wait_status(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        wait_for(&format!("hostbook-{}: {what}", self.name), || {
            self.try_status().filter(|status| wanted(status))
        })
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        let mut octets = vec![0; usize::try_from(self.log.metadata().unwrap().len()).unwrap()];
        self.log.read_exact_at(&mut octets, 0).unwrap();
        String::from_utf8_lossy(&octets).into_owned()
    }

    /// Waits until `text` stands in its log.
    ///
    /// # Panics
    /// It never does.
    pub fn wait_log(&self, text: &str) {
        wait_for(&format!("hostbook-{} to log `{text}`", self.name), || {
            self.log().contains(text).then_some(())
        });
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// It has ended.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    /// Waits until it ends.
    ///
    /// # Panics
    /// It goes on.
    pub fn wait(&mut self) -> ExitStatus {
        wait_for(&format!("hostbook-{} to end", self.name), || self.child.try_wait().unwrap())
    }
}

/// What Prometheus reads at `address`.
///
/// # Panics
/// Nobody answers there.
pub fn scrape(address: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// Processor time in seconds that a daemon has used so far (proc(5): utime and stime, in ticks).
///
/// # Panics
/// It has ended.
pub fn core_seconds(daemon: &Daemon) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", daemon.pid())).unwrap();
    // The name before it may hold spaces; the fields after it are numbered from 3.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u32 = fields[11].parse::<u32>().unwrap() + fields[12].parse::<u32>().unwrap();
    let per_second = sysconf(SysconfVar::CLK_TCK).unwrap().unwrap();
    f64::from(ticks) / per_second as f64
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            println!("--- log of hostbook-{}:\n{}---", self.name, self.log());
        }
    }
}
