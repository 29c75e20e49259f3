//! `hostbook-bench [--hosts N] [--most N] [--rounds N] [--seconds N] [--ours] [--out DIR] [PART…]`: measures beside the
//! servers that others use. `make bench` runs all parts, on the release build, and writes docs/benchmarks: a
//! section each, of which results.md is made.
//!
//! It starts itself again in namespaces of its own, since the servers want their ports.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a tool for developers: it ends where it cannot measure"
)]

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use integration_tests::bench::dns::echo;
use integration_tests::bench::machine::{self, Machine};
use integration_tests::bench::report::{self, Table};
use integration_tests::bench::runs::Runs;
use integration_tests::bench::{daemons, dhcp, dns, edit, flood, growth, transfer};
use integration_tests::generate::Plan;
use integration_tests::run::sh;
use nix::mount::{MsFlags, mount};

const USAGE: &str = "usage: hostbook-bench [--hosts N] [--most N] [--rounds N] [--seconds N] [--ours] [--out DIR] [PART…]\n       \
     hostbook-bench echo ADDR:PORT\nparts: dns streams signed dhcp-tenth dhcp pool daemons edit transfer flood growth";
/// Set in the process within the namespaces.
const INSIDE: &str = "HOSTBOOK_BENCH_INSIDE";

/// Measures one thing.
type Measure = fn(&Options) -> Table;

const PARTS: [(&str, Measure); 10] = [
    ("dns", |options| dns::measure::udp(options.plan, options.runs)),
    ("streams", |options| dns::streams::streams(options.plan, options.runs)),
    ("signed", |options| dns::signed::signed(tenth(options), options.runs)),
    ("dhcp-tenth", |options| dhcp::measure::reservations(tenth(options), options.runs)),
    ("dhcp", |options| dhcp::measure::reservations(options.plan, options.runs)),
    ("pool", |options| dhcp::measure::pool(options.runs)),
    ("daemons", |options| daemons::daemons(options.plan)),
    ("edit", |options| edit::edit(options.plan)),
    ("transfer", |options| transfer::transfer(options.runs)),
    ("flood", |options| flood::flood(options.plan, options.runs)),
];

/// The part that has a picture.
const GROWTH: &str = "growth";

/// The inventory of a tenth of the hosts.
fn tenth(options: &Options) -> Plan {
    Plan { hosts: options.plan.hosts / 10, ..options.plan }
}

struct Options {
    plan: Plan,
    /// Hosts of the largest inventory of the plot.
    most: usize,
    runs: Runs,
    out: Option<PathBuf>,
    parts: Vec<String>,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [word, address] = &words[..]
        && word == "echo"
        && let Ok(address) = address.parse()
    {
        echo::echo(address);
    }
    let Some(options) = read(&words) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    if std::env::var_os(INSIDE).is_none() {
        return enter(&words);
    }
    prepare();
    machine::pin(machine::load_core());
    let machine = Machine::look();
    let measured = report::measured(&machine, format!("hostbook-bench {}", words.join(" ")).trim());
    println!("{measured}");
    let is_wanted = |part: &str| options.parts.is_empty() || options.parts.iter().any(|word| word == part);
    for (part, measure) in PARTS.into_iter().filter(|(name, _)| is_wanted(name)) {
        let table = measure(&options).markdown();
        println!("{table}");
        // What comes later may fail, and takes long.
        save(&options, part, &format!("{table}\n{measured}\n"));
    }
    if is_wanted(GROWTH) {
        let (table, picture) = growth::growth(options.most, options.runs);
        let table = table.markdown();
        println!("{table}");
        if let Some(out) = &options.out {
            report::save(out, "growth.svg", &picture);
        }
        let picture = "![Cost by number of hosts](growth.svg)";
        save(&options, GROWTH, &format!("{table}\n{picture}\n\n{measured}\n"));
    }
    ExitCode::SUCCESS
}

/// Saves the section of one part; those of the others stay as their last runs left them.
fn save(options: &Options, part: &str, section: &str) {
    if let Some(out) = &options.out {
        let order: Vec<&str> = PARTS.iter().map(|(name, _)| *name).chain([GROWTH]).collect();
        report::save_part(out, part, section, &order);
    }
}

/// Runs this program again in namespaces of its own.
fn enter(words: &[String]) -> ExitCode {
    let mut command = Command::new("unshare");
    if !nix::unistd::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]);
    let status = command.arg(std::env::current_exe().unwrap()).args(words).env(INSIDE, "1").status().unwrap();
    ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1))
}

/// A network, and a `/run` of our own for those of the machines.
fn prepare() {
    let none = None::<&str>;
    mount(Some("tmpfs"), "/run", Some("tmpfs"), MsFlags::empty(), none).unwrap();
    std::fs::create_dir("/run/netns").unwrap();
    sh(dns::servers::NETWORK);
}

fn read(words: &[String]) -> Option<Options> {
    let runs = Runs { rounds: 5, each: Duration::from_secs(1), only_ours: false };
    let mut options = Options {
        plan: Plan { hosts: 100_000, seed: 1 },
        most: 1_000_000,
        runs,
        out: None,
        parts: Vec::new(),
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let number = |text: Option<&String>| text?.parse::<usize>().ok().filter(|number| *number > 0);
        match word.as_str() {
            "--hosts" => {
                options.plan.hosts =
                    number(words.next()).filter(|hosts| (10_000..=1_000_000).contains(hosts))?;
            }
            "--most" => options.most = number(words.next())?,
            "--rounds" => options.runs.rounds = number(words.next())?,
            "--seconds" => options.runs.each = Duration::from_secs(number(words.next())? as u64),
            "--ours" => options.runs.only_ours = true,
            "--out" => options.out = Some(words.next()?.into()),
            part if part == GROWTH || PARTS.iter().any(|(name, _)| *name == part) => {
                options.parts.push(word.clone());
            }
            _ => return None,
        }
    }
    Some(options)
}
