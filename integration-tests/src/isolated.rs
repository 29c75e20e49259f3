//! A test in namespaces of its own: network, mounts, processes, host name, and a user namespace when the
//! tests are not run by root.
//!
//! The test binary starts itself again for one test, so a test may do what it likes: its mounts are
//! private, `/run` and `/etc` are its own, and the kernel ends everything that it left running. Where
//! namespaces cannot be made the test fails and says so; it is never left out silently.

use std::any::type_name;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use nix::mount::{MsFlags, mount};

use crate::programs;
use crate::run::sh;

/// Set in the inner process to the name of its test.
const INSIDE: &str = "HOSTBOOK_TEST_INSIDE";
/// What the inner process says when its test has come to its end.
const DONE: &str = "hostbook-test: the end was reached";
/// A test that hangs is killed after this time.
const PATIENCE: Duration = Duration::from_secs(900);
/// What programs of a test need of `/etc`; the rest, this machine's own, they do not see.
const ETC: [&str; 13] = [
    "alternatives",
    "dhcp",
    "dhcpcd.conf",
    "group",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "login.defs",
    "nsswitch.conf",
    "passwd",
    "protocols",
    "services",
    "udhcpc",
];

/// Runs `body`, a test's only statement, in namespaces of its own.
///
/// # Panics
/// The test fails, or namespaces cannot be made.
pub fn isolated<F: FnOnce()>(body: F) {
    isolated_for(PATIENCE, body);
}

/// The same for a test that takes longer than others: it is killed after `patience`.
///
/// # Panics
/// The test fails, or namespaces cannot be made.
pub fn isolated_for<F: FnOnce()>(patience: Duration, body: F) {
    let name = test_name::<F>();
    if std::env::var(INSIDE).is_ok_and(|inside| inside == name) {
        prepare();
        body();
        println!("{DONE}");
        return;
    }
    let output = enter(name, patience);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() && out.contains(DONE) {
        print!("{out}");
        return;
    }
    if err.lines().next().is_some_and(|line| line.starts_with("unshare: ")) {
        panic!(
            "this test needs namespaces and cannot make them: {}. Run the tests as root, or let users make \
             namespaces (`sysctl kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000`); a container \
             must be started with `--privileged`",
            err.trim()
        );
    }
    panic!("in its namespaces the test failed ({}):\n{out}{err}", output.status);
}

/// The name by which the test harness knows the function that called [`isolated`].
fn test_name<F>() -> &'static str {
    // `crate::module::test::{{closure}}`
    let path = type_name::<F>().trim_end_matches("::{{closure}}");
    path.split_once("::").map_or(path, |(_, name)| name)
}

fn enter(name: &str, patience: Duration) -> Output {
    let mut command = Command::new("timeout");
    command.args(["--foreground", "--signal=KILL"]).arg(patience.as_secs().to_string()).arg("unshare");
    if !nix::unistd::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--net", "--mount", "--pid", "--uts", "--fork", "--kill-child", "--"]);
    command.arg(std::env::current_exe().unwrap()).args(["--exact", name, "--nocapture", "--include-ignored"]);
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
    command.env(INSIDE, name).env(programs::DIRECTORY, programs::directory());
    command
        .env("TMPDIR", "/run/tmp")
        .env("NO_COLOR", "1")
        .env("RUST_BACKTRACE", "0")
        .env_remove("HOSTBOOK_INVENTORY");
    command.output().unwrap()
}

/// Makes the world of the test: private mounts, empty `/run`, little `/etc`, a loopback that is up.
fn prepare() {
    bare_mount("none", "/", None, MsFlags::MS_REC | MsFlags::MS_PRIVATE);
    bare_mount("tmpfs", "/run", Some("tmpfs"), MsFlags::empty());
    // A container may forbid it. Then only /proc/PID is the outer one's, and no test asks for that.
    let _ = mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), None::<&str>);
    for directory in ["/run/tmp", "/run/netns", "/run/etc"] {
        fs::create_dir(directory).unwrap();
    }
    for name in ETC {
        let from = Path::new("/etc").join(name);
        if from.exists() {
            sh(&format!("cp -a /etc/{name} /run/etc/"));
        }
    }
    fs::write("/run/etc/hosts", "127.0.0.1 localhost\n").unwrap();
    fs::write("/run/etc/resolv.conf", "").unwrap();
    fs::write("/run/etc/fstab", "").unwrap();
    symlink("/proc/mounts", "/run/etc/mtab").unwrap();
    bare_mount("/run/etc", "/etc", None, MsFlags::MS_BIND);
    for directory in ["/var/lib/dhcp", "/var/lib/dhcpcd"] {
        if Path::new(directory).is_dir() {
            bare_mount("tmpfs", directory, Some("tmpfs"), MsFlags::empty());
        }
    }
    if has_one_user() {
        // dhcpcd becomes its own user where there is one, and goes on as root where there is none.
        sh("sed -i /^dhcpcd:/d /etc/passwd");
    }
    sh("hostname test-host && ip link set lo up");
}

/// Whether this is a user namespace in which nobody but root exists.
fn has_one_user() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap();
    map.split_whitespace().nth(2) == Some("1")
}

fn bare_mount(source: &str, target: &str, kind: Option<&str>, flags: MsFlags) {
    let mounted = mount(Some(source), target, kind, flags, None::<&str>);
    mounted.unwrap_or_else(|error| panic!("cannot mount `{source}` on `{target}`: {error}"));
}
