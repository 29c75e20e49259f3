//! Many hosts in one run, and how they are chosen.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::target::{Ran, Target, ran};

const FILES: &[(&str, &str)] = &[
    ("type/__mark/explorer/is", "[ -e \"/srv/$__target_host\" ] && echo yes || :"),
    (
        "type/__mark/gencode-remote",
        "[ -s \"$__object/explorer/is\" ] || echo \"echo $__target_host_tags >/srv/$__target_host\"",
    ),
    (
        "manifest/init",
        "case ,$__target_host_tags, in *,web,*) cat \"$__inventory/ipv4\" >/dev/null; __mark web ;; esac\n__mark all\n",
    ),
];

const INVENTORY: &str = r#"
[site]
nameservers = ["ns1.lab.example.org"]
contact = "hostmaster@lab.example.org"
[zone."lab.example.org"]
[network.lan]
zone = "lab.example.org"
ipv4 = "10.20.0.0/24"
[host.ns1]
network = "lan"
ip = "10.20.0.2"
state = "planned"
[host.web1]
network = "lan"
ip = "10.20.0.3"
tags = ["web", "prod"]
[host.db1]
network = "lan"
ip = "10.20.0.4"
tags = ["prod"]
[host.new1]
network = "lan"
ip = "10.20.0.5"
state = "retired"
"#;

#[test]
fn hosts_come_from_the_inventory_by_name_tag_and_state() {
    let target = Target::start("inventory");
    let inventory = target.dir.join("inventory");
    std::fs::create_dir_all(inventory.join("config/manifest")).unwrap();
    std::fs::write(inventory.join("lab.toml"), INVENTORY).unwrap();
    for (path, text) in FILES {
        let path = inventory.join("config").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let run = |args: &[&str]| ran(target.command("push").arg("-i").arg(&inventory).arg("--json").args(args));
    let hosts = |ran: &Ran| -> Vec<String> {
        let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        report["hosts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|host| host["host"].as_str().unwrap().to_owned())
            .collect()
    };
    let web = run(&["--tag", "web"]).ends(0);
    assert_eq!(hosts(&web), ["web1.lab.example.org"]);
    assert_eq!(target.text("/srv/web1.lab.example.org"), "prod,web\n");
    let all = run(&["--all"]).ends(0);
    assert_eq!(
        hosts(&all),
        ["db1.lab.example.org", "web1.lab.example.org"],
        "planned and retired hosts are left out"
    );
    assert_eq!(all.objects("changed"), ["__mark/all"]);
    assert_eq!(hosts(&run(&["--state", "retired"]).ends(0)), ["new1.lab.example.org"]);
    assert_eq!(hosts(&run(&["new1"]).ends(0)), ["new1.lab.example.org"], "a host that is named is meant");

    let unknown = run(&["wep1"]).ends(1);
    assert!(
        unknown.stderr.contains("the inventory has no host `wep1`; did you mean `web1`?"),
        "{}",
        unknown.stderr
    );
    run(&[]).ends(2);
    std::fs::write(inventory.join("lab.toml"), format!("{INVENTORY}\n[host.web1]\n")).unwrap();
    run(&["--all"]).ends(65);
}

/// A host that says that it speaks ssh, and no more until `done`; then it is gone.
fn hang(listener: &TcpListener, done: impl Fn() -> bool) {
    listener.set_nonblocking(true).unwrap();
    let mut held = Vec::new();
    while !done() {
        if let Ok((mut stream, _)) = listener.accept() {
            stream.write_all(b"SSH-2.0-hanging\r\n").unwrap();
            held.push(stream);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// So many names of one target, one that is dead and one that never answers.
fn fleet(count: usize, parallel: usize) {
    // Every login gets a `/run` of its own, so that one sshd stands for many machines.
    let force = "unshare -m --propagation unchanged sh -c 'mount -t tmpfs own /run && exec $SHELL -c \"$SSH_ORIGINAL_COMMAND\"'";
    let make = format!(
        "echo \"ForceCommand {}\" >>etc/ssh/own_config",
        force.replace('$', "\\$").replace('"', "\\\"")
    );
    let target = Target::start_with("fleet", &make, "");
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = std::fs::read_to_string(target.ssh_config()).unwrap();
    let port = hanging.local_addr().unwrap().port();
    let done = target.path("/srv");
    std::thread::spawn(move || hang(&hanging, || std::fs::read_dir(&done).unwrap().count() >= count));
    std::fs::write(
        target.ssh_config(),
        format!("Host dead\n Port {dead}\nHost hanging\n Port {port}\n{config}"),
    )
    .unwrap();
    let conf = target.conf(FILES);
    let names: Vec<String> = (0..count).map(|number| format!("t{number}")).collect();
    let mut run = target.command("push");
    run.arg("-c")
        .arg(&conf)
        .args(["--hosts-parallel", &parallel.to_string(), "--timeout", "120", "--jobs", "2"])
        .args(["dead", "hanging"])
        .args(&names);
    let (run, peak) = watched(&mut run);
    let run = run.ends(1);
    assert!(
        run.stdout.contains(&format!("{} hosts: {count} changed, 2 failed", count + 2)),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("dead: no objects"), "{}", run.stdout);
    let reports: Vec<&str> = run.stdout.lines().filter(|line| line.contains(" round trip")).collect();
    assert_eq!(reports.len(), count + 2, "a line per host");
    let before = reports.iter().take_while(|line| !line.starts_with("hanging: ")).count();
    // Its connection ended when all had their mark; those that were at work beside it had only to say so yet.
    assert!(before >= count + 2 - parallel, "a hanging host holds nobody up: {before} were done before it");
    for name in &names {
        assert!(target.path(&format!("/srv/{name}")).exists(), "{name}");
    }
    eprintln!("{count} hosts, {parallel} at a time: {peak:?}");
    assert!(peak.ssh <= parallel, "{peak:?}");
    // Beside ssh: two scripts of each host, and what such a script starts.
    assert!(peak.processes <= parallel * (1 + 2 * 3), "{peak:?}");
    assert!(peak.resident_kib < 64 << 10, "{peak:?}");
    assert_eq!(target.leftovers(), Vec::<std::path::PathBuf>::new());
}

/// The most that a run used at any time that was looked at.
#[derive(Debug, Default)]
struct Peak {
    /// Its processes besides itself.
    processes: usize,
    /// Those of them that are ssh.
    ssh: usize,
    /// Memory of the program itself.
    resident_kib: u64,
}

/// Runs a command to its end and looks at it all the while.
fn watched(command: &mut Command) -> (Ran, Peak) {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let stdout = std::thread::spawn(move || io::read_to_string(&mut out).unwrap());
    let stderr = std::thread::spawn(move || io::read_to_string(&mut err).unwrap());
    let mut peak = Peak::default();
    let code = loop {
        let below = descendants(child.id());
        peak.processes = peak.processes.max(below.len());
        peak.ssh = peak.ssh.max(below.iter().filter(|name| *name == "ssh").count());
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let resident = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
        peak.resident_kib = peak.resident_kib.max(resident.unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            break status.code().unwrap_or(-1);
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    (Ran { code, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }, peak)
}

/// Names of all processes below one.
fn descendants(ancestor: u32) -> Vec<String> {
    let mut parents: BTreeMap<u32, Vec<(u32, String)>> = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        let Some((head, tail)) = stat.rsplit_once(')') else { continue };
        let Some((pid, name)) = head.split_once(" (") else { continue };
        let parent = tail.split_whitespace().nth(1).and_then(|word| word.parse().ok());
        if let (Ok(pid), Some(parent)) = (pid.parse(), parent) {
            parents.entry(parent).or_default().push((pid, name.to_owned()));
        }
    }
    let (mut names, mut next) = (Vec::new(), vec![ancestor]);
    while let Some(parent) = next.pop() {
        for (pid, name) in parents.remove(&parent).unwrap_or_default() {
            names.push(name);
            next.push(pid);
        }
    }
    names
}

#[test]
fn on_a_terminal_progress_shows_the_whole_and_the_hosts_that_are_at_work() {
    let target = Target::start("terminal");
    let files = [
        ("type/__hold/gencode-remote", "echo 'while [ ! -e /go ]; do sleep 0.1; done'"),
        ("manifest/init", "__hold x"),
    ];
    let conf = target.conf(&files);
    let push = target.command("push");
    let mut words = vec![push.get_program().to_string_lossy().into_owned()];
    words.extend(push.get_args().map(|word| word.to_string_lossy().into_owned()));
    let line = format!("{} -c {} t1", words.join(" "), conf.display());
    let seen = target.dir.join("seen");
    let mut script = Command::new("script");
    script.args(["-q", "-e", "-f", "-c", &line]).arg(&seen).env("TERM", "xterm").env("HOME", &target.dir);
    let mut run = script.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let text = || String::from_utf8_lossy(&std::fs::read(&seen).unwrap_or_default()).into_owned();
    while !text().contains("t1: 0/1 __hold/x") {
        assert!(Instant::now() < deadline, "{}", text());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(text().contains("0/1 hosts"), "{}", text());
    std::fs::write(target.path("/go"), "").unwrap();
    assert!(run.wait().unwrap().success(), "{}", text());
    assert!(text().contains("1 changed"), "{}", text());
}

#[test]
fn a_dead_and_a_hanging_host_do_not_hold_up_the_others() {
    fleet(6, 4);
}

#[test]
#[ignore = "takes a minute or more"]
fn two_hundred_hosts_are_done_in_one_run_with_bounded_memory_and_processes() {
    fleet(200, 32);
}
