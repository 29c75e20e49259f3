//! cdist's own types, unmodified, and cdist itself as the oracle.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::original::cdist;
use super::target::{Ran, Target, ran};
use super::tree::{Tree, difference, tree};

/// Ours with cdist's types.
fn ours(target: &Target, command: &str, manifest: &Path, stuff: &Path) -> Ran {
    let mut run = target.command(command);
    run.arg("--cdist-path").arg(cdist().0.join("cdist/conf")).arg("--manifest").arg(manifest);
    ran(run.args(["--json", "t1"]).env("STUFF", stuff))
}

/// cdist itself, with one ssh connection kept open for speed.
fn theirs(target: &Target, manifest: &Path, stuff: &Path) {
    let config = target.ssh_config();
    let common = format!("-F {} -o User=root -o ControlPath={}/c", config.display(), target.dir.display());
    let mut master = Command::new("ssh");
    let mut master = master.args(common.split(' ')).args(["-M", "-N", "t1"]).spawn().unwrap();
    let done = Command::new(&cdist().1)
        .args(["config", "-i"])
        .arg(manifest)
        .args(["--remote-exec", &format!("ssh {common}"), "--remote-copy", &format!("scp -q {common}"), "t1"])
        .env("STUFF", stuff)
        .env("HOME", &target.dir)
        .env_remove("CDIST_PATH")
        .output();
    let _ = master.kill();
    let _ = master.wait();
    let done = done.unwrap();
    assert!(done.status.success(), "cdist: {}", String::from_utf8_lossy(&done.stderr));
}

/// What is in a target but for its keys, cdist's directory there, and what git writes times into.
fn content(target: &Target) -> Tree {
    let without = [
        "proc",
        "dev",
        "usr",
        "etc/ssh/own_",
        "var/lib/cdist",
        "srv/checkout/.git/index",
        "srv/checkout/.git/logs",
        "var/cache/apt/",
        "var/lib/apt/",
    ];
    tree(&target.root, &without, false)
}

/// Two equal targets, one configured by each; then all that differs.
fn compare(name: &str, make: &str, manifest: &str, stuff: &Path) -> (Target, PathBuf, Ran) {
    let (left, right) = (Target::start_with(name, make, ""), Target::start_with(name, make, ""));
    assert_eq!(
        difference(&content(&left), &content(&right)),
        Vec::<String>::new(),
        "the targets are not equal"
    );
    let file = left.dir.join("init");
    fs::write(&file, manifest).unwrap();
    // Explorers of cdist's apt and debconf types make those programs refresh their caches.
    let without = ["proc", "dev", "usr", "var/cache/apt", "var/cache/debconf"];
    let before = tree(&left.root, &without, true);
    let plan = ours(&left, "plan", &file, stuff).ends(3);
    assert_eq!(
        difference(&before, &tree(&left.root, &without, true)),
        Vec::<String>::new(),
        "plan left something"
    );
    let push = ours(&left, "push", &file, stuff).ends(0);
    misses_nothing(&plan, &push);
    theirs(&right, &file, stuff);
    assert_eq!(difference(&content(&left), &content(&right)), Vec::<String>::new());
    assert_eq!(left.leftovers(), Vec::<PathBuf>::new());
    (left, file, push)
}

/// What a report says of an object.
struct Said {
    result: String,
    parents: Vec<String>,
    requires: Vec<String>,
}

fn said(ran: &Ran) -> BTreeMap<String, Said> {
    let host = ran.host();
    let objects = host["objects"].as_array().unwrap().iter();
    objects
        .map(|object| {
            let text = |key: &str| object[key].as_str().unwrap().to_owned();
            let names = |key: &str| -> Vec<String> {
                let list = object[key].as_array().cloned().unwrap_or_default();
                list.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
            };
            let said =
                Said { result: text("result"), parents: names("parents"), requires: names("requires") };
            (text("object"), said)
        })
        .collect()
}

/// What a plan said holds: sure predictions to the letter, and no object changed that it did not tell of, by
/// itself or by the object that defines it. It is sure of all objects that wait for no change, and of no other.
pub(crate) fn misses_nothing(plan: &Ran, push: &Ran) {
    let (told, came) = (said(plan), said(push));
    let is =
        |name: &String, words: &[&str]| told.get(name).is_some_and(|said| words.contains(&&*said.result));
    for (name, Said { result, parents, .. }) in &came {
        match told.get(name) {
            Some(said) if said.result == "may-change" => {}
            Some(said) => assert_eq!(said.result, *result, "{name} is {result}, the plan said otherwise"),
            None => {
                // A chain of objects that the plan did not see begins at one of which it was not sure.
                let may = |parent: &String| !told.contains_key(parent) || is(parent, &["may-change"]);
                assert!(parents.iter().any(may), "{name} is there, and nothing in the plan tells of it");
            }
        }
    }
    for (name, Said { result, parents, requires }) in &told {
        let waits_for_change = requires.iter().any(|other| is(other, &["changed", "may-change"]));
        let by_unsure = parents.iter().any(|parent| is(parent, &["may-change"]));
        match &**result {
            "may-change" => assert!(waits_for_change || by_unsure, "{name}: the plan could have been sure"),
            _ => {
                assert!(!waits_for_change, "{name}: the plan cannot have been sure");
                assert!(came.contains_key(name), "{name} is gone, the plan said {result}");
            }
        }
    }
}

#[test]
fn a_small_manifest_leaves_the_same_files_as_cdist() {
    let manifest = "
__directory /srv/tree --mode 0750
require=__directory/srv/tree __file /srv/tree/text --mode 0640 --source - <<EOF
text
EOF
require=__directory/srv/tree __file /srv/tree/lines
require=__file/srv/tree/lines __line line --file /srv/tree/lines --line 'a line'
require=__directory/srv/tree __link /srv/tree/link --source text --type symbolic
__motd
";
    let (target, file, push) = compare("small", "", manifest, Path::new("/nowhere"));
    assert_eq!(push.host()["processes"], 1);
    let again = ours(&target, "push", &file, Path::new("/nowhere")).ends(0);
    assert_eq!(again.objects("changed"), Vec::<String>::new());
    assert!(again.host()["round_trips"].as_u64().unwrap() <= 3, "{}", again.host());
}

#[test]
fn thirty_four_objects_with_nothing_to_change_take_three_round_trips_at_most() {
    let target = Target::start_with("thirty-four", "for n in 1 2 3 4 5; do : >etc/lines-$n; done", "");
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/init.sh");
    let push = || ours(&target, "push", &manifest, Path::new("/nowhere")).ends(0);
    push();
    let again = push();
    assert_eq!(again.objects("changed"), Vec::<String>::new());
    assert!(again.objects("unchanged").len() >= 34);
    let figures = again.host();
    assert_eq!(figures["processes"], 1);
    assert!(figures["round_trips"].as_u64().unwrap() <= 3, "{figures}");
}

/// What the large manifest needs on both sides, and in the target.
const STUFF: &str = r#"
mkdir -p "$1" && cd "$1"
git init -q -b master repository
cd repository
git config user.name x
git config user.email x@example.org
echo content >file
git add file
GIT_AUTHOR_DATE=2020-01-01T00:00:00Z GIT_COMMITTER_DATE=2020-01-01T00:00:00Z git commit -qm one
cd ..
tar cf archive.tar repository/file
"#;

#[test]
#[ignore = "takes minutes: cdist itself is run"]
fn forty_objects_over_thirty_five_types_leave_the_same_files_as_cdist() {
    let stuff = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("stuff-{}", std::process::id()));
    assert!(Command::new("sh").args(["-ec", STUFF, "sh"]).arg(&stuff).status().unwrap().success());
    let key = stuff.join("key");
    assert!(
        Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(&key)
            .status()
            .unwrap()
            .success()
    );
    let make = format!(
        "mkdir -p .{place} && cp -a {place}/. .{place}/
         cp {place}/key etc/ssh/ssh_host_ed25519_key
         mkdir -p var/cache/clean var/spool/cron/crontabs etc/ccollect/sources etc/pacman.d
         touch var/cache/clean/a.old var/cache/clean/b etc/pacman.conf
         mkdir -p var/lib/dpkg/info var/lib/dpkg/updates var/cache/apt/archives/partial var/lib/apt/lists/partial
         cp /var/lib/dpkg/status var/lib/dpkg/ && cp -a /var/lib/dpkg/alternatives var/lib/dpkg/",
        place = stuff.display()
    );
    let (target, file, push) = compare("many", &make, include_str!("cdist/many.sh"), &stuff);
    let objects: Vec<String> = push.host()["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| o["object"].as_str().unwrap().to_owned())
        .collect();
    let types: std::collections::BTreeSet<&str> =
        objects.iter().map(|name| name.split('/').next().unwrap()).collect();
    assert!(objects.len() >= 40 && types.len() >= 35, "{} objects over {} types", objects.len(), types.len());
    eprintln!(
        "{} objects over {} types; first run {} round trips",
        objects.len(),
        types.len(),
        push.host()["round_trips"]
    );
    let again = ours(&target, "push", &file, &stuff).ends(0);
    eprintln!(
        "second run: {} round trips, changed {:?}",
        again.host()["round_trips"],
        again.objects("changed")
    );
    let _ = fs::remove_dir_all(stuff);
}
