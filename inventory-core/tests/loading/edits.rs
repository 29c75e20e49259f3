//! A loader that followed every edit knows what one knows that starts now.

use inventory_core::load::Loaded;
use proptest::prelude::*;

use crate::mutation::{Mutation, mutation};
use crate::support::{Scratch, Shared, cases, good_inventories, model, outcome};
use inventory_core::load::Loader;
use inventory_core::source::Directory;

/// Texts that files get. Several say the same or refer to each other, so that an edit of one file
/// makes another right or wrong.
const TEXTS: &[&str] = &[
    "[site]\nnameservers = [\"ns1.lab.example.org\"]\n[zone.\"lab.example.org\"]\nttl = \"1h\"\n",
    "[zone.\"lab.example.org\"]\nrecords = \"\"\"\n@ MX 10 mail\nftp CNAME web1\n\"\"\"\n",
    "[zone.\"deep.lab.example.org\"]\nnameservers = [\"ns.example.net\"]\n",
    "[network.servers]\nzone = \"lab.example.org\"\nipv4 = \"10.20.0.0/24\"\npool = \"10.20.0.200-10.20.0.250\"\n",
    "[network.servers]\nzone = \"lab.example.org\"\nipv4 = \"10.20.0.0/23\"\nipv6 = \"2001:db8:20::/64\"\n",
    "[network.oob]\nzone = \"lab.example.org\"\nipv4 = \"10.20.0.0/25\"\n",
    "[network.oob]\nipv4 = \"10.99.0.0/24\"\n",
    "[profile.web]\nnetwork = \"servers\"\ntags = [\"web\"]\n",
    "[profile.web]\nuse = \"base\"\n[profile.base]\nnetwork = \"oob\"\n",
    "[profile.base]\nuse = \"web\"\nstate = \"install\"\n",
    "[boot.deb]\nkernel = \"deb/linux\"\nfiles = { a = \"templates/a\" }\n",
    "[host.web1]\nuse = \"web\"\nmac = \"52:54:00:aa:00:11\"\nip = \"10.20.0.11\"\nalias = \"www\"\n",
    "\n\n[host.web1]\nnetwork = \"servers\"\nmac = \"52:54:00:aa:00:11\"\nip = \"10.20.0.11\"\n",
    "[host.web2]\nuse = \"web\"\nmac = \"52:54:00:aa:00:11\"\nip = [\"10.20.0.12\", \"2001:db8:20::12\"]\nvmhost = \"hv1\"\n",
    "[host.hv1]\nmemory = \"8 GiB\"\nnetwork = \"servers\"\nip = \"10.20.0.5\"\n[host.mail]\nnetwork = \"servers\"\nip = \"10.20.0.205\"\n",
    "[host.hv1.nic.lan]\nnetwork = \"servers\"\nip = \"10.20.0.5\"\n[host.hv1.nic.ipmi]\nnetwork = \"oob\"\nip = \"10.99.0.5\"\n",
    "[host.vm1]\nnetwork = \"servers\"\nip = \"10.20.0.21\"\nvmhost = \"hv1\"\nmemory = \"6 GiB\"\nboot = \"deb\"\nstate = \"install\"\n",
    "[host.vm2]\nnetwork = \"servers\"\nip = \"10.20.0.22\"\nvmhost = \"hv1\"\nmemory = \"6 GiB\"\nalias = [\"www\", \"mail\"]\n",
    "[host.ns1]\nnetwork = \"servers\"\nip = \"10.20.0.2\"\n[host.\"x.deep.lab.example.org\"]\nnetwork = \"oob\"\nip = \"10.20.0.3\"\n",
    "[host.web3\nnetwork = \"servers\"\n",
    "",
    // Two zones of one master file, and what it may say.
    "[zone.\"old.example.org\"]\nfile = \"templates/a\"\n[zone.\"deep.lab.example.org\"]\nfile = \"templates/a\"\n",
    "@ 1h SOA ns.example.net. hostmaster.example.net. 1 1d 15m 4w 5m\n@ NS ns.example.net.\nx A 10.20.0.3\n",
    "@ SOA ns.example.net. hostmaster.example.net. 1 1d 15m 4w\n$INCLUDE z.toml\n",
    // What templates say; as files of the inventory they are as wrong as any.
    "{{ host.name }} {{ network.gateway }}\n",
    "{{ host.name }",
    "[boot.deb]\nkernel = \"deb/linux\"\ncmdline = \"{{ host.ip6 }}\"\n",
];

const PATHS: &[&str] =
    &["a.toml", "b.toml", "c.toml", "d.toml", "e/f.toml", "e/g.toml", "z.toml", "templates/a"];

#[derive(Clone, Debug)]
enum Edit {
    /// A file gets one of the texts.
    Write(usize, usize),
    /// A file is changed as by accident.
    Slip(usize, Mutation),
    /// A file gets what another one has.
    Copy(usize, usize),
    /// A file goes.
    Remove(usize),
    /// Its version changes, not its octets.
    Touch(usize),
    /// What is there already stands in many files: the loader reads them in portions.
    Crowd(u8),
}

fn edit() -> impl Strategy<Value = Edit> {
    let path = 0..PATHS.len();
    prop_oneof![
        6 => (path.clone(), 0..TEXTS.len()).prop_map(|(path, text)| Edit::Write(path, text)),
        2 => (path.clone(), mutation()).prop_map(|(path, slip)| Edit::Slip(path, slip)),
        1 => (path.clone(), path.clone()).prop_map(|(from, to)| Edit::Copy(from, to)),
        2 => path.clone().prop_map(Edit::Remove),
        1 => path.prop_map(Edit::Touch),
        1 => any::<u8>().prop_map(Edit::Crowd),
    ]
}

fn apply(edit: &Edit, shared: &Shared) {
    use inventory_core::source::Source as _;
    let read = |path: &str| shared.read(path).map(|(_, octets)| octets).unwrap_or_default();
    match edit {
        Edit::Write(path, text) => shared.write(PATHS[*path], TEXTS[*text]),
        Edit::Slip(path, slip) => {
            let mut octets = read(PATHS[*path]);
            slip.apply(&mut octets);
            shared.write(PATHS[*path], octets);
        }
        Edit::Copy(from, to) => shared.write(PATHS[*to], read(PATHS[*from])),
        Edit::Remove(path) => shared.remove(PATHS[*path]),
        Edit::Touch(path) if shared.version(PATHS[*path]).is_ok() => {
            shared.write(PATHS[*path], read(PATHS[*path]));
        }
        Edit::Touch(_) => {}
        Edit::Crowd(salt) => {
            for number in 0..70_u32 {
                let (net, mac) = (number + u32::from(*salt % 4), number % 60);
                shared.write(
                    &format!("crowd/{number}.toml"),
                    format!("[host.n{number}]\nnetwork = \"servers\"\nmac = \"52:54:00:bb:00:{mac:02x}\"\nip = \"10.20.0.{}\"\n", 100 + net),
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn following_edits_comes_to_what_loading_anew_comes_to(edits in proptest::collection::vec(edit(), 1..25)) {
        let shared = Shared::default();
        for (path, text) in [(0, 0), (1, 3), (2, 7), (3, 11), (4, 14)] {
            shared.write(PATHS[path], TEXTS[text]);
        }
        let mut follower = shared.loader();
        let mut known = outcome(follower.load()).expect("the first look is never unchanged");
        for edit in &edits {
            apply(edit, &shared);
            if let Some(new) = outcome(follower.load()) {
                known = new;
            }
            let fresh = outcome(shared.loader().load()).expect("the first look is never unchanged");
            prop_assert_eq!(&known.1, &fresh.1, "after {:?}", edit);
            prop_assert_eq!(known.0.is_some(), fresh.0.is_some());
            if let (Some(known), Some(fresh)) = (&known.0, &fresh.0) {
                prop_assert_eq!(known.hash, fresh.hash);
                prop_assert_eq!(model(known), model(fresh), "after {:?}", edit);
            }
        }
    }

    #[test]
    fn the_hash_is_that_of_the_content_in_whatever_order_it_came(order in Just((0..40_usize).collect::<Vec<_>>()).prop_shuffle()) {
        let (_, files) = good_inventories().into_iter().find(|(name, _)| name == "institute").unwrap();
        let whole = Shared::default();
        for (path, octets) in &files {
            whole.write(path, octets.clone());
        }
        let (wanted, _) = outcome(whole.loader().load()).unwrap();
        let bit_by_bit = Shared::default();
        let mut loader = bit_by_bit.loader();
        let mut last = None;
        for number in order.iter().filter(|number| **number < files.len()) {
            let (path, octets) = &files[*number];
            bit_by_bit.write(path, octets.clone());
            if number % 7 == 0 {
                last = outcome(loader.load()).or(last);
            }
        }
        prop_assert!(files.len() <= order.len(), "the institute has {} files", files.len());
        let (last, _) = outcome(loader.load()).or(last).unwrap();
        let (last, wanted) = (last.unwrap(), wanted.unwrap());
        prop_assert_eq!(last.hash, wanted.hash);
        prop_assert_eq!(model(&last), model(&wanted));
    }
}

#[test]
fn findings_point_to_where_things_are_after_they_moved() {
    let shared = Shared::default();
    shared.write("a.toml", TEXTS[0]);
    shared.write("b.toml", "[network.oob]\nipv4 = \"10.99.0.0/24\"\n");
    shared.write("z.toml", "[host.sw1]\nnetwork = \"oob\"\nip = \"10.99.0.9\"\n");
    let mut loader = shared.loader();
    loader.load();
    shared.write("b.toml", "");
    shared.write("c.toml", "\n[network.oob]\nipv4 = \"10.99.0.0/24\"\n");
    let (_, diagnostics) = outcome(loader.load()).unwrap();
    let no_zone = diagnostics.iter().find(|one| one.code == "HB031").unwrap();
    assert_eq!((no_zone.others[0].place.path.as_str(), no_zone.others[0].place.line), ("c.toml", 2));
}

#[test]
fn directories_made_in_another_order_have_the_same_hash() {
    let (_, files) = good_inventories().into_iter().find(|(name, _)| name == "institute").unwrap();
    let (forwards, backwards) = (Scratch::new("forwards"), Scratch::new("backwards"));
    for (path, octets) in &files {
        forwards.write(path, std::str::from_utf8(octets).unwrap());
    }
    for (path, octets) in files.iter().rev() {
        backwards.write(path, std::str::from_utf8(octets).unwrap());
    }
    let hash = |scratch: &Scratch| {
        let (snapshot, _) = outcome(Loader::new(Box::new(Directory::new(&scratch.0))).load()).unwrap();
        snapshot.unwrap().hash
    };
    assert_eq!(hash(&forwards), hash(&backwards));
}

#[test]
fn a_changed_path_or_octet_changes_the_hash_and_a_touch_does_not() {
    let shared = Shared::default();
    shared.write("a.toml", TEXTS[2]);
    let mut loader = shared.loader();
    let (first, _) = outcome(loader.load()).unwrap();
    let first = first.unwrap();
    shared.write("a.toml", TEXTS[2]);
    assert!(matches!(loader.load(), Loaded::Unchanged));
    shared.write("a.toml", format!("{}#", TEXTS[2]));
    let (comment, _) = outcome(loader.load()).unwrap();
    let comment = comment.unwrap();
    assert_ne!(comment.hash, first.hash);
    assert_eq!(comment.generation, first.generation + 1);
    shared.remove("a.toml");
    shared.write("b.toml", TEXTS[2]);
    let (moved, _) = outcome(loader.load()).unwrap();
    assert_ne!(moved.unwrap().hash, first.hash);
}

#[test]
fn only_files_that_changed_are_parsed() {
    let (_, files) = good_inventories().into_iter().find(|(name, _)| name == "institute").unwrap();
    let shared = Shared::default();
    for (path, octets) in &files {
        shared.write(path, octets.clone());
    }
    let mut loader = shared.loader();
    loader.load();
    let before = loader.parsed_files();
    let (path, octets) = files.iter().find(|(path, _)| path == "racks/c01.toml").unwrap();
    shared.write(path, [octets.as_slice(), b"\n# a word\n"].concat());
    assert!(matches!(loader.load(), Loaded::Good { .. }));
    assert_eq!(loader.parsed_files(), before + 1);
}
