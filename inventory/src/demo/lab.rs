//! The laboratory: namespaces, a cable, the daemons.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use daemon::control;
use serde_json::Value;

use super::require_private;
use crate::exit::Failure;
use crate::external::program;

/// Address of the machine that runs the daemons in the example.
pub(super) const SERVER: &str = "10.20.0.2";
const SERVER_V6: &str = "2001:db8:20::2";
/// The client's hardware address: that of `web1` in the example.
pub(super) const CLIENT_MAC: &str = "52:54:00:aa:00:11";
/// A slow machine under load needs a while to start two programs, and a machine that QEMU makes without
/// help of the processor longer.
const PATIENCE: Duration = Duration::from_secs(180);

/// Everything that the demo started. Dropping it ends the processes and removes the files.
pub(super) struct Lab {
    /// Scratch directory.
    pub(super) directory: PathBuf,
    /// The copy of the inventory that is edited.
    pub(super) inventory: PathBuf,
    /// File that the client's network namespace is bound to. A file and not a process: process numbers
    /// mean something else where `/proc` shows another process namespace.
    client: PathBuf,
    /// What the daemons follow.
    sources: Vec<PathBuf>,
    daemons: Vec<(&'static str, Child)>,
}

/// Says what to install if a tool is missing.
pub(super) fn require_tools() -> Result<(), Failure> {
    let found = |name: &str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let usual = ["/usr/sbin", "/sbin"].map(PathBuf::from);
        std::env::split_paths(&path).chain(usual).any(|directory| directory.join(name).is_file())
    };
    let tools = [
        ("unshare", "util-linux"),
        ("nsenter", "util-linux"),
        ("ip", "iproute2"),
        ("getent", "libc-bin"),
        ("udhcpc", "udhcpc"),
        ("git", "git"),
    ];
    let missing: Vec<&str> =
        tools.iter().filter(|(name, _)| !found(name)).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("the demo needs more tools: apt-get install {}", missing.join(" "))))
}

impl Lab {
    /// Makes the networks, copies the inventory and starts both daemons.
    /// `outside` is the machine's own network namespace.
    pub(super) fn build(inventory: &Path, outside: &str) -> Result<Lab, Failure> {
        // Mounts made here stay here.
        sh("mount --make-rprivate / && mount -t tmpfs tmpfs /run")?;
        let directory = PathBuf::from("/run/hostbook-demo");
        let copy = directory.join("inventory");
        fs::create_dir_all(&copy)?;
        copy_tree(inventory, &copy)?;
        let client = directory.join("client");
        File::create(&client)?;
        sh(&format!("unshare --net={} true", client.display()))?;
        let lab =
            Lab { directory, sources: vec![copy.clone()], inventory: copy, client, daemons: Vec::new() };
        require_private(&lab.in_client("readlink /proc/self/ns/net")?, outside)?;
        sh("ip link set lo up && ip link add lab0 type bridge && ip link set lab0 up")?;
        sh("ip link add cable0 type veth peer name eth0 && ip link set cable0 master lab0 up")?;
        sh(&format!("ip link set eth0 netns {}", lab.client.display()))?;
        sh(&format!("ip address add {SERVER}/24 dev lab0"))?;
        // Kernels without IPv6 still show the rest.
        let _ = sh(&format!("ip address add {SERVER_V6}/64 dev lab0 nodad 2>/dev/null"));
        lab.in_client(&format!(
            "ip link set lo up && ip link set eth0 address {CLIENT_MAC} && ip link set eth0 up"
        ))?;
        Ok(lab)
    }

    /// Starts both daemons on the copy and waits until they serve.
    pub(super) fn start_daemons(&mut self) -> Result<(), Failure> {
        let boot_root = self.directory.join("boot");
        fs::create_dir_all(&boot_root)?;
        self.start("dhcpd", &["--interface", "lab0", "--boot-root", &boot_root.to_string_lossy()])?;
        self.start("dnsd", &["--listen", &format!("{SERVER}:53"), "--workers", "1"])?;
        for name in ["dhcpd", "dnsd"] {
            wait_for(&format!("hostbook-{name} to serve"), || self.status(name).is_some())
                .map_err(|failure| self.with_log(name, failure))?;
        }
        Ok(())
    }

    /// Ends both daemons and starts them on `sources`.
    pub(super) fn follow(&mut self, sources: &[PathBuf]) -> Result<(), Failure> {
        self.sources = sources.to_vec();
        self.stop();
        self.start_daemons()
    }

    fn stop(&mut self) {
        for (_, mut child) in self.daemons.drain(..) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn start(&mut self, name: &'static str, args: &[&str]) -> Result<(), Failure> {
        let log = File::create(self.log(name))?;
        let program = program(OsStr::new(name));
        let child = Command::new(&program)
            .args(self.sources.iter().flat_map(|source| [OsStr::new("--inventory"), source.as_os_str()]))
            .arg("--state")
            .arg(self.directory.join(name))
            .arg("--control")
            .arg(self.socket(name))
            .args(args)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .map_err(|error| {
                Failure::new(format!("cannot start `{}`: {error}; build it first", program.display()))
            })?;
        self.daemons.push((name, child));
        Ok(())
    }

    fn with_log(&self, name: &str, failure: Failure) -> Failure {
        let log = fs::read_to_string(self.log(name)).unwrap_or_default();
        eprintln!("--- log of hostbook-{name}:\n{log}---");
        failure
    }

    fn log(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.log"))
    }

    /// The control socket of a daemon.
    pub(super) fn socket(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.sock"))
    }

    /// What a daemon says of itself; `None` while it does not answer.
    pub(super) fn status(&self, name: &str) -> Option<Value> {
        control::ask(&self.socket(name), &control::Request::new("status"), Duration::from_secs(2)).ok()
    }

    /// Whether both daemons serve the same content now.
    pub(super) fn serves_one_content(&self) -> bool {
        let hash = |name| self.status(name).map(|status| status["hash"].clone());
        hash("dhcpd").is_some() && hash("dhcpd") == hash("dnsd")
    }

    /// Runs a shell command on the client's side of the cable; returns what it printed.
    pub(super) fn in_client(&self, command: &str) -> Result<String, Failure> {
        let mut shell = Command::new("nsenter");
        shell.arg(format!("--net={}", self.client.display())).args(["--", "sh", "-c", command]);
        output(shell, command)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Runs a shell command; returns what it printed.
pub(super) fn sh(command: &str) -> Result<String, Failure> {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]);
    output(shell, command)
}

/// The same as a git user of its own, in `directory`; `Err` with what git printed.
pub(super) fn git(directory: &Path, command: &str) -> Result<String, Failure> {
    let own = "GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null";
    let name = "-c user.name=operator -c user.email=operator@example.org";
    sh(&format!("cd {} && {own} git {name} {command} 2>&1", directory.display()))
}

pub(super) fn output(mut command: Command, what: &str) -> Result<String, Failure> {
    let path = std::env::var("PATH").unwrap_or_default();
    let done = command.env("PATH", format!("{path}:/usr/sbin:/sbin")).stdin(Stdio::null()).output()?;
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    if done.status.success() {
        return Ok(text);
    }
    let errors = String::from_utf8_lossy(&done.stderr);
    Err(Failure::new(format!("`{what}` failed ({}): {}{}", done.status, text.trim(), errors.trim())))
}

/// Waits until `ready`, at most [`PATIENCE`].
pub(super) fn wait_for(what: &str, ready: impl Fn() -> bool) -> Result<(), Failure> {
    let deadline = Instant::now() + PATIENCE;
    while !ready() {
        if Instant::now() > deadline {
            return Err(Failure::new(format!("waited in vain for {what}")));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn copy_tree(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir_all(&target)?;
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
