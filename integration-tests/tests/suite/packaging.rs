//! The units of `packaging/systemd`: right, tight, and enough for the daemons.

use std::fs;
use std::process::Command;

use integration_tests::isolated::isolated;
use integration_tests::net::Lan;
use integration_tests::place::{Place, workspace};
use integration_tests::programs::{Launch, directory};
use integration_tests::run::{run, sh, succeed};
use integration_tests::temp::TempDir;

/// The worst exposure that `systemd-analyze security` may find, of 10.
const EXPOSURE_MAX: f32 = 2.0;

fn unit(daemon: &str) -> String {
    let path = workspace().join(format!("packaging/systemd/hostbook-{daemon}.service"));
    fs::read_to_string(path).unwrap()
}

/// File names of all units, services before timers.
fn units() -> Vec<String> {
    let all = fs::read_dir(workspace().join("packaging/systemd")).unwrap();
    let all = all.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut units: Vec<String> =
        all.filter(|name| [".service", ".timer"].iter().any(|end| name.ends_with(end))).collect();
    units.sort_by_key(|name| (name.ends_with(".timer"), name.clone()));
    units
}

/// The values of a key, in order.
fn values<'a>(unit: &'a str, key: &str) -> Vec<&'a str> {
    unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect()
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units() {
    let copies = TempDir::new("units");
    for name in units() {
        // The programs are looked for, too.
        let text = fs::read_to_string(workspace().join("packaging/systemd").join(&name)).unwrap();
        let copy = copies.path().join(&name);
        fs::write(&copy, text.replace("/usr/local/bin", directory().to_str().unwrap())).unwrap();
        let mut verify = Command::new("systemd-analyze");
        verify.arg("verify").arg(&copy);
        let ran = run(verify);
        let about_us: Vec<&str> = ran.err.lines().filter(|line| line.contains("hostbook")).collect();
        assert!(about_us.is_empty() && ran.code() == 0, "{ran:?}");
    }
}

#[test]
fn the_units_expose_little() {
    for daemon in ["dhcpd", "dnsd"] {
        let mut security = Command::new("systemd-analyze");
        security.args(["security", "--offline=true", "--no-pager"]);
        security.arg(workspace().join(format!("packaging/systemd/hostbook-{daemon}.service")));
        let text = succeed(security);
        let overall = text.lines().find_map(|line| line.split_once("Overall exposure level for ")).unwrap().1;
        let figure: f32 = overall.split_whitespace().nth(1).unwrap().parse().unwrap();
        assert!(figure <= EXPOSURE_MAX, "{text}");
    }
}

#[test]
fn the_capabilities_of_its_unit_are_all_that_a_daemon_needs() {
    isolated(|| {
        Lan::new("lan0", &["10.20.0.2/24"]);
        let place = Place::lab();
        let somebody_else =
            fs::read_to_string("/proc/self/uid_map").unwrap().split_whitespace().nth(2) != Some("1");
        let mut user = Vec::new();
        if somebody_else {
            user.extend(["--reuid=65534", "--regid=65534", "--clear-groups"].map(str::to_owned));
            sh(&format!("chmod a+x /run /run/tmp && chown -R 65534:65534 {}", place.path().display()));
        }
        for (name, args) in [("dhcpd", ["--interface", "lan0"]), ("dnsd", ["--listen", "10.20.0.2"])] {
            let unit = unit(name);
            let granted = values(&unit, "CapabilityBoundingSet").concat().to_lowercase();
            assert_eq!(values(&unit, "AmbientCapabilities").concat().to_lowercase(), granted);
            let sets: Vec<String> = granted.split(' ').map(|one| one.replacen("cap_", "+", 1)).collect();
            let sets = format!("-all,{}", sets.join(","));
            let mut under = vec!["setpriv".to_owned()];
            under.extend(user.iter().cloned());
            under.extend([
                format!("--inh-caps={sets}"),
                format!("--ambient-caps={sets}"),
                format!("--bounding-set={sets}"),
            ]);
            let under: Vec<&str> = under.iter().map(String::as_str).collect();
            let launch = if name == "dhcpd" { Launch::dhcpd(&place) } else { Launch::dnsd(&place) };
            let daemon = launch.args(&args).under(&under).start();
            assert_eq!(daemon.status()["inventory"]["ok"], true);
            assert!(!daemon.log().contains("Z warn "), "{}", daemon.log());
        }
    });
}

#[test]
fn every_program_and_unit_is_installed() {
    let mut make = Command::new("make");
    make.current_dir(workspace()).args(["--just-print", "--old-file=release", "install"]);
    let ran = run(make);
    assert_eq!(ran.code(), 0, "{}", ran.out);
    let lists = |word: &str| ran.out.split([' ', ';']).any(|one| one == word);
    for daemon in ["dhcpd", "dnsd"] {
        let unit = unit(daemon);
        let program = values(&unit, "ExecStart").concat();
        let program = program.split(' ').next().unwrap().strip_prefix("/usr/local/bin/").unwrap().to_owned();
        assert!(lists(&program), "{program}: {}", ran.out);
    }
    for unit in units() {
        assert!(lists(&unit), "{unit}: {}", ran.out);
    }
    for program in ["hostbook", "hostbook-config", "hostbook-load"] {
        assert!(lists(program), "{program}: {}", ran.out);
    }
}

#[test]
fn shell_scripts_are_clean() {
    let mut shellcheck = Command::new("shellcheck");
    shellcheck.current_dir(workspace()).args([".ci/run", "integration-tests/setup.sh"]);
    let ran = run(shellcheck);
    assert_eq!(ran.code(), 0, "{}", ran.out);
}
