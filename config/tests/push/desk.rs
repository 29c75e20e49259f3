//! What needs no target: which types there are, from where, and trying them in a shell.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::target::{Ran, ran};

/// A home directory and what else a user has.
struct Desk(PathBuf);

impl Desk {
    fn new(name: &str) -> Desk {
        let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&place).unwrap();
        Desk(place)
    }

    /// A configuration directory with the type `__said`, whose manual is `text`.
    fn conf(&self, directory: &str, text: &str) -> PathBuf {
        let kind = self.0.join(directory).join("type/__said");
        fs::create_dir_all(&kind).unwrap();
        fs::write(kind.join("man.rst"), format!("{text}\n")).unwrap();
        self.0.join(directory)
    }

    /// `hostbook-config`, to be completed and run.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hostbook-config"));
        command.args(words).env("HOME", &self.0).env_remove("CDIST_PATH").env_remove("HOSTBOOK_INVENTORY");
        command.current_dir(&self.0);
        command
    }

    fn run(&self, words: &[&str], code: i32) -> Ran {
        ran(&mut self.command(words)).ends(code)
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn types_are_listed_and_told_about() {
    let desk = Desk::new("types");
    for list in [&["types"][..], &["types", "list"]] {
        let all = desk.run(list, 0).stdout;
        let file = "__file                  A file with content, mode and owner";
        assert!(all.lines().any(|line| line == file) && all.lines().count() >= 25, "{all}");
    }
    for info in [&["types", "info", "__file"][..], &["types", "__file"]] {
        let told = desk.run(info, 0).stdout;
        assert!(told.starts_with("usage: __file [--state STATE]"), "{told}");
        assert!(told.contains("the object id is its path"), "the manual follows: {told}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&desk.run(&["types", "__motd", "--json"], 0).stdout).unwrap();
    assert_eq!((&json[0]["type"], &json[0]["singleton"]), (&"__motd".into(), &true.into()));
    assert!(desk.run(&["types", "info", "__none"], 1).stderr.contains("there is no type `__none`"));
    let near = desk.run(&["types", "info", "file"], 1).stderr;
    assert!(near.contains("there is no type `file`; did you mean `__file`?"), "{near}");
    assert!(desk.run(&["types", "info"], 2).stderr.contains("needs the name of a type"));
    assert!(desk.run(&["types", "about", "__file"], 2).stderr.contains("neither `list` nor `info TYPE`"));
}

#[test]
fn directories_of_a_cdist_user_are_found_and_the_nearer_one_wins() {
    let desk = Desk::new("nearer");
    let said = |command: &mut Command| {
        let told = ran(command).ends(0).stdout;
        told.lines().last().unwrap().to_owned()
    };
    let info = ["types", "info", "__said"];
    desk.run(&info, 1);
    desk.conf(".cdist", "home");
    assert_eq!(said(&mut desk.command(&info)), "home");
    let (one, two) = (desk.conf("one", "one"), desk.conf("two", "two"));
    fs::write(desk.0.join(".cdist.cfg"), format!("[GLOBAL]\nconf_dir = {}\n", one.display())).unwrap();
    assert_eq!(said(&mut desk.command(&info)), "one", "~/.cdist.cfg");
    assert_eq!(
        said(desk.command(&info).env("CDIST_PATH", format!("{}:{}", one.display(), two.display()))),
        "two"
    );
    assert_eq!(said(desk.command(&info).env("CDIST_PATH", &one).arg("--cdist-path").arg(&two)), "two");
    let near = desk.conf("near", "near");
    assert_eq!(said(desk.command(&info).arg("--cdist-path").arg(&two).arg("-c").arg(near)), "near");
    fs::create_dir_all(desk.0.join(".cdist/type/__file")).unwrap();
    let own = desk.run(&["types", "info", "__file"], 0).stdout;
    assert_eq!(own, "usage: __file object_id\n", "a type of the user's replaces the standard one as a whole");
}

#[test]
fn a_shell_defines_objects_without_a_target() {
    let desk = Desk::new("shell");
    let script = "__file /a --mode 0644; require=__file/a __link /b --source a --type symbolic";
    let shown = desk.run(&["shell", "--", "sh", "-ec", script], 0).stdout;
    assert_eq!(shown, "__file/a\n__link/b requires __file/a\n");
    let wrong = desk.run(&["shell", "--", "sh", "-ec", "__file /a --mod"], 1);
    assert!(wrong.stderr.contains("usage: __file"), "{}", wrong.stderr);
    let remote = desk.run(&["shell", "--", "sh", "-ec", "$__remote_exec t1 true"], 1);
    assert!(remote.stderr.contains("there is no target"), "{}", remote.stderr);
}
