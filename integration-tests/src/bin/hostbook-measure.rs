//! `hostbook-measure [HOSTS]`: processor time and memory of check, of both daemons' start, and of the reload
//! of one edited file among many. `make bench` runs it in a network namespace, on the release build.
//!
//! Core seconds are the kernel's account of the process (user and system), so that other load on the
//! machine counts little; still, measure on a quiet one.

#![allow(clippy::unwrap_used, reason = "a tool for developers: it ends where it cannot measure")]

use std::fs;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use integration_tests::generate::{HOSTS_PER_FILE, Plan};
use integration_tests::place::Place;
use integration_tests::programs::{Daemon, Launch, core_seconds, program};
use integration_tests::run::{run, sh};
use nix::sys::resource::{Usage, UsageWho, getrusage};

/// Edits that the figures of a reload are the mean of.
const EDITS: usize = 20;

fn main() -> ExitCode {
    let hosts = std::env::args().nth(1).map_or(Ok(100_000), |hosts| hosts.parse());
    let Some(hosts) = hosts.ok().filter(|hosts| (1_000..=1_000_000).contains(hosts)) else {
        eprintln!("usage: hostbook-measure [HOSTS], from 1000 to 1000000");
        return ExitCode::from(2);
    };
    let plan = Plan { hosts, seed: 1 };
    let place = Place::empty();
    plan.write(&place.inventory()).unwrap();
    println!("{hosts} hosts in {} files of {HOSTS_PER_FILE}, {} networks", plan.files(), plan.networks());
    println!("{:<34} {:>12} {:>10} {:>10}", "", "core seconds", "RSS MiB", "peak MiB");
    check(&place);
    sh("ip link set lo up");
    let dhcpd = start("start of dhcpd", Launch::dhcpd(&place).args(&["--interface", "lo"]));
    let dnsd = start("start of dnsd", Launch::dnsd(&place).args(&["--listen", "127.0.0.1:5300"]));
    reload(plan, &place, [("dhcpd", &dhcpd), ("dnsd", &dnsd)]);
    ExitCode::SUCCESS
}

fn row(what: &str, seconds: f64, resident: Option<u64>, peak: Option<u64>) {
    let mebibytes =
        |octets: Option<u64>| octets.map_or(String::new(), |kibi| format!("{:.1}", kibi as f64 / 1024.0));
    println!("{what:<34} {seconds:>12.3} {:>10} {:>10}", mebibytes(resident), mebibytes(peak));
}

fn check(place: &Place) {
    let mut command = program("hostbook");
    command.arg("check").arg("-i").arg(place.inventory());
    let usage = || getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    let total = |usage: Usage| seconds(usage.user_time()) + seconds(usage.system_time());
    let before = total(usage());
    let ran = run(command);
    assert_eq!(ran.code(), 0, "{ran:?}");
    // The only child so far: the largest of all children is it.
    row("hostbook check", total(usage()) - before, None, u64::try_from(usage().max_rss()).ok());
}

fn start(what: &str, launch: Launch<'_>) -> Daemon {
    let daemon = launch.start();
    row(what, core_seconds(&daemon), memory(&daemon, "VmRSS:"), memory(&daemon, "VmHWM:"));
    daemon
}

/// Edits one host of one file again and again, as an editor saves it.
fn reload(plan: Plan, place: &Place, daemons: [(&str, &Daemon); 2]) {
    let before = daemons.map(|(_, daemon)| core_seconds(daemon));
    let mut waited = Duration::ZERO;
    for edit in 0..EDITS {
        let file = edit * plan.files() / EDITS;
        let path = plan.path(file);
        let host = plan.host(file * HOSTS_PER_FILE + 7);
        let network = host.ipv4.octets()[1];
        // Between the pool and the router nobody lives.
        let moved =
            plan.file(file).replace(&format!("\"{}\"", host.ipv4), &format!("\"10.{network}.251.{edit}\""));
        let hash = daemons.map(|(_, daemon)| hash(daemon));
        let saved = Instant::now();
        place.save(path.to_str().unwrap(), &moved);
        for ((_, daemon), old) in daemons.iter().zip(hash) {
            daemon.wait_status("the edit", |status| status["inventory"]["hash"] != old);
        }
        waited += saved.elapsed();
    }
    for ((name, daemon), before) in daemons.into_iter().zip(before) {
        let each = (core_seconds(daemon) - before) / EDITS as f64;
        row(
            &format!("reload of one file in {name}"),
            each,
            memory(daemon, "VmRSS:"),
            memory(daemon, "VmHWM:"),
        );
    }
    let each = waited.as_secs_f64() * 1000.0 / EDITS as f64;
    println!("from saving until both serve it, with 150 ms of waiting for quiet: {each:.0} ms of wall time");
}

fn hash(daemon: &Daemon) -> serde_json::Value {
    daemon.status()["inventory"]["hash"].clone()
}

/// A figure of `/proc/PID/status`, in KiB.
fn memory(daemon: &Daemon, field: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
    status.lines().find_map(|line| line.strip_prefix(field)?.split_whitespace().next()?.parse().ok())
}
