//! `hostbook serve`: both daemons as children, from start to end.

use std::process::{Child, Command};

use daemon::control;
use hickory_proto::rr::RecordType;
use integration_tests::dhcp;
use integration_tests::dns;
use integration_tests::isolated::isolated;
use integration_tests::net::Lan;
use integration_tests::place::Place;
use integration_tests::programs::program;
use integration_tests::run::{PATIENCE, run, wait_for, wait_until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::slip;

const DAEMONS: [&str; 2] = ["dhcpd", "dnsd"];

fn serve(place: &Place) -> Command {
    let mut command = program("hostbook");
    command.args(["serve", "--interface", "lan0", "--listen", "10.20.0.2", "-i"]).arg(place.inventory());
    command.arg("--state").arg(place.path().join("state")).arg("--run").arg(place.path());
    command
}

fn pid_of(place: &Place, name: &str) -> Option<i32> {
    let status = control::ask(&place.control(name), &control::Request::new("status"), PATIENCE).ok()?;
    status["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok())
}

fn send(pid: i32, signal: Signal) {
    kill(Pid::from_raw(pid), signal).unwrap();
}

fn is_running(pid: i32) -> bool {
    kill(Pid::from_raw(pid), None).is_ok()
}

fn end_of(serve: &mut Child) -> Option<i32> {
    wait_for("hostbook serve to end", || serve.try_wait().unwrap()).code()
}

#[test]
fn serve_runs_both_daemons_and_ends_both() {
    isolated(|| {
        let lan = Lan::new("lan0", &["10.20.0.2/24"]);
        let client = lan.attach("client", "52:54:00:ff:00:01");
        client.add_address("10.20.0.3/24");
        let place = Place::lab();
        let start = || {
            let serve = serve(&place).spawn().unwrap();
            let pids = DAEMONS.map(|name| wait_for(name, || pid_of(&place, name)));
            (serve, pids)
        };

        let (mut serve, pids) = start();
        client.on(|| {
            let mut machines = dhcp::Client::new([10, 20, 0, 3].into(), [10, 20, 0, 2].into());
            let offer = machines.discover([0x52, 0x54, 0, 0xaa, 0, 0x11]);
            assert_eq!(offer.address.to_string(), "10.20.0.11");
            let answer =
                dns::Client::new(([10, 20, 0, 2], 53).into()).ask("web1.lab.example.org.", RecordType::A);
            assert_eq!(answer.records, ["web1.lab.example.org. a 10.20.0.11"]);
        });
        let serve_pid = i32::try_from(serve.id()).unwrap();
        send(serve_pid, Signal::SIGHUP);
        assert_eq!(DAEMONS.map(|name| pid_of(&place, name)), pids.map(Some), "SIGHUP is no end");
        send(serve_pid, Signal::SIGTERM);
        assert_eq!(end_of(&mut serve), Some(0));
        assert!(!pids.into_iter().any(is_running));

        // One that dies takes the other along: half a service is worse than a restart.
        let (mut serve, pids) = start();
        send(pids[1], Signal::SIGKILL);
        assert_eq!(end_of(&mut serve), Some(1));
        wait_until("the other daemon to end", || !is_running(pids[0]));
    });
}

#[test]
fn serve_ends_with_the_exit_code_of_the_daemon_that_could_not_start() {
    isolated(|| {
        Lan::new("lan0", &["10.20.0.2/24"]);
        let place = Place::lab();
        slip(&place);
        let ran = run(serve(&place));
        assert_eq!(ran.code(), 65, "{ran:?}");
        assert!(ran.err.contains("hosts/web.toml:12:10: error[HB040]"), "{}", ran.err);
    });
}
