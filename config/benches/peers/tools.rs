//! The tools and how each is called: as its manual says, with its defaults.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;

use crate::original::cdist;
use crate::relay::Relay;
use crate::target::{Target, ran};

/// A tool in one way of using it.
pub(crate) struct Tool {
    /// For the table.
    pub(crate) name: &'static str,
    /// For its target's directory.
    pub(crate) short: &'static str,
    /// Runs it once; the number of round trips if it tells.
    pub(crate) run: fn(&Target, &Relay) -> Option<u64>,
}

/// All of them.
pub(crate) fn tools() -> [Tool; 6] {
    let _ = (cdist(), python());
    [
        Tool { name: "hostbook-config", short: "own", run: |target, _| ours(target, false) },
        Tool {
            name: "hostbook-config, cdist's types",
            short: "foreign",
            run: |target, _| ours(target, true),
        },
        Tool { name: "cdist 7.0.0", short: "cdist", run: |target, _| theirs(target) },
        Tool { name: "ansible-core 2.19.14", short: "ansible", run: |target, _| ansible(target, false) },
        Tool {
            name: "ansible-core 2.19.14, pipelining",
            short: "pipelining",
            run: |target, _| ansible(target, true),
        },
        Tool { name: "pyinfra 3.10.0", short: "pyinfra", run: pyinfra },
    ]
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers").join(name)
}

fn ours(target: &Target, foreign: bool) -> Option<u64> {
    let mut run = target.command("push");
    run.arg("--manifest").arg(file("init.sh"));
    if foreign {
        run.arg("--cdist-path").arg(cdist().0.join("cdist/conf"));
    }
    run.env("PATH", counting_path(target, false)).args(["--json", "t1"]);
    let ran = ran(&mut run).ends(0);
    ran.host()["round_trips"].as_u64()
}

fn theirs(target: &Target) -> Option<u64> {
    let mut run = Command::new(&cdist().1);
    run.args(["config", "-i"]).arg(file("init.sh")).arg("t1");
    ran(run.env("PATH", counting_path(target, true)).env("HOME", &target.dir).env_remove("CDIST_PATH"))
        .ends(0);
    None
}

fn ansible(target: &Target, pipelining: bool) -> Option<u64> {
    let mut run = Command::new(python().join("ansible-playbook"));
    run.args(["-i", "t1,", "-u", "root"]).arg(file("playbook.yml"));
    run.env("PATH", counting_path(target, true)).env("HOME", &target.dir);
    run.env("ANSIBLE_PIPELINING", if pipelining { "1" } else { "0" });
    run.env("ANSIBLE_SSH_CONTROL_PATH_DIR", target.dir.join("cp"))
        .env("ANSIBLE_HOME", target.dir.join("ansible"));
    run.env("LC_ALL", "C.UTF-8");
    ran(&mut run).ends(0);
    None
}

fn pyinfra(target: &Target, relay: &Relay) -> Option<u64> {
    let inventory = target.dir.join("inventory.py");
    let key = target.dir.join("user");
    let text = format!(
        "hosts = [(\"t1\", {{\"ssh_hostname\": \"127.0.0.1\", \"ssh_port\": {}, \"ssh_user\": \"root\", \
         \"ssh_key\": {:?}, \"ssh_strict_host_key_checking\": \"no\"}})]\n",
        relay.port,
        key.display().to_string()
    );
    fs::write(&inventory, text).unwrap();
    let mut run = Command::new(python().join("pyinfra"));
    run.arg("-y").arg(&inventory).arg(file("deploy.py")).env("HOME", &target.dir);
    ran(run.env("PATH", counting_path(target, true)).current_dir(&target.dir)).ends(0);
    None
}

/// Programs of a Python environment with the peers in it, made once.
fn python() -> &'static Path {
    static PLACE: OnceLock<PathBuf> = OnceLock::new();
    PLACE.get_or_init(|| {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers");
        if !place.join("complete").exists() {
            let make = "python3 -m venv \"$1\" && \"$1/bin/pip\" install -q ansible-core==2.19.14 pyinfra==3.10.0 && touch \"$1/complete\"";
            assert!(Command::new("sh").args(["-c", make, "sh"]).arg(&place).status().unwrap().success());
        }
        // Python compiles what it imports for the first time: that is not what is measured.
        for program in ["ansible-playbook", "pyinfra"] {
            assert!(Command::new(place.join("bin").join(program)).arg("--version").output().unwrap().status.success());
        }
        place.join("bin")
    })
}

/// A search path whose `ssh` notes each start; with the target's configuration if the tool cannot be told of it.
fn counting_path(target: &Target, with_config: bool) -> String {
    let place = target.dir.join("bin");
    let _ = fs::create_dir(&place);
    let (log, config) = (target.dir.join("ssh-processes"), target.ssh_config());
    let config = if with_config { format!("-F '{}'", config.display()) } else { String::new() };
    let ssh = place.join("ssh");
    let note = format!("echo $$ >>'{}'", log.display());
    let mut programs = vec![("ssh", format!("#!/bin/sh\n{note}\nexec /usr/bin/ssh {config} \"$@\"\n"))];
    for copier in ["scp", "sftp"] {
        let text = format!("#!/bin/sh\nexec /usr/bin/{copier} {config} -S '{}' \"$@\"\n", ssh.display());
        programs.push((copier, text));
    }
    for (name, text) in programs {
        fs::write(place.join(name), text).unwrap();
        fs::set_permissions(place.join(name), PermissionsExt::from_mode(0o755)).unwrap();
    }
    format!("{}:{}", place.display(), std::env::var("PATH").unwrap())
}

/// Ends what a tool left running, so that it is counted and the next run logs in anew.
pub(crate) fn end_orphans() {
    let own = std::process::id();
    let tasks = fs::read_dir(format!("/proc/{own}/task")).unwrap();
    let children = tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let children: Vec<i32> = children
        .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect();
    for pid in children.into_iter().map(Pid::from_raw).filter(|pid| !is_target(*pid)) {
        let _ = kill(pid, Signal::SIGTERM);
        let _ = waitpid(pid, None);
    }
    while waitpid(None, Some(WaitPidFlag::WNOHANG)).is_ok_and(|status| status.pid().is_some()) {}
}

/// Whether a child is a target: what it hangs on is `unshare`.
fn is_target(pid: Pid) -> bool {
    fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "unshare")
}
