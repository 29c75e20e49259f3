//! What goes wrong on the way, and that a rerun mends it.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, UNIX_EPOCH};

use super::target::{Target, ran};

/// Many objects in chains, each a file with its id in it; code takes a moment.
const FILES: &[(&str, &str)] = &[
    ("type/__slow/explorer/is", "cat \"/$__object_id\" 2>/dev/null || :"),
    ("type/__slow/parameter/optional", "a"),
    (
        "type/__slow/gencode-remote",
        "[ \"$(cat \"$__object/explorer/is\")\" = \"$__object_id\" ] || echo 'printf half >\"/$__object_id\"; sleep 0.01; printf %s \"$__object_id\" >\"/$__object_id\"'",
    ),
    (
        "manifest/init",
        "mkdir=/srv/cut\nfor i in 1 2 3 4 5 6 7 8; do\n[ $i = 1 ] || require=__slow/srv/$((i - 1))\nexport require\n__slow /srv/$i </dev/null\nrequire= __slow /srv/free$i </dev/null\ndone\n",
    ),
];

/// Kills the ssh of runs at random points of a run's length; each time a rerun converges. `SEED` gives the same ones.
fn cut(times: u32, retries: &str) {
    let target = Target::start("cut");
    let conf = target.conf(FILES);
    let wipe = || {
        for entry in std::fs::read_dir(target.path("/srv")).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
    };
    let began = Instant::now();
    ran(target.command("push").arg("-c").arg(&conf).arg("t1")).ends(0);
    let whole = began.elapsed();
    let seed = std::env::var("SEED").ok().and_then(|text| text.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| {
        let now = UNIX_EPOCH.elapsed().unwrap();
        now.as_secs() << 30 | u64::from(now.subsec_nanos())
    });
    eprintln!("SEED={seed}");
    let (mut cut_off, mut random) = (0, seed | 1);
    for time in 0..times {
        wipe();
        let mut run = target.command("push");
        run.arg("-c")
            .arg(&conf)
            .args(["--retries", retries, "t1"])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut run = run.spawn().unwrap();
        // Xorshift (Marsaglia 2003): any seed but 0 will do.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let after = whole.mul_f64((random >> 11) as f64 / (1_u64 << 53) as f64);
        kill_ssh_of(run.id(), after);
        let code = run.wait().unwrap().code();
        cut_off += u32::from(code != Some(0));
        ran(target.command("push").arg("-c").arg(&conf).arg("t1")).ends(0);
        for number in 1..=8 {
            for name in [format!("srv/{number}"), format!("srv/free{number}")] {
                assert_eq!(target.text(&name), name, "cut {time} after {after:?}, SEED={seed}");
            }
        }
        assert_eq!(target.leftovers(), Vec::<PathBuf>::new(), "cut {time} after {after:?}, SEED={seed}");
    }
    if times >= 100 {
        assert!(cut_off * 4 > times, "only {cut_off} of {times} runs were cut off");
    }
}

/// Ends the ssh that `parent` started, as soon as `after` has passed.
fn kill_ssh_of(parent: u32, after: Duration) {
    let due = Instant::now() + after;
    let deadline = due + Duration::from_secs(5);
    while Instant::now() < deadline {
        let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
        let Ok(_) = children else { return };
        let ssh = all_children(parent).into_iter().find(|child| {
            std::fs::read_to_string(format!("/proc/{child}/comm")).is_ok_and(|name| name.trim() == "ssh")
        });
        match ssh {
            Some(child) if Instant::now() >= due => {
                let _ = nix::sys::signal::kill(
                    nix::unistd::Pid::from_raw(child),
                    nix::sys::signal::Signal::SIGKILL,
                );
                return;
            }
            _ => std::thread::yield_now(),
        }
        if matches!(std::fs::read_to_string(format!("/proc/{parent}/stat")), Ok(stat) if stat.contains(") Z "))
        {
            return;
        }
    }
}

/// Children of every thread of a process.
fn all_children(parent: u32) -> Vec<i32> {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{parent}/task")) else { return Vec::new() };
    let lists =
        threads.flatten().filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|word| word.parse().ok()).collect::<Vec<_>>())
        .collect()
}

#[test]
fn after_a_connection_is_cut_a_rerun_converges_and_nothing_is_left() {
    cut(6, "0");
}

#[test]
#[ignore = "takes a minute or more"]
fn a_hundred_cut_connections_are_mended_by_a_rerun_each() {
    cut(100, "0");
}

#[test]
fn a_connection_that_is_cut_is_made_again_in_the_same_run() {
    let target = Target::start("again");
    // The explorer's first run waits until the connection is gone.
    let explorer = "mkdir /first 2>/dev/null || exit 0; echo $PPID >/agent; while :; do sleep 1; done";
    let files = [
        ("type/__once/explorer/x", explorer),
        ("type/__once/gencode-remote", "echo 'echo done >/done'"),
        ("manifest/init", "__once x"),
    ];
    let conf = target.conf(&files);
    let mut run = target.command("push");
    let mut run = run.arg("-c").arg(conf).args(["--json", "t1"]).stdout(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while !target.path("/agent").exists() {
        assert!(Instant::now() < deadline, "the explorer does not run");
        std::thread::yield_now();
    }
    kill_ssh_of(run.id(), Duration::ZERO);
    // The shell on the target still waits for its explorer, and holds the lock.
    Command::new("ssh")
        .arg("-F")
        .arg(target.ssh_config())
        .args(["root@t1", "pkill -KILL -x sleep; pkill -KILL -f '[e]xplorer/x'"])
        .status()
        .unwrap();
    let status = run.wait().unwrap();
    assert!(status.success());
    assert_eq!(target.text("/done"), "done\n");
    assert_eq!(target.leftovers(), Vec::<PathBuf>::new());
}

#[test]
fn a_full_disk_fails_the_object_that_meets_it_and_leaves_nothing() {
    let mounts = "mkdir -p $R/small; mount -t tmpfs -o size=64k small $R/small";
    let target = Target::start_with("full", "", mounts);
    let init = "__file /small/big --source - <<EOF\n$(head -c 200000 /dev/zero | tr '\\0' x)\nEOF\n__file /srv/other --source - <<EOF\nx\nEOF\n";
    let run = target.run("push", &[("manifest/init", init)], &["--json"]).ends(1);
    assert_eq!(run.objects("failed"), ["__file/small/big"]);
    assert_eq!(run.objects("changed"), ["__file/srv/other"]);
    assert!(run.host()["objects"][0]["reason"].as_str().unwrap().contains("No space left"), "{}", run.stdout);
    let left = Command::new("ssh")
        .arg("-F")
        .arg(target.ssh_config())
        .args(["root@t1", "ls -A /small"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&left.stdout), "");
}

#[test]
fn a_target_without_room_for_the_run_itself_says_so() {
    let small = ["run", "tmp", "var/tmp", "dev/shm"]
        .map(|place| format!("mkdir -p $R/{place}; mount -t tmpfs -o size=8k,mode=1777 x $R/{place};"));
    let mounts = format!("{} mkdir -p $R/run/sshd; mount --bind $R/tmp $R/var/lib", small.concat());
    let target = Target::start_with("room", "", &mounts);
    let run = target.run("push", &[("manifest/init", "__file /a")], &[]).ends(1);
    assert!(
        run.stdout.contains("cannot write in") || run.stdout.contains("no directory for temporary files"),
        "{}",
        run.stdout
    );
    assert!(!target.path("/a").exists());
}

#[test]
fn a_second_run_waits_for_the_first_or_gives_up_in_words() {
    let target = Target::start("lock");
    let files = [
        ("type/__hold/gencode-remote", "echo 'while [ ! -e /go ]; do sleep 0.1; done'"),
        ("manifest/init", "__hold x"),
    ];
    let conf = target.conf(&files);
    let mut first =
        target.command("push").arg("-c").arg(&conf).arg("t1").stdout(Stdio::null()).spawn().unwrap();
    let lock = target.path("/run/hostbook-config.lock/pid");
    let deadline = Instant::now() + Duration::from_secs(30);
    while !lock.exists() {
        assert!(Instant::now() < deadline, "no lock");
        std::thread::yield_now();
    }
    let mut second = target.command("push");
    let second = ran(second.arg("-c").arg(&conf).args(["--lock-wait", "1", "t1"])).ends(1);
    assert!(second.stdout.contains("another run is under way on this host (process "), "{}", second.stdout);
    std::fs::write(target.path("/go"), "").unwrap();
    assert!(first.wait().unwrap().success());
    ran(target.command("push").arg("-c").arg(&conf).arg("t1")).ends(0);
}

/// Runs a command where all file systems in memory that a run could lie in are mounted `noexec`.
fn with_noexec_runtime(command: &Command) -> Command {
    let mut inside = Command::new("unshare");
    let mount = "for place in \"$XDG_RUNTIME_DIR\" /dev/shm; do mount -t tmpfs -o noexec x \"$place\"; done; exec \"$@\"";
    inside.args(["--mount", "--propagation", "private", "sh", "-ec", mount, "sh"]);
    inside.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => inside.env(name, value),
            None => inside.env_remove(name),
        };
    }
    inside
}

#[test]
fn scripts_of_a_branch_run_although_the_runtime_directory_is_mounted_noexec() {
    let target = Target::start("noexec");
    let make = "
        mkdir -p work/config/manifest runtime
        printf '[site]\\nnameservers = [\"ns1.example.net\"]\\n[zone.\"lab.test\"]\\n' >work/site.toml
        printf '[network.lan]\\nzone = \"lab.test\"\\nipv4 = \"10.20.0.0/24\"\\n' >>work/site.toml
        printf '[host.web1]\\nnetwork = \"lan\"\\nip = \"10.20.0.9\"\\n' >>work/site.toml
        printf '#!/bin/sh\\n__file /srv/a\\n' >work/config/manifest/init
        chmod 755 work/config/manifest/init
        git -C work init -q -b main
        git -C work add .
        git -C work -c user.name=x -c user.email=x@example.net commit -qm x
        git clone -q --bare work repo.git";
    assert!(Command::new("sh").current_dir(&target.dir).args(["-ec", make]).status().unwrap().success());
    let mut push = target.command("push");
    push.arg("-i").arg(format!("{}#main", target.dir.join("repo.git").display())).arg("web1");
    push.env("XDG_RUNTIME_DIR", target.dir.join("runtime"));
    ran(with_noexec_runtime(&push).current_dir(&target.dir)).ends(0);
    assert!(target.path("/srv/a").exists());
}

#[test]
fn a_run_with_secrets_stays_in_memory_although_no_program_runs_there() {
    let target = Target::start_with("noexec-secret", "", "mount -t tmpfs run $R/run; mkdir $R/run/sshd");
    let conf = target.conf(&[("manifest/init", "__line web --file /etc/settings --line secret:web\n")]);
    let runtime = target.dir.join("runtime");
    std::fs::create_dir(&runtime).unwrap();
    let mut push = target.command("push");
    push.arg("-c").arg(&conf).args(["--secret-command", "printf hidden-%s", "t1"]);
    push.env("XDG_RUNTIME_DIR", runtime);
    ran(&mut with_noexec_runtime(&push)).ends(0);
    assert_eq!(target.text("/etc/settings"), "hidden-web\n");
}

#[test]
fn an_interrupted_run_leaves_nothing_on_either_side() {
    let target = Target::start("interrupt");
    let files = [
        ("type/__hold/gencode-remote", "echo 'touch /began; sleep 0.3'"),
        ("manifest/init", "__hold x\n__hold y\n"),
    ];
    let conf = target.conf(&files);
    let runtime = PathBuf::from(format!("/dev/shm/interrupt-{}", std::process::id()));
    std::fs::create_dir(&runtime).unwrap();
    let mut run = target.command("push");
    let mut run = run
        .arg("-c")
        .arg(conf)
        .arg("t1")
        .env("XDG_RUNTIME_DIR", &runtime)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while !target.path("/began").exists() {
        assert!(Instant::now() < deadline, "the code does not run");
        std::thread::yield_now();
    }
    let pid = nix::unistd::Pid::from_raw(i32::try_from(run.id()).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(1));
    std::fs::remove_dir(&runtime).expect("the run's directory is gone from it");
    let deadline = Instant::now() + Duration::from_secs(10);
    while !target.leftovers().is_empty() {
        assert!(Instant::now() < deadline, "{:?}", target.leftovers());
        std::thread::yield_now();
    }
}
