//! The secondaries: NSD, Knot and BIND as Debian has them, each on an address of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use integration_tests::run::{run, sh, wait_for};

/// Where ours listens.
pub(super) const PRIMARY: &str = "127.0.0.11";
/// NSD, Knot, BIND.
pub(super) const SECONDARIES: [&str; 3] = ["127.0.0.12", "127.0.0.13", "127.0.0.14"];
/// From where tests look at zones.
pub(super) const LOOKER: &str = "127.0.0.1";
/// The key that all share.
pub(super) const KEY: &str = "transfer.lab.example";
/// Its secret, and one that is another.
pub(super) const SECRETS: [&str; 2] =
    ["c2VjcmV0IG9mIHRoZSBzZWNvbmRhcmllcyBhbmQgdXM=", "YW5vdGhlciBzZWNyZXQgdGhhdCBub2JvZHkgc2hhcmVzIQ=="];

/// Running secondaries; they end with the value, and show their logs if the test failed.
pub(super) struct Peers {
    children: Vec<Child>,
    logs: Vec<PathBuf>,
}

impl Peers {
    /// Starts all three below `place`. NSD is told of `zones`; Knot and BIND are told of the catalog and
    /// learn of them from there, or of `zones` if there is none.
    pub(super) fn start(place: &Path, zones: &[&str], catalog: Option<&str>) -> Peers {
        let at = |name: &str| place.join(name);
        for name in ["nsd", "knot", "bind"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        // BIND listens on no address that is not an interface's own.
        sh(&format!("ip address add {}/8 dev lo", SECONDARIES[2]));
        let mut peers = Peers { children: Vec::new(), logs: Vec::new() };
        fs::write(at("nsd/nsd.conf"), nsd(&at("nsd"), zones)).unwrap();
        peers.spawn("nsd", &["-d", "-c"], &at("nsd/nsd.conf"), place);
        fs::write(at("knot/knot.conf"), knot(&at("knot"), zones, catalog)).unwrap();
        peers.spawn("knotd", &["-c"], &at("knot/knot.conf"), place);
        fs::write(at("bind/named.conf"), bind(&at("bind"), zones, catalog)).unwrap();
        peers.spawn("named", &["-g", "-n", "1", "-c"], &at("bind/named.conf"), place);
        peers
    }

    fn spawn(&mut self, program: &str, args: &[&str], config: &Path, place: &Path) {
        let path = place.join(format!("{program}.log"));
        let log = fs::File::create(&path).unwrap();
        let mut command = Command::new(program);
        command.args(args).arg(config).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.children.push(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")));
        self.logs.push(path);
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            for log in &self.logs {
                let text = fs::read_to_string(log).unwrap_or_default();
                let from = text.len().saturating_sub(6_000);
                println!("--- {}:\n{}", log.display(), text.get(from..).unwrap_or(&text));
            }
        }
    }
}

fn nsd(directory: &Path, zones: &[&str]) -> String {
    let [address, ..] = SECONDARIES;
    let at = |name: &str| directory.join(name).display().to_string();
    let mut text = format!(
        "server:\n ip-address: {address}\n server-count: 1\n username: \"\"\n zonesdir: \"{0}\"\n database: \"\"\n \
         pidfile: {1}\n xfrdfile: {2}\n zonelistfile: {3}\n xfrdir: {0}\n do-ip6: no\n rrl-ratelimit: 0\n \
         xfrd-reload-timeout: 0\nremote-control:\n control-enable: no\n\
         key:\n name: {KEY}\n algorithm: hmac-sha256\n secret: \"{4}\"\n",
        directory.display(),
        at("nsd.pid"),
        at("xfrd.state"),
        at("zone.list"),
        SECRETS[0],
    );
    for zone in zones {
        text.push_str(&format!(
            "zone:\n name: {zone}\n zonefile: {zone}.zone\n request-xfr: {PRIMARY} {KEY}\n \
             allow-notify: {PRIMARY} {KEY}\n outgoing-interface: {address}\n provide-xfr: {LOOKER} NOKEY\n"
        ));
    }
    text
}

fn knot(directory: &Path, zones: &[&str], catalog: Option<&str>) -> String {
    let [_, address, _] = SECONDARIES;
    let mut text = format!(
        "server:\n  listen: {address}@53\n  rundir: {0}\n  udp-workers: 1\n  tcp-workers: 1\n  \
         background-workers: 2\nlog:\n  - target: stderr\n    any: info\ndatabase:\n  storage: {0}\n\
         key:\n  - id: {KEY}\n    algorithm: hmac-sha256\n    secret: {1}\n\
         remote:\n  - id: primary\n    address: {PRIMARY}@53\n    via: {address}\n    key: {KEY}\n\
         acl:\n  - id: told\n    address: {PRIMARY}\n    key: {KEY}\n    action: notify\n  \
         - id: look\n    address: {LOOKER}\n    action: transfer\n\
         template:\n  - id: default\n    storage: {0}\n    master: primary\n    acl: [told, look]\n    \
         zonefile-sync: -1\n    zonefile-load: none\n    journal-content: all\n  \
         - id: member\n    storage: {0}\n    master: primary\n    acl: [told, look]\n    \
         zonefile-sync: -1\n    zonefile-load: none\n    journal-content: all\nzone:\n",
        directory.display(),
        SECRETS[0],
    );
    match catalog {
        Some(catalog) => text.push_str(&format!(
            "  - domain: {catalog}\n    catalog-role: interpret\n    catalog-template: member\n"
        )),
        None => zones.iter().for_each(|zone| text.push_str(&format!("  - domain: {zone}\n"))),
    }
    text
}

fn bind(directory: &Path, zones: &[&str], catalog: Option<&str>) -> String {
    let [_, _, address] = SECONDARIES;
    let primaries = format!("{{ {PRIMARY} key \"{KEY}\"; }}");
    let follow = catalog.map_or_else(String::new, |catalog| {
        format!(
            " catalog-zones {{ zone \"{catalog}\" default-primaries {primaries} in-memory yes min-update-interval 1; }};\n"
        )
    });
    let mut text = format!(
        "key \"{KEY}\" {{ algorithm hmac-sha256; secret \"{0}\"; }};\ncontrols {{ }};\noptions {{\n \
         directory \"{1}\";\n pid-file none;\n session-keyfile none;\n listen-on {{ {address}; }};\n \
         listen-on-v6 {{ none; }};\n transfer-source {address};\n query-source address {address};\n recursion no;\n \
         notify no;\n allow-transfer {{ {LOOKER}; }};\n dnssec-validation no;\n empty-zones-enable no;\n \
         serial-query-rate 1000;\n transfers-per-ns 10;\n{follow}}};\n",
        SECRETS[0],
        directory.display(),
    );
    for zone in catalog.map_or(zones, |_| &[]).iter().copied().chain(catalog) {
        text.push_str(&format!(
            "zone \"{zone}\" {{ type secondary; primaries {primaries}; file \"{zone}.db\"; }};\n"
        ));
    }
    text
}

/// The serial that the server at `address` has for `zone`, if it has the zone.
pub(super) fn serial(address: &str, zone: &str) -> Option<u32> {
    let mut command = Command::new("dig");
    command.args([&format!("@{address}"), "-b", LOOKER, "+short", "+tries=1", "+time=2", zone, "SOA"]);
    let said = run(command).out;
    said.split_whitespace().nth(2)?.parse().ok()
}

/// Waits until the server at `address` has `zone` with this serial.
pub(super) fn wait_for_serial(address: &str, zone: &str, wanted: u32) {
    wait_for(&format!("serial {wanted} of {zone} at {address}"), || {
        (serial(address, zone) == Some(wanted)).then_some(())
    });
}

/// The lines of a whole zone, as `dig` shows what it was sent, sorted. Ours is asked with the key.
pub(super) fn zone_lines(address: &str, zone: &str) -> Vec<String> {
    let key = (address == PRIMARY).then(|| format!("hmac-sha256:{KEY}:{}", SECRETS[0]));
    let said = axfr(address, zone, key.as_deref());
    let mut lines: Vec<String> =
        said.lines().filter(|line| !line.starts_with(';')).map(str::to_owned).collect();
    lines.retain(|line| !line.is_empty() && !line.contains("\tTSIG\t"));
    assert!(lines.len() > 1, "{zone} at {address}: {said}");
    lines.sort_unstable();
    lines
}

/// What `dig` says when it asks for a whole zone, signed with `key`.
pub(super) fn axfr(address: &str, zone: &str, key: Option<&str>) -> String {
    let mut command = Command::new("dig");
    command.args([&format!("@{address}"), "-b", LOOKER, "+nostats", "+nocmd", "+onesoa", "+time=60"]);
    if let Some(key) = key {
        command.args(["-y", key]);
    }
    command.args([zone, "AXFR"]);
    run(command).out
}
