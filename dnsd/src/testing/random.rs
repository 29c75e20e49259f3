//! Random inventories that love corners: few labels, so that names meet; zones within zones; wildcards,
//! delegations, DNAME and CNAME records in and out of each other.

use std::fmt::Write;

use inventory_core::model::Snapshot;

use super::Edited;
use crate::view::Block;

/// xorshift64*: good enough to choose with, and the same everywhere.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.number() >> 33).unwrap() % end
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

const ZONES: [&str; 6] = [
    "lab.example",
    "a.lab.example",
    "b.a.lab.example",
    "example",
    "0.20.10.in-addr.arpa",
    "20.10.in-addr.arpa",
];
const LABELS: [&str; 6] = ["a", "b", "c", "*", "ns1", "h1"];

/// A random site, and the edits that it goes through.
pub(crate) struct RandomSite {
    random: Random,
    inventory: Edited,
    zones: Vec<(&'static str, Vec<String>)>,
    pool: bool,
    classless: bool,
}

impl RandomSite {
    /// A site and its first snapshot.
    pub(crate) fn new(seed: u64) -> (RandomSite, Snapshot) {
        let mut random = Random::new(seed);
        let mut zones = vec![(ZONES[0], Vec::new())];
        zones.extend(ZONES.iter().skip(1).filter(|_| random.chance(35)).map(|zone| (*zone, Vec::new())));
        let (pool, classless) = (random.chance(50), random.chance(50));
        let mut site = RandomSite { random, inventory: Edited::new(), zones, pool, classless };
        for place in 0..site.zones.len() {
            for _ in 0..site.random.below(9) {
                let line = site.record();
                site.zones[place].1.push(line);
            }
        }
        for file in 0..1 + site.random.below(4) {
            site.write_hosts(file);
        }
        let snapshot = site.settle();
        (site, snapshot)
    }

    /// The snapshot after some random edits.
    pub(crate) fn edit(&mut self) -> Snapshot {
        for _ in 0..=self.random.below(2) {
            let file = self.random.below(5);
            match self.random.below(10) {
                0..=5 => self.write_hosts(file),
                6 | 7 => self.inventory.remove(&format!("hosts{file}.toml")),
                8 => self.pool = !self.pool,
                _ => {
                    let place = self.random.below(self.zones.len());
                    let line = self.record();
                    self.zones[place].1.push(line);
                }
            }
        }
        self.settle()
    }

    /// A name from the corners of the site.
    pub(crate) fn name(&mut self) -> String {
        let mut name = String::new();
        for _ in 0..self.random.below(4) {
            name.push_str(self.random.pick(&LABELS));
            name.push('.');
        }
        name + self.random.pick(&ZONES)
    }

    fn write_hosts(&mut self, file: usize) {
        let mut text = String::new();
        for place in 0..1 + self.random.below(4) {
            let number = file * 10 + place + 10;
            let key = match self.random.below(3) {
                0 => format!("\"{}\"", self.name().replace('*', "w")),
                _ => format!("h{number}"),
            };
            writeln!(text, "[host.{key}]").unwrap();
            let network = self.random.pick(&["lan", "small"]);
            let v4 = if network == "lan" { number } else { 64 + number % 62 };
            let subnet = if network == "lan" { 0 } else { 1 };
            let mut addresses = Vec::new();
            if self.random.chance(80) {
                addresses.push(format!("\"10.20.{subnet}.{v4}\""));
            }
            if network == "lan" && self.random.chance(50) {
                addresses.push(format!("\"2001:db8:20::{number:x}\""));
            }
            write!(text, "network = \"{network}\"\nip = [{}]\n", addresses.join(", ")).unwrap();
            if self.random.chance(30) {
                writeln!(text, "alias = [\"{}\"]", self.name().replace('*', "v")).unwrap();
            }
            if self.random.chance(15) {
                text.push_str(
                    "sshfp = [\"4 2 eaac9433855237fa168d7c352d3110be37827bee9e09369752afccf8157c0e47\"]\n",
                );
            }
            if self.random.chance(15) {
                let name =
                    if self.random.chance(50) { format!(", name = \"Web {number}\"") } else { String::new() };
                writeln!(
                    text,
                    "services = [{{ type = \"_ipp._tcp\", port = 631, txt = \"a=1\", subtypes = \"_x\" }}, {{ type = \"_http._tcp\", port = {}{name} }}]",
                    80 + number
                )
                .unwrap();
            }
            if self.random.chance(15) {
                text.push_str("ttl = \"5m\"\n");
            }
            if self.random.chance(10) {
                text.push_str("state = \"planned\"\n");
            }
        }
        self.inventory.write(&format!("hosts{file}.toml"), &text);
    }

    fn record(&mut self) -> String {
        let mut owner = String::new();
        for _ in 0..self.random.below(4) {
            owner.push_str(self.random.pick(&LABELS));
            owner.push('.');
        }
        let owner = owner.trim_end_matches('.');
        let owner = if owner.is_empty() { "@" } else { owner };
        let ttl = if self.random.chance(20) { "60 " } else { "" };
        let target = self.name();
        let data = match self.random.below(12) {
            0 | 1 => format!("A 192.0.2.{}", self.random.below(3)),
            2 => format!("AAAA 2001:db8::{}", self.random.below(3)),
            3 => format!("MX {} {target}.", self.random.below(2)),
            4 => format!("SRV 0 0 53 {target}."),
            5 | 6 => format!("NS {target}."),
            7 | 8 => format!("CNAME {target}."),
            9 => format!("DNAME {target}."),
            10 => format!("TXT \"{}\"", self.random.below(2)),
            _ => "TYPE65280 \\# 2 abcd".to_owned(),
        };
        format!("{owner} {ttl}{data}")
    }

    /// Drops what does not go together until the inventory is right.
    fn settle(&mut self) -> Snapshot {
        loop {
            self.write_zones();
            let errors = match self.inventory.load() {
                Ok(snapshot) => return snapshot,
                Err(errors) => errors,
            };
            let mut lines: Vec<(String, usize)> = Vec::new();
            for error in &errors {
                let path = error.place.path.clone();
                if path.starts_with("hosts") {
                    self.inventory.remove(&path);
                } else {
                    lines.push((path, usize::try_from(error.place.line).unwrap()));
                }
            }
            lines.sort();
            lines.dedup();
            for (path, line) in lines.iter().rev() {
                let place = self.zones.iter().position(|(zone, _)| *path == format!("{zone}.toml"));
                let (_, records) = &mut self.zones[place.unwrap_or_else(|| panic!("{errors:#?}"))];
                records.remove(line.checked_sub(4).unwrap_or_else(|| panic!("{errors:#?}")));
            }
        }
    }

    fn write_zones(&self) {
        let pool = if self.pool {
            "pool = [\"10.20.0.200-10.20.0.203\", \"2001:db8:20::40-2001:db8:20::43\"]\n\
             exclude = [\"10.20.0.201\", \"2001:db8:20::41\"]\n"
        } else {
            ""
        };
        let small_pool = if self.pool { "pool = \"10.20.1.120-10.20.1.122\"\n" } else { "" };
        let reverse = if self.classless { "reverse = \"64-127.1.20.10.in-addr.arpa\"\n" } else { "" };
        let text = format!(
            "[site]\nsecondaries = [\"0.0.0.0/0\"]\nnameservers = [\"ns1.lab.example\", \"ns.elsewhere.test\"]\n\
             [network.lan]\nzone = \"lab.example\"\nipv4 = \"10.20.0.0/24\"\nipv6 = \"2001:db8:20::/64\"\n{pool}\
             [network.small]\nzone = \"lab.example\"\nipv4 = \"10.20.1.64/26\"\n{small_pool}{reverse}"
        );
        self.inventory.write("site.toml", &text);
        for (zone, records) in &self.zones {
            // Three lines, then a record on each: `settle` counts on it.
            let text =
                format!("[zone.\"{zone}\"]\nttl = \"1h\"\nrecords = '''\n{}\n'''\n", records.join("\n"));
            self.inventory.write(&format!("{zone}.toml"), &text);
        }
    }
}

/// Blocks of addresses around those of the site.
pub(crate) fn blocks() -> impl Iterator<Item = Block> {
    let v4 = (0..512_u32).map(|n| Block::V4(0x0a14_0000 + n, 0x0a14_0000 + n + n % 7));
    let base = 0x2001_0db8_0020_u128 << 80;
    v4.chain((0..128).map(move |n| Block::V6(base + n, base + n + n % 5)))
}
