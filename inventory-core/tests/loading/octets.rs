//! Whatever the octets: no panic, and places that are there.

use inventory_core::diag::{self, Diagnostic};
use proptest::prelude::*;

use crate::mutation::{Mutation, mutation};
use crate::support::{Shared, cases, good_inventories, outcome};

/// Loads `files` and looks at every finding in every rendering.
fn load(files: &[(String, Vec<u8>)]) -> Vec<Diagnostic> {
    let shared = Shared::default();
    for (path, octets) in files {
        shared.write(path, octets.clone());
    }
    let (_, diagnostics) = outcome(shared.loader().load()).expect("the first look is never unchanged");
    for one in &diagnostics {
        let place = &one.place;
        let file = files.iter().find(|(path, _)| *path == place.path);
        let text = file.map(|(_, octets)| String::from_utf8_lossy(octets).into_owned());
        let short = diag::short(one);
        assert!(!short.contains('\n') || one.message.contains('\n'), "{short}");
        assert!(!one.message.contains('\n'), "{short}");
        if place.line > 0 {
            let text = text.unwrap();
            // A line feed at the end of the text begins a last line, which is empty.
            let line =
                text.split('\n').nth(place.line as usize - 1).unwrap_or_else(|| panic!("{short}\n{text}"));
            let width = u32::try_from(line.chars().count()).unwrap();
            assert!(place.column >= 1 && place.column <= width + 1, "{short}: line has {width} characters");
            assert!(place.column_end > place.column, "{short}");
        }
        assert!(!diag::terminal(one, false).is_empty());
        assert_eq!(&serde_json::from_str::<Diagnostic>(&diag::json(one)).unwrap(), one);
    }
    diagnostics
}

/// Pieces of inventories, to be put together at random.
const PIECES: &[&str] = &[
    "[site]\n",
    "[zone.\"lab.example.org\"]\n",
    "[zone.",
    "[network.servers]\n",
    "[network.lan]\n",
    "[host.web1]\n",
    "[host.web2]\n",
    "[host.web1.nic.lan]\n",
    "[host.\"a.lab.example.org\"]\n",
    "[profile.web]\n",
    "[boot.deb]\n",
    "[",
    "nameservers = ",
    "contact = ",
    "ttl = ",
    "records = ",
    "file = ",
    "zone = ",
    "ipv4 = ",
    "ipv6 = ",
    "gateway = ",
    "dns = ",
    "pool = ",
    "exclude = ",
    "lease = ",
    "options = ",
    "options6 = ",
    "dhcp = ",
    "reverse = ",
    "network = ",
    "mac = ",
    "ip = ",
    "alias = ",
    "tags = ",
    "state = ",
    "boot = ",
    "use = ",
    "cpu = ",
    "memory = ",
    "disk = ",
    "vmhost = ",
    "nic = ",
    "duid = ",
    "client-id = ",
    "port = ",
    "name = ",
    "primary = ",
    "kernel = ",
    "script = ",
    "files = ",
    "\n",
    "\n",
    "\n",
    "\n",
    "\"lab.example.org\"\n",
    "\"servers\"\n",
    "\"web\"\n",
    "\"web1\"\n",
    "\"10.20.0.0/24\"\n",
    "\"10.20.0.11\"\n",
    "[\"10.20.0.11\", \"2001:db8:20::11\"]\n",
    "\"2001:db8:20::/64\"\n",
    "\"52:54:00:aa:00:11\"\n",
    "\"10.20.0.200-10.20.0.250\"\n",
    "\"1h\"\n",
    "\"8 GiB\"\n",
    "4\n",
    "true\n",
    "{ ntp-servers = \"10.20.0.3\", 224 = \"0x00\" }\n",
    "{ lan = { network = \"servers\" } }\n",
    "\"install\"\n",
    "\"deb\"\n",
    "\"\"\"\n@ MX 10 web1\nftp CNAME web1\nsub NS web2\n\"\"\"\n",
    "[]\n",
    "{}\n",
    "\"\"\n",
    "\"-\"\n",
    "\"..\"\n",
    "\"0/0\"\n",
    "\"::\"\n",
    "\"64-127.0.20.10.in-addr.arpa\"\n",
];

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn no_octets_make_loading_panic(octets in proptest::collection::vec(any::<u8>(), 0..600)) {
        load(&[("a.toml".to_owned(), octets)]);
    }

    #[test]
    fn no_text_makes_loading_panic(text in "\\PC{0,300}") {
        load(&[("a.toml".to_owned(), text.into_bytes())]);
    }

    #[test]
    fn no_heap_of_pieces_makes_loading_panic(
        files in proptest::collection::vec(proptest::collection::vec(proptest::sample::select(PIECES), 0..40), 1..4)
    ) {
        let files: Vec<_> = files
            .iter()
            .enumerate()
            .map(|(number, pieces)| (format!("{number}.toml"), pieces.concat().into_bytes()))
            .collect();
        load(&files);
    }

    #[test]
    fn no_slip_in_a_good_inventory_makes_loading_panic(
        which in any::<prop::sample::Index>(),
        slips in proptest::collection::vec((any::<prop::sample::Index>(), mutation()), 1..6),
    ) {
        let inventories = good_inventories();
        let (_, mut files) = inventories[which.index(inventories.len())].clone();
        files.retain(|(path, _)| path.ends_with(".toml"));
        for (file, slip) in &slips {
            let file = file.index(files.len());
            Mutation::apply(slip, &mut files[file].1);
        }
        load(&files);
    }
}

#[test]
fn every_good_file_cut_anywhere_is_loaded_without_panic() {
    for (_, files) in good_inventories().into_iter().filter(|(name, _)| name != "institute") {
        for (path, octets) in files.iter().filter(|(path, _)| path.ends_with(".toml")) {
            for end in 0..octets.len() {
                load(&[(path.clone(), octets[..end].to_vec())]);
            }
        }
    }
}
