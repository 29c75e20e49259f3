//! Directories as they are in real life: links, pipes, editors at work, disks that go away.

use std::fs::{self, File, FileTimes};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::sync::mpsc;
use std::time::Duration;

use inventory_core::diag::{self, Diagnostic};
use inventory_core::load::{Loaded, Loader};
use inventory_core::model::Snapshot;
use inventory_core::source::{Directory, Listing, ReadError, Source, Version};
use nix::sys::stat::Mode;

use crate::support::{Scratch, outcome};

const SITE: &str = "[site]\nnameservers = [\"ns.example.net\"]\n[zone.\"lab.example.org\"]\n\
                    [network.servers]\nzone = \"lab.example.org\"\nipv4 = \"10.20.0.0/24\"\n";

fn host(name: &str, last: u8) -> String {
    format!("[host.{name}]\nnetwork = \"servers\"\nip = \"10.20.0.{last}\"\n")
}

/// An inventory of `site.toml` and one host, and its loader, which has looked once.
fn inventory(name: &str) -> (Scratch, Loader, Snapshot) {
    let scratch = Scratch::new(name);
    scratch.write("site.toml", SITE);
    scratch.write("web.toml", &host("web1", 11));
    let mut loader = Loader::new(Box::new(Directory::new(&scratch.0)));
    let first = good(&mut loader);
    (scratch, loader, first)
}

/// Loads with a deadline: a loader that waits for a pipe would wait for ever.
fn load(loader: &mut Loader) -> Loaded {
    std::thread::scope(|scope| {
        let (done, hears) = mpsc::channel();
        scope.spawn(move || {
            let loaded = loader.load();
            let _ = done.send(loaded);
        });
        hears.recv_timeout(Duration::from_secs(20)).unwrap_or_else(|_| {
            eprintln!("the loader is stuck");
            std::process::abort()
        })
    })
}

fn good(loader: &mut Loader) -> Snapshot {
    match load(loader) {
        Loaded::Good { snapshot, warnings } => {
            assert!(warnings.is_empty(), "{warnings:?}");
            snapshot
        }
        other => panic!("expected a good state, got {other:?}"),
    }
}

/// The only finding of a broken state.
fn only_trouble(loader: &mut Loader) -> Diagnostic {
    match load(loader) {
        Loaded::Broken { mut diagnostics } => {
            assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
            diagnostics.remove(0)
        }
        other => panic!("expected a broken state, got {other:?}"),
    }
}

fn names(snapshot: &Snapshot) -> Vec<String> {
    let mut names: Vec<_> = snapshot.inventory.hosts().map(|host| host.name.fqdn.to_string()).collect();
    names.sort();
    names
}

/// Breaks the inventory by `break_it`; nothing must replace the good state, and mending brings it back.
fn breaks_with(name: &str, code: &str, words: &str, break_it: fn(&Scratch), mend: fn(&Scratch)) {
    let (scratch, mut loader, first) = inventory(name);
    break_it(&scratch);
    let trouble = only_trouble(&mut loader);
    assert_eq!(trouble.code, code, "{trouble:?}");
    assert!(trouble.message.contains(words), "{}", trouble.message);
    assert_eq!(loader.current().unwrap().hash, first.hash, "the good state stays");
    assert!(matches!(load(&mut loader), Loaded::Unchanged), "the same trouble is told once");
    mend(&scratch);
    let again = good(&mut loader);
    assert_eq!((again.hash, again.generation), (first.hash, first.generation));
}

#[test]
fn a_missing_directory_never_replaces_the_good_state() {
    breaks_with(
        "missing",
        "HB002",
        "no such file or directory",
        |scratch| fs::rename(&scratch.0, scratch.0.with_extension("away")).unwrap(),
        |scratch| fs::rename(scratch.0.with_extension("away"), &scratch.0).unwrap(),
    );
}

#[test]
fn an_emptied_directory_never_replaces_the_good_state() {
    breaks_with(
        "emptied",
        "HB003",
        "there is no `*.toml` file",
        |scratch| {
            fs::rename(scratch.path("site.toml"), scratch.path("site.toml~")).unwrap();
            fs::rename(scratch.path("web.toml"), scratch.path(".web.toml")).unwrap();
        },
        |scratch| {
            fs::rename(scratch.path("site.toml~"), scratch.path("site.toml")).unwrap();
            fs::rename(scratch.path(".web.toml"), scratch.path("web.toml")).unwrap();
        },
    );
}

#[test]
fn a_root_that_is_a_file_is_told() {
    let scratch = Scratch::new("file");
    scratch.write("inventory", "");
    let mut loader = Loader::new(Box::new(Directory::new(scratch.path("inventory"))));
    let trouble = only_trouble(&mut loader);
    assert_eq!(trouble.code, "HB002");
    assert!(trouble.message.contains("not a directory"), "{}", trouble.message);
}

#[test]
fn a_pipe_is_told_and_never_waited_for() {
    breaks_with(
        "pipe",
        "HB002",
        "it is a named pipe, not a file",
        |scratch| nix::unistd::mkfifo(&scratch.path("pipe.toml"), Mode::S_IRWXU).unwrap(),
        |scratch| fs::remove_file(scratch.path("pipe.toml")).unwrap(),
    );
}

#[test]
fn a_pipe_is_not_waited_for_where_a_template_should_be() {
    let (scratch, mut loader, _) = inventory("pipe-template");
    scratch.write("boot.toml", "[boot.menu]\nscript = \"templates/menu.ipxe\"\n");
    fs::create_dir(scratch.path("templates")).unwrap();
    nix::unistd::mkfifo(&scratch.path("templates/menu.ipxe"), Mode::S_IRWXU).unwrap();
    let trouble = only_trouble(&mut loader);
    assert_eq!((trouble.code.as_str(), trouble.place.line), ("HB037", 2));
    assert!(trouble.message.contains("named pipe"), "{}", trouble.message);
}

#[test]
fn reading_a_pipe_returns_even_if_it_became_one_after_it_was_listed() {
    let scratch = Scratch::new("pipe-late");
    nix::unistd::mkfifo(&scratch.path("a.toml"), Mode::S_IRWXU).unwrap();
    let directory = Directory::new(&scratch.0);
    let (done, hears) = mpsc::channel();
    std::thread::spawn(move || {
        let _ = done.send(directory.read("a.toml"));
    });
    let read = hears.recv_timeout(Duration::from_secs(20)).unwrap();
    assert!(matches!(read, Err(ReadError::Unreadable(why)) if why.contains("named pipe")));
}

#[test]
fn a_socket_is_told() {
    breaks_with(
        "socket",
        "HB002",
        "it is a socket, not a file",
        |scratch| drop(UnixListener::bind(scratch.path("s.toml")).unwrap()),
        |scratch| fs::remove_file(scratch.path("s.toml")).unwrap(),
    );
}

#[test]
fn a_link_that_leads_nowhere_does_not_delete_what_it_led_to() {
    let (scratch, mut loader, _) = inventory("dangling");
    scratch.write("store/db", &host("db1", 12));
    symlink("store/db", scratch.path("db.toml")).unwrap();
    let linked = good(&mut loader);
    assert_eq!(names(&linked), ["db1.lab.example.org", "web1.lab.example.org"]);
    fs::rename(scratch.path("store/db"), scratch.path("store/away")).unwrap();
    let trouble = only_trouble(&mut loader);
    assert_eq!((trouble.code.as_str(), trouble.place.path.as_str()), ("HB002", "db.toml"));
    assert!(trouble.message.contains("`store/db`, which is not there"), "{}", trouble.message);
    assert_eq!(loader.current().unwrap().hash, linked.hash);
}

#[test]
fn a_link_to_itself_is_told() {
    breaks_with(
        "loop",
        "HB002",
        "symbolic link",
        |scratch| symlink("loop.toml", scratch.path("loop.toml")).unwrap(),
        |scratch| fs::remove_file(scratch.path("loop.toml")).unwrap(),
    );
}

#[test]
fn links_that_leave_the_inventory_are_told_for_files_and_directories() {
    let outside = Scratch::new("outside");
    outside.write("db.toml", &host("db1", 12));
    let (scratch, mut loader, _) = inventory("leaves");
    symlink(&outside.0, scratch.path("racks")).unwrap();
    assert!(only_trouble(&mut loader).message.contains("leaves the inventory"));
    fs::remove_file(scratch.path("racks")).unwrap();
    symlink(outside.path("db.toml"), scratch.path("db.toml")).unwrap();
    assert!(only_trouble(&mut loader).message.contains("leaves the inventory"));
}

#[test]
fn directories_are_known_by_their_own_path_whatever_links_lead_to_them() {
    let (scratch, mut loader, first) = inventory("circle");
    fs::create_dir_all(scratch.path("z/deep")).unwrap();
    scratch.write("z/deep/db.toml", &host("db1", 12));
    let plain = good(&mut loader);
    assert_ne!(plain.hash, first.hash);
    symlink("z/deep", scratch.path("a")).unwrap();
    symlink("..", scratch.path("z/up")).unwrap();
    assert!(matches!(load(&mut loader), Loaded::Unchanged), "links to what is there already change nothing");
    assert_eq!(names(&plain), ["db1.lab.example.org", "web1.lab.example.org"]);
}

#[test]
fn directories_nested_without_end_are_told() {
    let (scratch, mut loader, _) = inventory("deep");
    fs::create_dir_all(scratch.path(&"d/".repeat(40))).unwrap();
    let trouble = only_trouble(&mut loader);
    assert_eq!(trouble.code, "HB002");
    assert!(trouble.message.contains("more than 32 deep"), "{}", trouble.message);
}

#[test]
fn a_file_too_large_to_be_an_inventory_is_told_and_not_read() {
    breaks_with(
        "large",
        "HB002",
        "more than 1073741824",
        |scratch| File::create(scratch.path("large.toml")).unwrap().set_len((1 << 30) + 1).unwrap(),
        |scratch| fs::remove_file(scratch.path("large.toml")).unwrap(),
    );
}

#[test]
fn a_file_name_that_is_not_utf_8_is_told() {
    let (scratch, mut loader, _) = inventory("name");
    fs::write(scratch.0.join(std::ffi::OsStr::from_bytes(b"b\xfcro.toml")), "").unwrap();
    let trouble = only_trouble(&mut loader);
    assert!(trouble.message.contains("its name is not UTF-8"), "{}", trouble.message);
}

#[test]
fn what_editors_leave_behind_does_not_count() {
    let (scratch, mut loader, _) = inventory("leftovers");
    let half = "[host.half";
    for name in [
        ".web.toml.swp",
        "web.toml~",
        "#web.toml#",
        ".#web.toml",
        "4913",
        "web.toml.orig",
        "web.toml.tmp",
        ".git/x.toml",
    ] {
        scratch.write(name, half);
    }
    symlink("user@machine.123:456", scratch.path(".#site.toml")).unwrap();
    assert!(matches!(load(&mut loader), Loaded::Unchanged));
}

#[test]
fn every_way_in_which_editors_save_is_seen_and_never_half() {
    let (scratch, mut loader, _) = inventory("save");
    // As sed -i, emacs and most do: a new file renamed over the old one.
    scratch.write("sedXyZ1", &host("web2", 12));
    fs::rename(scratch.path("sedXyZ1"), scratch.path("web.toml")).unwrap();
    assert_eq!(names(&good(&mut loader)), ["web2.lab.example.org"]);
    // As vim does with `backup`: the old one renamed away, a new one written.
    fs::rename(scratch.path("web.toml"), scratch.path("web.toml~")).unwrap();
    scratch.write("web.toml", &host("web3", 13));
    assert_eq!(names(&good(&mut loader)), ["web3.lab.example.org"]);
    // In place, with a text of the same length, and the time put back as rsync and tar do.
    let path = scratch.path("web.toml");
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, host("web4", 14)).unwrap();
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_times(FileTimes::new().set_modified(modified))
        .unwrap();
    assert_eq!(names(&good(&mut loader)), ["web4.lab.example.org"]);
    // Touched only.
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_times(FileTimes::new().set_modified(modified))
        .unwrap();
    assert!(matches!(load(&mut loader), Loaded::Unchanged));
}

#[test]
fn a_root_that_is_a_link_is_followed_anew_at_each_look() {
    let scratch = Scratch::new("swap");
    scratch.write("v1/site.toml", SITE);
    scratch.write("v1/web.toml", &host("web1", 11));
    scratch.write("v2/site.toml", SITE);
    scratch.write("v2/web.toml", &host("web2", 12));
    scratch.write("v3/site.toml", SITE);
    scratch.write("v3/web.toml", &host("web2", 12));
    let current = scratch.path("current");
    let point_to = |target: &str| {
        symlink(target, scratch.path("next")).unwrap();
        fs::rename(scratch.path("next"), &current).unwrap();
    };
    point_to("v1");
    let mut loader = Loader::new(Box::new(Directory::new(&current)));
    assert_eq!(names(&good(&mut loader)), ["web1.lab.example.org"]);
    point_to("v2");
    let second = good(&mut loader);
    assert_eq!(names(&second), ["web2.lab.example.org"]);
    // Other files with the same octets are the same inventory.
    point_to("v3");
    if let Some((snapshot, _)) = outcome(load(&mut loader)) {
        assert_eq!(snapshot.unwrap().generation, second.generation);
    }
    fs::remove_file(&current).unwrap();
    assert_eq!(only_trouble(&mut loader).code, "HB002");
    assert_eq!(loader.current().unwrap().hash, second.hash);
}

#[test]
fn a_template_that_changes_changes_the_hash_and_one_that_goes_is_told() {
    let (scratch, mut loader, _) = inventory("template");
    scratch.write("boot.toml", "[boot.menu]\nscript = \"templates/menu.ipxe\"\n");
    scratch.write("templates/menu.ipxe", "#!ipxe\n");
    let before = good(&mut loader);
    scratch.write("templates/menu.ipxe", "#!ipxe\nexit\n");
    assert_ne!(good(&mut loader).hash, before.hash);
    fs::remove_file(scratch.path("templates/menu.ipxe")).unwrap();
    assert_eq!(only_trouble(&mut loader).code, "HB037");
    scratch.write("templates/menu.ipxe", "#!ipxe\n");
    assert_eq!(good(&mut loader).hash, before.hash);
}

#[test]
fn a_master_file_that_goes_is_told_once_and_where_its_zone_is() {
    let (scratch, mut loader, _) = inventory("master");
    let zone = "[zone.\"old.example.org\"]\nfile = \"old.zone\"\n";
    let text = "@ SOA ns.example.net. hostmaster.example.net. 1 1d 15m 4w 5m\n@ NS ns.example.net.\n";
    scratch.write("old.toml", zone);
    scratch.write("zones/old.zone", text);
    let before = good(&mut loader);
    fs::remove_file(scratch.path("zones/old.zone")).unwrap();
    let trouble = only_trouble(&mut loader);
    assert_eq!(
        (trouble.code.as_str(), trouble.place.path.as_str(), trouble.place.line),
        ("HB037", "old.toml", 2)
    );
    assert!(matches!(load(&mut loader), Loaded::Unchanged), "the same trouble is told once");
    fs::remove_file(scratch.path("old.toml")).unwrap();
    scratch.write("moved.toml", &format!("\n{zone}"));
    let moved = only_trouble(&mut loader);
    assert_eq!((moved.place.path.as_str(), moved.place.line), ("moved.toml", 3));
    scratch.write("old.toml", zone);
    fs::remove_file(scratch.path("moved.toml")).unwrap();
    scratch.write("zones/old.zone", text);
    assert_eq!(good(&mut loader).hash, before.hash);
}

/// A source with a file that may not be read, whoever asks (root may read every real one).
struct Forbidden;

impl Source for Forbidden {
    fn list(&self) -> Listing {
        let file = |path: &str, n| (path.into(), Version::Count(n));
        Listing { files: vec![file("secret.toml", 1), file("site.toml", 1)], unreadable: Vec::new() }
    }
    fn version(&self, _: &str) -> Result<Version, ReadError> {
        Ok(Version::Count(1))
    }
    fn read(&self, path: &str) -> Result<(Version, Vec<u8>), ReadError> {
        match path {
            // Refers to what the other file may define.
            "site.toml" => {
                Ok((Version::Count(1), format!("{SITE}{}vmhost = \"hv1\"\n", host("web1", 11)).into()))
            }
            _ => Err(ReadError::Unreadable("permission denied".to_owned())),
        }
    }
    fn describe(&self) -> String {
        "nowhere".to_owned()
    }
}

#[test]
fn an_unreadable_file_is_the_only_trouble_and_is_told_once() {
    let mut loader = Loader::new(Box::new(Forbidden));
    let trouble = only_trouble(&mut loader);
    assert_eq!(
        diag::short(&trouble),
        "secret.toml: error[HB002]: `secret.toml` cannot be read: permission denied"
    );
    assert!(matches!(load(&mut loader), Loaded::Unchanged));
}
