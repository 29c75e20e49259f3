//! Helpers for this crate's tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::{getegid, geteuid};

use crate::sys::fork::in_child;

/// A directory that goes away with the value.
pub(crate) struct TempDir {
    path: PathBuf,
}

impl TempDir {
    pub(crate) fn new(what: &str) -> TempDir {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("hostbook-{what}-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        TempDir { path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// A network namespace.
pub(crate) struct Namespace(fs::File);

impl Namespace {
    /// The namespace that this thread is in.
    pub(crate) fn current() -> Namespace {
        Namespace(fs::File::open("/proc/thread-self/ns/net").unwrap())
    }

    /// A new one, which this thread enters.
    pub(crate) fn new() -> Namespace {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        run("ip link set lo up");
        Namespace::current()
    }

    /// A path to it, for commands that this process starts.
    pub(crate) fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), std::os::fd::AsRawFd::as_raw_fd(&self.0))
    }

    /// This thread goes there.
    pub(crate) fn enter(&self) {
        setns(&self.0, CloneFlags::CLONE_NEWNET).unwrap();
    }
}

/// Runs `body` in a process of its own, as root of a network namespace with nothing but loopback; as a
/// user it is root of a user namespace, too. Where the kernel permits none it prints why and returns.
pub(crate) fn in_network_namespace(body: impl FnOnce()) {
    let (uid, gid) = (geteuid(), getegid());
    let mut namespaces = CloneFlags::CLONE_NEWNET;
    if !uid.is_root() {
        namespaces |= CloneFlags::CLONE_NEWUSER;
    }
    let permitted = Command::new("unshare").args(["--map-root-user", "--net", "true"]).status();
    if !uid.is_root() && !permitted.is_ok_and(|status| status.success()) {
        println!("skipped: neither root nor user namespaces");
        return;
    }
    in_child(|| {
        unshare(namespaces).unwrap();
        if !uid.is_root() {
            fs::write("/proc/self/setgroups", "deny").unwrap();
            fs::write("/proc/self/uid_map", format!("0 {uid} 1")).unwrap();
            fs::write("/proc/self/gid_map", format!("0 {gid} 1")).unwrap();
        }
        run("ip link set lo up");
        body();
    });
}

/// Runs a command whose words are separated by blanks; it must succeed.
pub(crate) fn run(command: &str) {
    let mut words = command.split(' ');
    let output = Command::new(words.next().unwrap()).args(words).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
}
