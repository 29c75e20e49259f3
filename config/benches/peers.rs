//! hostbook-config beside cdist 7.0.0, ansible-core and pyinfra: the same 34 objects on equal fresh targets,
//! first in a run that makes them and then in one that has nothing to do.
//!
//! `make bench-config` runs it. It needs root (for the targets' roots) and PyPI (for the others, once).
//!
//! Everyone reaches its target through a relay that counts connections, and *turns*: how often the direction
//! of the octets goes over from the target to this side. Each of them waited for a round trip, so
//! turns are what a slow line costs. Logging in is some ten of them. Processor time is that of this side,
//! with all processes that a tool leaves behind.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a tool for developers: it ends where it cannot measure"
)]

#[path = "peers/emulator.rs"]
mod emulator;
#[path = "../tests/push/original.rs"]
mod original;
#[path = "peers/relay.rs"]
mod relay;
#[path = "../tests/push/target.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod target;
#[path = "peers/tools.rs"]
mod tools;

use std::fs;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

use relay::Relay;
use target::Target;
use tools::{Tool, tools};

/// What a run cost.
struct Cost {
    wall: Duration,
    cpu: f64,
    processes: usize,
    connections: usize,
    turns: usize,
    round_trips: Option<u64>,
}

fn main() {
    // Masters of ssh that outlive a tool become ours, so that their time is seen.
    nix::sys::prctl::set_child_subreaper(true).unwrap();
    println!("34 objects on one host over loopback; first run, then a run with nothing to do\n");
    println!(
        "{:<36} {:>5} {:>9} {:>9} {:>8} {:>8} {:>7} {:>11}",
        "", "run", "wall s", "CPU s", "ssh", "logins", "turns", "round trips"
    );
    for tool in tools() {
        // cdist's __line wants its file to be there.
        let make = "touch etc/lines-1 etc/lines-2 etc/lines-3 etc/lines-4 etc/lines-5";
        let target = Target::start_with(tool.short, make, "");
        let relay = Relay::start(target.port);
        let config = fs::read_to_string(target.ssh_config()).unwrap();
        let port = format!("Port {}\n", target.port);
        assert!(config.contains(&port));
        fs::write(target.ssh_config(), config.replace(&port, &format!("Port {}\n", relay.port))).unwrap();
        for run in ["first", "again"] {
            row(tool.name, run, &measure(&tool, &target, &relay));
        }
        check(&target);
    }
    println!("\nround trips: as the report of hostbook-config has them, logging in not among them");
    emulator::measure();
}

fn row(name: &str, run: &str, cost: &Cost) {
    let Cost { wall, cpu, processes, connections, turns, round_trips } = cost;
    let round_trips = round_trips.map_or_else(String::new, |trips| trips.to_string());
    println!(
        "{name:<36} {run:>5} {:>9.2} {cpu:>9.2} {processes:>8} {connections:>8} {turns:>7} {round_trips:>11}",
        wall.as_secs_f64()
    );
}

fn measure(tool: &Tool, target: &Target, relay: &Relay) -> Cost {
    let log = target.dir.join("ssh-processes");
    fs::write(&log, "").unwrap();
    let (cpu_before, relay_before, began) = (cpu_of_children(), relay.counts(), Instant::now());
    let round_trips = (tool.run)(target, relay);
    let wall = began.elapsed();
    tools::end_orphans();
    let (connections, turns) = relay.counts();
    Cost {
        wall,
        cpu: cpu_of_children() - cpu_before,
        processes: fs::read_to_string(&log).unwrap().lines().count(),
        connections: connections - relay_before.0,
        turns: turns - relay_before.1,
        round_trips,
    }
}

/// Seconds that children took that have ended, and theirs.
fn cpu_of_children() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    seconds(usage.user_time()) + seconds(usage.system_time())
}

/// Everyone has done the work.
fn check(target: &Target) {
    for (path, text) in [
        ("/srv/dir-a/file-10", "text of file 10\n"),
        ("/srv/dir-b/configuration", "key = value\n"),
        ("/srv/dir-c/link-4", "text of file 4\n"),
        ("/etc/lines-5", "this is line 5\n"),
        ("/etc/settings", "size=10\n"),
        ("/etc/motd", "welcome\n"),
        ("/etc/hostname", "bench\n"),
    ] {
        // The links are absolute, and this side sees them from outside.
        let file = fs::read_link(target.path(path))
            .map_or_else(|_| target.path(path), |to| target.path(to.to_str().unwrap()));
        assert_eq!(fs::read_to_string(file).unwrap(), text, "{path}");
    }
    for (path, count) in
        [("/etc/group", ["red", "green", "blue"]), ("/etc/passwd", ["carol", "dave", "erin"])]
    {
        let text = target.text(path);
        assert!(
            count.iter().all(|name| text.lines().any(|line| line.starts_with(&format!("{name}:")))),
            "{path}"
        );
    }
}
