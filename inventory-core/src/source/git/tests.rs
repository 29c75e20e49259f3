//! With real repositories.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;
use crate::load::{Loaded, Loader};
use crate::source::{Source, open};

const SITE: &str = "[site]\nnameservers = [\"ns1.lab.example.org\"]\ncontact = \"h@lab.example.org\"\n[zone.\"lab.example.org\"]\n[network.n]\nzone = \"lab.example.org\"\nipv4 = \"10.0.0.0/24\"\n[host.ns1]\nnetwork = \"n\"\nip = \"10.0.0.2\"\n";

fn git(directory: &Path, arguments: &[&str]) -> String {
    let mut git = Command::new("git");
    git.current_dir(directory).args(["-c", "user.name=a", "-c", "user.email=a@example.org"]).args(arguments);
    let output = git.env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A work tree with one commit of [`SITE`] in the folder `lab`, and a bare clone of it.
fn repositories(name: &str) -> (PathBuf, PathBuf) {
    let root = std::env::temp_dir().join(format!("hostbook-git-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&root);
    let (work, bare) = (root.join("work"), root.join("site.git"));
    fs::create_dir_all(work.join("lab")).unwrap();
    git(&work, &["init", "-q", "-b", "main"]);
    fs::write(work.join("lab/site.toml"), SITE).unwrap();
    git(&work, &["add", "."]);
    git(&work, &["commit", "-qm", "first"]);
    git(&root, &["clone", "-q", "--bare", "work", "site.git"]);
    git(&work, &["remote", "add", "origin", bare.to_str().unwrap()]);
    (work, bare)
}

fn place(bare: &Path) -> PathBuf {
    PathBuf::from(format!("{}#main:lab", bare.display()))
}

fn push(work: &Path, text: &str) {
    fs::write(work.join("lab/site.toml"), text).unwrap();
    git(work, &["commit", "-qam", "next"]);
    git(work, &["push", "-q", "origin", "main"]);
}

#[test]
fn each_commit_of_a_branch_is_one_state_and_an_unmoved_branch_is_no_change() {
    let (work, bare) = repositories("follow");
    let mut loader = Loader::new(open(&place(&bare)));
    let Loaded::Good { snapshot: first, .. } = loader.load() else { panic!("the first commit is good") };
    assert_eq!(first.inventory.host_count(), 1);
    assert!(matches!(loader.load(), Loaded::Unchanged));
    let parsed = loader.parsed_files();
    push(&work, &format!("{SITE}[host.web]\nnetwork = \"n\"\nip = \"10.0.0.3\"\n"));
    let Loaded::Good { snapshot: second, .. } = loader.load() else { panic!("the second commit is good") };
    assert_eq!((second.generation, second.inventory.host_count()), (2, 2));
    assert_eq!(loader.parsed_files(), parsed + 1);
    let commit = second.commit.unwrap();
    assert_eq!(*commit.id, git(&work, &["rev-parse", "HEAD"]));
    assert_eq!(commit.unix_seconds.to_string(), git(&work, &["log", "-1", "--format=%ct"]));
}

#[test]
fn a_snapshot_knows_when_it_was_committed() {
    let (work, bare) = repositories("time");
    let mut loader = Loader::new(open(&place(&bare)));
    let Loaded::Good { snapshot, .. } = loader.load() else { panic!("the commit is good") };
    assert_eq!(
        snapshot.commit.unwrap().unix_seconds.to_string(),
        git(&work, &["show", "-s", "--format=%ct", "HEAD"])
    );
    let Loaded::Good { snapshot, .. } = Loader::new(open(&work.join("lab"))).load() else { panic!("good") };
    assert_eq!(snapshot.commit, None, "a directory has no commits");
}

#[test]
fn a_branch_has_the_content_hash_of_its_checkout() {
    let (work, bare) = repositories("hash");
    let hash = |place: &Path| match Loader::new(open(place)).load() {
        Loaded::Good { snapshot, .. } => snapshot.hash,
        other => panic!("{other:?}"),
    };
    assert_eq!(hash(&place(&bare)), hash(&work.join("lab")));
}

#[test]
fn a_broken_commit_is_reported_with_its_lines_and_nothing_of_it_counts() {
    let (work, bare) = repositories("broken");
    let mut loader = Loader::new(open(&place(&bare)));
    assert!(matches!(loader.load(), Loaded::Good { .. }));
    push(&work, &SITE.replace("10.0.0.2", "10.9.9.9"));
    let Loaded::Broken { diagnostics } = loader.load() else { panic!("an address outside its network") };
    assert_eq!((diagnostics[0].code.as_str(), diagnostics[0].place.line), ("HB050", 10));
    assert_eq!(diagnostics[0].place.path, "site.toml");
}

#[test]
fn a_missing_branch_or_repository_is_unreadable_and_never_empty() {
    let (_, bare) = repositories("missing");
    for place in [format!("{}#nonsense", bare.display()), "/nonexistent.git#main".to_owned()] {
        let Loaded::Broken { diagnostics } = Loader::new(open(Path::new(&place))).load() else {
            panic!("{place} was read")
        };
        assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
        assert_eq!(diagnostics[0].code, "HB002");
    }
}

#[test]
fn a_revision_beside_a_work_tree_is_of_its_folder() {
    let (work, _) = repositories("beside");
    fs::write(work.join("lab/site.toml"), "broken").unwrap();
    let tree = GitTree::beside(&work.join("lab"), "HEAD").unwrap();
    assert_eq!(tree.read("site.toml").unwrap().1, SITE.as_bytes());
    assert!(GitTree::beside(&work.join("lab"), "HEAD~7").unwrap_err().to_string().contains("HEAD~7"));
}

#[test]
fn what_is_staged_is_what_a_commit_would_have() {
    let (work, _) = repositories("staged");
    fs::write(work.join("lab/site.toml"), format!("{SITE}# staged\n")).unwrap();
    git(&work, &["add", "."]);
    fs::write(work.join("lab/site.toml"), "not staged").unwrap();
    let tree = GitTree::staged(&work.join("lab")).unwrap();
    assert_eq!(tree.read("site.toml").unwrap().1, format!("{SITE}# staged\n").as_bytes());
    assert_eq!(tree.commit(), None);
}

#[test]
fn a_push_wakes_whoever_watches_the_branch() {
    use crate::watch::{Wake, Watcher};
    let (work, bare) = repositories("watch");
    let watcher = Watcher::new(&place(&bare));
    assert_eq!(watcher.trouble(), None);
    push(&work, &format!("{SITE}# more\n"));
    assert_eq!(watcher.wait(), Wake::Hint);
}
