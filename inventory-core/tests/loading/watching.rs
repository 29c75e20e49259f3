//! Watching: what changes is seen soon, whoever changes it, and not before it is whole.
//!
//! Nothing here depends on how long things take but for one deadline, after which a test fails.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use inventory_core::load::{Loaded, Loader};
use inventory_core::model::Snapshot;
use inventory_core::source::Directory;
use inventory_core::watch::{Wake, Watcher};

use crate::support::Scratch;

const SITE: &str = "[site]\nnameservers = [\"ns.example.net\"]\n[zone.\"lab.example.org\"]\n\
                    [network.servers]\nzone = \"lab.example.org\"\nipv4 = \"10.20.0.0/16\"\n";

fn host(name: &str, number: u32) -> String {
    format!(
        "[host.{name}]\nnetwork = \"servers\"\nip = \"10.20.{}.{}\"\n",
        1 + number / 200,
        1 + number % 200
    )
}

/// Follows a directory as the daemons do.
struct Follower {
    watcher: Watcher,
    loader: Loader,
    /// Broken states that were seen.
    broken: usize,
}

impl Follower {
    fn new(root: &Path) -> Follower {
        let watcher = Watcher::new(root);
        let mut loader = Loader::new(Box::new(Directory::new(root)));
        assert!(matches!(loader.load(), Loaded::Good { .. }));
        let mut follower = Follower { watcher, loader, broken: 0 };
        follower.refresh();
        follower
    }

    fn refresh(&mut self) {
        while self.watcher.refresh() {
            self.look();
        }
    }

    fn look(&mut self) {
        if let Loaded::Broken { .. } = self.loader.load() {
            self.broken += 1;
        }
    }

    /// Waits for hints and looks until the state is as wanted. Looks by the clock do not count: each
    /// change must have been heard of.
    fn until(&mut self, what: &str, wanted: impl Fn(&Snapshot) -> bool) {
        let waker = self.watcher.waker();
        let (done, deadline) = mpsc::channel::<()>();
        let guard = std::thread::spawn(move || {
            if deadline.recv_timeout(Duration::from_secs(30)) == Err(mpsc::RecvTimeoutError::Timeout) {
                waker.stop();
            }
        });
        while !self.loader.current().is_some_and(&wanted) {
            let wake = self.watcher.wait();
            assert_eq!(wake, Wake::Hint, "waiting until {what}");
            self.look();
            self.refresh();
        }
        drop(done);
        guard.join().unwrap();
    }

    fn until_there(&mut self, name: &str) {
        self.until(&format!("{name} is there"), |snapshot| {
            snapshot
                .inventory
                .hosts()
                .any(|host| host.name.fqdn.to_string() == format!("{name}.lab.example.org"))
        });
    }
}

/// An inventory in a directory of its own, beside which nothing else happens.
fn inventory(name: &str) -> (Scratch, Follower) {
    let mut scratch = Scratch::new(name);
    scratch.0.push("inventory");
    scratch.write("site.toml", SITE);
    scratch.write("racks/r1/web.toml", &host("web1", 1));
    let follower = Follower::new(&scratch.0);
    (scratch, follower)
}

#[test]
fn edits_renames_and_removals_are_heard_in_every_directory() {
    let (scratch, mut follower) = inventory("w-edits");
    scratch.write("racks/r1/web.toml", &host("web2", 2));
    follower.until_there("web2");
    scratch.write("racks/r1/.new", &host("web3", 3));
    fs::rename(scratch.path("racks/r1/.new"), scratch.path("racks/r1/web.toml")).unwrap();
    follower.until_there("web3");
    scratch.write("more.toml", &host("web4", 4));
    follower.until_there("web4");
    fs::remove_file(scratch.path("more.toml")).unwrap();
    follower.until("web4 is gone", |snapshot| snapshot.inventory.host_count() == 1);
}

#[test]
fn a_new_directory_is_seen_with_all_that_is_in_it() {
    let (scratch, mut follower) = inventory("w-new");
    scratch.write("hall/row/rack/web.toml", &host("web2", 2));
    follower.until_there("web2");
    scratch.write("hall/row/rack/web.toml", &host("web3", 3));
    follower.until_there("web3");
}

#[test]
fn a_directory_that_another_one_replaced_is_still_watched() {
    let (scratch, mut follower) = inventory("w-replaced");
    // Removed and made anew before anybody looked, as git does; its inode may be the same.
    fs::remove_dir_all(scratch.path("racks/r1")).unwrap();
    scratch.write("racks/r1/web.toml", &host("web2", 2));
    follower.until_there("web2");
    scratch.write("racks/r1/web.toml", &host("web3", 3));
    follower.until_there("web3");
    // Renamed away, and another one in its place, as rsync and deployments do.
    scratch.write("next/web.toml~", &host("web4", 4));
    fs::rename(scratch.path("racks/r1"), scratch.path(".old")).unwrap();
    fs::rename(scratch.path("next"), scratch.path("racks/r1")).unwrap();
    fs::rename(scratch.path("racks/r1/web.toml~"), scratch.path("racks/r1/web.toml")).unwrap();
    follower.until_there("web4");
    scratch.write("racks/r1/web.toml", &host("web5", 5));
    follower.until_there("web5");
}

#[test]
fn what_happens_beside_the_inventory_wakes_nobody() {
    let (scratch, mut follower) = inventory("w-beside");
    follower.refresh();
    let beside = scratch.0.parent().unwrap();
    fs::write(beside.join("noise"), "").unwrap();
    fs::rename(beside.join("noise"), beside.join("more-noise")).unwrap();
    let waker = follower.watcher.waker();
    let (told, hears) = mpsc::channel();
    let waiter = std::thread::spawn(move || told.send(follower.watcher.wait()).unwrap());
    assert!(
        hears.recv_timeout(Duration::from_millis(600)).is_err(),
        "woke up by what is none of its business"
    );
    waker.stop();
    waiter.join().unwrap();
    assert_eq!(hears.recv().unwrap(), Wake::Stop);
}

#[test]
fn a_swapped_link_and_what_it_leads_to_are_heard() {
    let scratch = Scratch::new("w-swap");
    for (version, name) in [("v1", "web1"), ("v2", "web2")] {
        scratch.write(&format!("{version}/site.toml"), SITE);
        scratch.write(&format!("{version}/hosts/web.toml"), &host(name, 1));
    }
    symlink("v1", scratch.path("current")).unwrap();
    let mut follower = Follower::new(&scratch.path("current"));
    symlink("v2", scratch.path("next")).unwrap();
    fs::rename(scratch.path("next"), scratch.path("current")).unwrap();
    follower.until_there("web2");
    scratch.write("v2/hosts/web.toml", &host("web3", 3));
    follower.until_there("web3");
}

#[test]
fn a_directory_that_goes_and_comes_back_is_heard_and_never_served_empty() {
    let (scratch, mut follower) = inventory("w-back");
    let away = scratch.0.with_extension("away");
    fs::rename(&scratch.0, &away).unwrap();
    while follower.broken == 0 {
        assert_eq!(follower.watcher.wait(), Wake::Hint);
        follower.look();
        follower.refresh();
    }
    assert_eq!(follower.loader.current().unwrap().inventory.host_count(), 1);
    fs::write(away.join("racks/r1/web.toml"), host("web2", 2)).unwrap();
    fs::rename(&away, &scratch.0).unwrap();
    follower.until_there("web2");
    scratch.write("racks/r1/web.toml", &host("web3", 3));
    follower.until_there("web3");
}

fn git(directory: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .arg("-C")
        .arg(directory)
        .args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "core.fsync=none"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("git is installed: the project was cloned with it");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The same text with the network under another name.
fn renamed(text: &str) -> String {
    text.replace("network.servers", "network.machines").replace("\"servers\"", "\"machines\"")
}

/// A repository with two branches: on `one`, a hundred racks with a host each; on `two`, each host is in
/// another file and directory, and the network has another name. A mixture of both is broken.
fn two_branches(repository: &Path, write: impl Fn(&str, &str)) {
    git(repository, &["init", "-q", "-b", "one"]);
    write("site.toml", SITE);
    for number in 0..100 {
        write(&format!("rack{number}/a.toml"), &host(&format!("n{number}"), number));
    }
    git(repository, &["add", "."]);
    git(repository, &["commit", "-qm", "one"]);
    git(repository, &["checkout", "-qb", "two"]);
    write("site.toml", &renamed(SITE));
    for number in 0..100 {
        fs::remove_dir_all(repository.join(format!("rack{number}"))).unwrap();
        write(
            &format!("row{}/b{number}.toml", number % 10),
            &renamed(&host(&format!("n{}", 99 - number), number)),
        );
    }
    git(repository, &["add", "-A"]);
    git(repository, &["commit", "-qm", "two"]);
}

#[test]
fn a_checkout_is_seen_as_a_whole() {
    let scratch = Scratch::new("w-git");
    two_branches(&scratch.0, |path, text| scratch.write(path, text));
    let mut follower = Follower::new(&scratch.0);
    let network = |wanted: &'static str| {
        move |snapshot: &Snapshot| {
            snapshot.inventory.globals.network_named(wanted).is_some()
                && snapshot.inventory.host_count() == 100
        }
    };
    for _ in 0..5 {
        git(&scratch.0, &["checkout", "-q", "one"]);
        follower.until("branch one is served", network("servers"));
        git(&scratch.0, &["checkout", "-q", "two"]);
        follower.until("branch two is served", network("machines"));
    }
    assert_eq!(follower.broken, 0, "no mixture was looked at");
    // The directories that git made anew are watched.
    scratch.write("row3/extra.toml", &renamed(&host("extra", 150)));
    follower.until_there("extra");
}

#[test]
fn looks_hold_while_git_is_busy_in_a_linked_working_tree() {
    let scratch = Scratch::new("w-worktree");
    fs::create_dir(scratch.path("main")).unwrap();
    two_branches(&scratch.path("main"), |path, text| scratch.write(&format!("main/{path}"), text));
    git(&scratch.path("main"), &["worktree", "add", "-q", "../served", "one"]);
    let served = scratch.path("served");
    assert!(served.join(".git").is_file(), "in a linked working tree, `.git` is a file");
    let lock = scratch.path("main/.git/worktrees/served/index.lock");
    let watcher = Watcher::new(&served);
    fs::write(&lock, "").unwrap();
    fs::write(served.join("site.toml"), "half").unwrap();
    let (told, hears) = mpsc::channel();
    let waiter = std::thread::spawn(move || told.send(watcher.wait()).unwrap());
    assert!(hears.recv_timeout(Duration::from_millis(600)).is_err(), "woke up while the lock was there");
    fs::remove_file(&lock).unwrap();
    waiter.join().unwrap();
    assert_eq!(hears.recv().unwrap(), Wake::Hint);
}
