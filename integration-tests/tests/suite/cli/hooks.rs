//! Programs of the host that are run after a change has been taken into service.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use daemon::control::{self, Request};
use integration_tests::place::Place;
use integration_tests::programs::{Launch, program};
use integration_tests::run::{run, sh, wait_for};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use serde_json::Value;

/// `hostbook hook follow` on the inventory of a place.
struct Hooks {
    child: Child,
    control: PathBuf,
    log: PathBuf,
}

impl Hooks {
    /// As the user of the daemon that it asks.
    fn command(place: &Place, hooks: &Path, args: &[&str]) -> Command {
        Hooks::of(place, hooks, &[args, user()].concat())
    }

    fn of(place: &Place, hooks: &Path, args: &[&str]) -> Command {
        let mut command = program("hostbook");
        command.args(["hook", "follow", "-i"]).arg(place.inventory());
        command.arg("--hooks").arg(hooks);
        command.arg("--state").arg(place.state("hooks")).arg("--control").arg(place.control("hooks"));
        command.arg("--daemon").arg(place.control("dnsd")).args(args);
        command
    }

    fn start(place: &Place, args: &[&str]) -> Hooks {
        Hooks::follow(place, &[args, user()].concat())
    }

    fn follow(place: &Place, args: &[&str]) -> Hooks {
        let log = place.path().join("hooks.log");
        let file = File::options().append(true).create(true).open(&log).unwrap();
        let mut command = Hooks::of(place, &place.path().join("hooks.d"), args);
        let child = command.stdout(Stdio::null()).stderr(file).spawn().unwrap();
        let hooks = Hooks { child, control: place.control("hooks"), log };
        hooks.wait("its first answer", |_| true);
        hooks
    }

    fn wait(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        wait_for(&format!("the hooks: {what}; {}", self.log.display()), || {
            let status = control::ask(&self.control, &Request::new("status"), control::PATIENCE).ok()?;
            wanted(&status).then_some(status)
        })
    }

    fn finish(&mut self) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), Signal::SIGTERM).unwrap();
        wait_for("the hooks to end", || self.child.try_wait().unwrap());
    }
}

impl Drop for Hooks {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            println!("--- log of the hooks:\n{}---", fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}

/// Root runs hooks and the daemon that they ask as somebody else.
fn user() -> &'static [&'static str] {
    if geteuid().is_root() { &["--user", "nobody"] } else { &[] }
}

/// A place with a directory for hooks, and one that they write to.
fn place() -> Place {
    let place = Place::lab();
    let (hooks, out) = (place.path().join("hooks.d"), place.path().join("out"));
    fs::create_dir(&hooks).unwrap();
    fs::create_dir(&out).unwrap();
    fs::set_permissions(&hooks, fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    if geteuid().is_root() {
        sh(&format!("chown nobody {}", out.display()));
    }
    place
}

/// Installs a hook.
fn hook(place: &Place, name: &str, script: &str) {
    let path = place.path().join("hooks.d").join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn event(path: &Path) -> Value {
    wait_for(&format!("{}", path.display()), || serde_json::from_str(&fs::read_to_string(path).ok()?).ok())
}

#[test]
fn hooks_hear_of_what_is_served_one_after_the_other_and_trouble_is_seen() {
    let place = place();
    let out = place.path().join("out");
    // Written whole: a reader sees none or all of it.
    hook(&place, "10-write", &format!("cd {0} && cat > new && mv new event && id -u > uid", out.display()));
    hook(
        &place,
        "20-fail",
        &format!("test -e {0}/event || exit 9\necho no such switch >&2\nexit 3", out.display()),
    );
    hook(&place, "30-hang", "exec sleep 1000");
    let dnsd = Launch::dnsd(&place).args(&["--listen", "127.0.0.1:0"]).args(user()).start();
    let mut hooks = Hooks::start(&place, &["--timeout", "1s"]);
    let serving = |status: &Value| status["inventory"]["ok"] == true;
    let first = hooks.wait("the first state", serving);
    wait_for("where the hooks begin", || place.state("hooks").join("handled.json").exists().then_some(()));
    assert_eq!((&first["problems"], &first["hooks"][0]["runs"]), (&Value::Array(vec![]), &0.into()));
    assert!(!out.join("event").exists(), "the first state is no change");

    place.edit("hosts/web.toml", "\"10.20.0.11\"", "\"10.20.0.77\"");
    let told = event(&out.join("event"));
    let served = dnsd.status()["inventory"]["hash"].clone();
    assert_eq!((&told["after"]["hash"], &told["before"]["hash"]), (&served, &first["inventory"]["hash"]));
    let host = &told["changes"]["hosts"][0];
    assert_eq!((&host["host"], &host["sign"]), (&"web1.lab.example.org".into(), &"changed".into()));
    assert_eq!(host["after"]["nics"][0]["ip"][0], "10.20.0.77");
    let records = told["changes"]["dns"].to_string();
    assert!(records.contains("10.20.0.77") && records.contains("77.0.20.10.in-addr.arpa"), "{records}");
    let status = hooks.wait("all three", |status| status["hooks"][2]["runs"] == 1);
    let problems = status["problems"].to_string();
    assert!(problems.contains("`20-fail` failed: exit code 3; it said: no such switch"), "{problems}");
    assert!(problems.contains("`30-hang` failed: it took longer than 1s"), "{problems}");
    let uid = fs::read_to_string(out.join("uid")).unwrap();
    assert_ne!(uid.trim(), "0");
    let mut shown = program("hostbook");
    shown.args(["status", "--control"]).arg(place.control("hooks"));
    let shown = run(shown);
    assert!(shown.code() == 1 && shown.out.contains("20-fail: FAILED"), "{shown:?}");
    assert!(fs::read_to_string(&hooks.log).unwrap().contains("hook failed"));

    // What is mended runs on the next change; what changed while nobody followed is told afterwards.
    hook(&place, "20-fail", "exit 0");
    fs::remove_file(place.path().join("hooks.d/30-hang")).unwrap();
    hooks.finish();
    fs::remove_file(out.join("event")).unwrap();
    place.edit("hosts/web.toml", "\"10.20.0.77\"", "\"10.20.0.78\"");
    dnsd.wait_status("the edit", |status| status["inventory"]["hash"] != served);
    let again = Hooks::start(&place, &[]);
    let told = event(&out.join("event"));
    assert_eq!(told["before"]["hash"], served);
    assert_eq!(told["changes"]["hosts"][0]["before"]["nics"][0]["ip"][0], "10.20.0.77");
    again.wait("nothing to complain of", |status| status["problems"] == Value::Array(vec![]));
}

#[test]
fn a_broken_inventory_and_a_daemon_that_is_behind_are_no_change() {
    let place = place();
    let out = place.path().join("out");
    hook(&place, "write", &format!("cd {0} && cat > new && mv new event", out.display()));
    let dnsd = Launch::dnsd(&place).args(&["--listen", "127.0.0.1:0"]).args(user()).start();
    let hooks = Hooks::start(&place, &[]);
    wait_for("where the hooks begin", || place.state("hooks").join("handled.json").exists().then_some(()));
    super::slip(&place);
    hooks.wait("the slip", |status| status["inventory"]["ok"] == false);
    // The daemon stands still: it has not taken this into service, so hooks do not hear of it.
    dnsd.signal(Signal::SIGSTOP);
    place.edit(
        "hosts/web.toml",
        "mac    = \"52:54:00:aa:00:11\"\nip     = [\"10.20.0.12\"",
        "mac    = \"52:54:00:aa:00:12\"\nip     = [\"10.20.0.13\"",
    );
    hooks.wait("the mended state", |status| status["inventory"]["ok"] == true);
    assert!(!out.join("event").exists());
    dnsd.signal(Signal::SIGCONT);
    let told = event(&out.join("event"));
    assert_eq!(told["changes"]["hosts"].as_array().unwrap().len(), 1, "{told}");
    assert_eq!(told["after"]["hash"], dnsd.status()["inventory"]["hash"]);
}

#[test]
fn hooks_are_never_those_of_the_inventory_nor_run_by_root() {
    let place = place();
    let inside = place.inventory().join("hooks");
    fs::create_dir(&inside).unwrap();
    let ran = run(Hooks::command(&place, &inside, &[]));
    assert!(ran.code() == 2 && ran.err.contains("is inside the inventory"), "{ran:?}");
    if geteuid().is_root() {
        let mut root = program("hostbook");
        root.args(["hook", "follow", "-i"]).arg(place.inventory());
        let ran = run(root);
        assert!(ran.code() == 2 && ran.err.contains("hooks are not run as root"), "{ran:?}");
    }
}

#[test]
fn hooks_beside_daemons_of_another_user_need_the_group_of_their_sockets() {
    if !geteuid().is_root() {
        // Nobody else can start programs as two users.
        return;
    }
    let place = place();
    let out = place.path().join("out");
    sh(&format!("chown root:nogroup {0} && chmod 770 {0}", out.display()));
    hook(&place, "write", &format!("cd {0} && cat > new && mv new event && id > id", out.display()));
    let dnsd = Launch::dnsd(&place).args(&["--listen", "127.0.0.1:0"]).args(user()).start();
    let hooks = place.path().join("hooks.d");
    let ran = run(Hooks::of(&place, &hooks, &["--user", "daemon"]));
    assert!(ran.code() == 1 && ran.err.contains("no permission to ask the daemon"), "{ran:?}");
    assert!(ran.err.contains("`--group hostbook`"), "{ran:?}");
    let none = run(Hooks::of(&place, &hooks, &["--user", "daemon", "--group", "hostbook-no-such-group"]));
    assert!(none.code() == 1 && none.err.contains("no group `hostbook-no-such-group`"), "{none:?}");

    let _hooks = Hooks::follow(&place, &["--user", "daemon", "--group", "nogroup"]);
    wait_for("where the hooks begin", || place.state("hooks").join("handled.json").exists().then_some(()));
    place.edit("hosts/web.toml", "\"10.20.0.11\"", "\"10.20.0.77\"");
    let told = event(&out.join("event"));
    assert_eq!(told["after"]["hash"], dnsd.status()["inventory"]["hash"]);
    let id =
        wait_for("its user", || fs::read_to_string(out.join("id")).ok().filter(|id| id.contains("groups=")));
    assert!(id.starts_with("uid=1(daemon) gid=65534(nogroup)"), "{id}");
    assert!(!id.contains("(root)"), "{id}");
}
