//! What both daemons cost beside answering: reading the inventory, memory, an edit among many files.

use std::process::Command;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};

use super::clock::{peak_mebibytes, processor_time, resident_mebibytes};
use super::figures::Figures;
use super::machine::SERVER_CORE;
use super::report::Table;
use crate::generate::{HOSTS_PER_FILE, Plan};
use crate::place::Place;
use crate::programs::{Daemon, Launch, directory};
use crate::run::{run, sh};

/// Edits that the figures of a reload are of.
pub const EDITS: usize = 20;
/// For so long a daemon waits for quiet, reads, and serves; nobody asks it meanwhile.
const SETTLED: Duration = Duration::from_millis(600);

/// Where dnsd listens.
pub const DNS: &str = "10.255.1.1:53";

/// Both daemons on one inventory, on the servers' core.
#[derive(Debug)]
pub struct Pair {
    /// The place of the inventory.
    pub place: Place,
    /// The inventory.
    pub plan: Plan,
    /// dhcpd, on an interface of its own.
    pub dhcpd: Daemon,
    /// dnsd.
    pub dnsd: Daemon,
    edits: usize,
}

/// Core seconds and memory.
///
/// # Panics
/// A daemon does not start.
pub fn daemons(plan: Plan) -> Table {
    let place = Place::empty();
    plan.write(&place.inventory()).unwrap();
    let checked = check(&place);
    let mut pair = Pair::start(plan, place);
    let mut table = Table::new(
        format!("Reading {} hosts", plan.hosts),
        format!(
            "{} files of {HOSTS_PER_FILE} hosts. A start is from nothing to the first answer. An edit moves one host; the \
             figure is all that the daemon does from the file's event until it serves the edit, of {EDITS} edits. Peaks \
             are those of the process.",
            plan.files()
        ),
        &["what", "core seconds", "RSS MiB", "peak MiB"],
    );
    let memory = |mebibytes: Option<f64>| mebibytes.map_or(String::new(), |figure| format!("{figure:.0}"));
    table.row([
        "hostbook check".to_owned(),
        format!("{:.3}", checked.0),
        String::new(),
        memory(Some(checked.1)),
    ]);
    for (what, daemon) in [("start of dhcpd", &pair.dhcpd), ("start of dnsd", &pair.dnsd)] {
        let seconds = processor_time(daemon.pid()).as_secs_f64();
        let (now, peak) = (resident_mebibytes(daemon.pid()), peak_mebibytes(daemon.pid()));
        table.row([what.to_owned(), format!("{seconds:.3}"), memory(Some(now)), memory(peak)]);
    }
    let reload = pair.reload();
    for ((what, daemon), figures) in
        [("edit in dhcpd", &pair.dhcpd), ("edit in dnsd", &pair.dnsd)].iter().zip(reload)
    {
        let (now, peak) = (resident_mebibytes(daemon.pid()), peak_mebibytes(daemon.pid()));
        table.row([(*what).to_owned(), format!("{figures:.4}"), memory(Some(now)), memory(peak)]);
    }
    table
}

/// Core seconds and peak memory of `hostbook check`.
fn check(place: &Place) -> (f64, f64) {
    let usage = || getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    let total = |usage: nix::sys::resource::Usage| seconds(usage.user_time()) + seconds(usage.system_time());
    let before = total(usage());
    let mut command = Command::new("taskset");
    command.args(["-c", &SERVER_CORE.to_string()]).arg(directory().join("hostbook"));
    command.arg("check").arg("-i").arg(place.inventory());
    let ran = run(command);
    assert_eq!(ran.code(), 0, "{ran:?}");
    (total(usage()) - before, usage().max_rss() as f64 / 1024.0)
}

impl Pair {
    /// Starts both on the inventory in `place`.
    ///
    /// # Panics
    /// One does not start.
    pub fn start(plan: Plan, place: Place) -> Pair {
        // The daemon wants an interface, and nobody asks it there.
        sh(
            "ip link show dhcp0 >/dev/null 2>&1 || ip link add dhcp0 type veth peer name dhcp1; ip link set dhcp0 up",
        );
        let core = SERVER_CORE.to_string();
        let under = ["taskset", "-c", &core];
        let dhcpd = Launch::dhcpd(&place).under(&under).args(&["--interface", "dhcp0"]).start();
        let dnsd = Launch::dnsd(&place).under(&under).args(&["--listen", DNS, "--workers", "1"]).start();
        Pair { place, plan, dhcpd, dnsd, edits: 0 }
    }

    /// Moves one host of one file, as an editor saves it.
    ///
    /// # Panics
    /// The file cannot be written.
    pub fn edit(&mut self) {
        self.edits += 1;
        move_host(self.plan, &self.place, self.edits, 0);
    }

    /// Edits again and again; core seconds of each edit in dhcpd and in dnsd.
    ///
    /// # Panics
    /// An edit is not served.
    pub fn reload(&mut self) -> [Figures; 2] {
        let mut figures = [Figures::default(), Figures::default()];
        for _ in 0..EDITS {
            let old = [&self.dhcpd, &self.dnsd].map(hash);
            let before = [&self.dhcpd, &self.dnsd].map(|daemon| processor_time(daemon.pid()));
            self.edit();
            std::thread::sleep(SETTLED);
            for (((daemon, old), before), figures) in
                [&self.dhcpd, &self.dnsd].into_iter().zip(old).zip(before).zip(&mut figures)
            {
                // Asked once, unless it needs longer.
                daemon.wait_status("the edit", |status| status["inventory"]["hash"] != old);
                figures.0.push((processor_time(daemon.pid()) - before).as_secs_f64());
            }
        }
        figures
    }
}

/// Place of the host within its file that edits move.
const EDITED: usize = 7;

/// Number of the host that edit `number` moves; those of [`EDITS`] edits are in files of their own.
pub fn edited_host(plan: Plan, number: usize) -> usize {
    number * plan.files() / (EDITS + 1) % plan.files() * HOSTS_PER_FILE + EDITED
}

/// Makes edit `number`, which moves a host to where no other one does with less than 250 of `number` and `again`.
///
/// # Panics
/// The file cannot be written.
pub fn move_host(plan: Plan, place: &Place, number: usize, again: usize) {
    let host = edited_host(plan, number);
    let (file, host) = (host / HOSTS_PER_FILE, plan.host(host));
    // Between the pool and the router nobody lives.
    let new = format!("\"10.{}.251.{}\"", host.ipv4.octets()[1], (number + again) % 250);
    let text = plan.file(file).replace(&format!("\"{}\"", host.ipv4), &new);
    place.save(plan.path(file).to_str().unwrap(), &text);
}

fn hash(daemon: &Daemon) -> serde_json::Value {
    daemon.status()["inventory"]["hash"].clone()
}
