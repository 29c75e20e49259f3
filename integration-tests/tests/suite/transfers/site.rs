//! A site whose zones are copied, and random edits to it.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use integration_tests::place::Place;

use super::peers::{KEY, LOOKER, SECONDARIES, SECRETS};

/// The zones of the site.
pub(super) const ZONES: [&str; 3] =
    ["lab.example.org", "20.10.in-addr.arpa", "0.0.0.0.0.2.0.0.8.b.d.0.1.0.0.2.ip6.arpa"];
/// The zone that lists them.
pub(super) const CATALOG: &str = "catalog.invalid";

/// Files of hosts.
const FILES: u64 = 4;

/// A site under edit.
pub(super) struct Site<'p> {
    place: &'p Place,
    state: u64,
    edits: u64,
}

impl<'p> Site<'p> {
    /// Writes the site. `seed` chooses the edits.
    pub(super) fn new(place: &'p Place, seed: u64) -> Site<'p> {
        let mut site = Site { place, state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, edits: 0 };
        write_key(place);
        place.save(
            "site.toml",
            &format!(
                "[key.\"{KEY}\"]\nfile = \"{0}\"\n[site]\nnameservers = [\"ns1.lab.example.org\", \
                 \"ns2.example.net\"]\nsecondaries = [{1}]\ncatalog = \"{CATALOG}\"\n",
                place.path().join("transfer.key").display(),
                secondaries(),
            ),
        );
        site.networks();
        (0..FILES).for_each(|file| site.hosts(file));
        site
    }

    /// Changes something, mostly hosts.
    pub(super) fn edit(&mut self) {
        self.edits += 1;
        match self.below(6) {
            0 => self.networks(),
            _ => {
                let file = self.below(FILES);
                self.hosts(file);
            }
        }
    }

    fn below(&mut self, end: u64) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        (self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end
    }

    /// The zone's own records and the network, perhaps with a pool.
    fn networks(&mut self) {
        let mut records = String::new();
        for number in 0..1 + self.below(5) {
            let data = self.below(1_000);
            let line = match self.below(5) {
                0 => format!("r{number} TXT \"number {data}\" \"; with \\\" and \\\\\""),
                1 => format!("@ MX {data} ns1"),
                2 => format!("_s{number}._tcp SRV 0 {data} 80 ns1"),
                3 => format!("*.w{number} CNAME ns1"),
                _ => format!("sub{number} NS ns.sub{number}\nns.sub{number} A 192.0.2.{}", data % 250),
            };
            writeln!(records, "{line}").unwrap();
        }
        let pool = if self.below(2) == 0 { "pool = \"10.20.200.1-10.20.200.20\"\n" } else { "" };
        let text = format!(
            "# edit {0}\n[zone.\"lab.example.org\"]\nrecords = '''\n{records}'''\n[network.lan]\n\
             zone = \"lab.example.org\"\nipv4 = \"10.20.0.0/16\"\nipv6 = \"2001:db8:20::/64\"\n{pool}\
             [host.ns1]\nnetwork = \"lan\"\nip = \"10.20.0.2\"\n",
            self.edits
        );
        self.place.save("networks.toml", &text);
    }

    fn hosts(&mut self, file: u64) {
        let mut text = format!("# edit {}\n", self.edits);
        for place in 10..30 {
            if self.below(3) == 0 {
                continue;
            }
            let address = if self.below(4) == 0 { place + 100 } else { place };
            write!(text, "[host.h{file}-{place}]\nnetwork = \"lan\"\nip = [\"10.20.{file}.{address}\"")
                .unwrap();
            if self.below(2) == 0 {
                write!(text, ", \"2001:db8:20::{file}:{address:x}\"").unwrap();
            }
            text.push_str("]\n");
            if self.below(3) == 0 {
                writeln!(text, "alias = [\"a{file}-{place}\"]").unwrap();
            }
            if self.below(5) == 0 {
                writeln!(text, "ttl = \"{}s\"", 60 + self.below(9)).unwrap();
            }
        }
        self.place.save(&format!("hosts{file}.toml"), &text);
    }
}

/// Adds the secondaries to the site that stands in `site.toml`.
pub(super) fn let_copy(place: &Place) {
    write_key(place);
    let path = place.path().join("transfer.key");
    let table = format!(
        "[key.\"{KEY}\"]\nfile = \"{}\"\n[site]\nsecondaries = [{}]\n",
        path.display(),
        secondaries()
    );
    place.edit("site.toml", "[site]\n", &table);
}

fn secondaries() -> String {
    let mut all = format!("{{ address = \"{LOOKER}\", key = \"{KEY}\", notify = false }}");
    for address in SECONDARIES {
        write!(all, ", {{ address = \"{address}\", key = \"{KEY}\" }}").unwrap();
    }
    all
}

/// The secret, as `tsig-keygen` writes it.
fn write_key(place: &Place) {
    let path = place.path().join("transfer.key");
    let [secret, _] = SECRETS;
    let text = format!("key \"{KEY}\" {{\n\talgorithm hmac-sha256;\n\tsecret \"{secret}\";\n}};\n");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
}
