//! A daemon's life with its operator and its machine: signals, an inventory that goes away, files that cannot
//! be read, ports that may not be used, disks that are full. Both daemons are put through all of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use hickory_proto::rr::RecordType;
use integration_tests::dhcp;
use integration_tests::dns;
use integration_tests::isolated::isolated;
use integration_tests::net::{Lan, Machine};
use integration_tests::place::Place;
use integration_tests::programs::{Daemon, Launch, scrape};
use integration_tests::run::{sh, wait_until};
use nix::sys::signal::Signal;
use nix::unistd::geteuid;

const BOTH: [&str; 2] = ["dhcpd", "dnsd"];
const METRICS: &str = "127.0.0.1:9800";
/// Root reads every file; without these it does not.
const NOT_ALL_FILES: [&str; 2] = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];

struct World {
    place: Place,
    /// A machine that asks.
    client: Machine,
}

impl World {
    /// The example, its server's address on `lan0`, and a machine of this name.
    fn new(client: &str) -> World {
        let client = Lan::new("lan0", &["10.20.0.2/24"]).attach(client, "52:54:00:ff:00:01");
        client.add_address("10.20.0.3/24");
        World { place: Place::lab(), client }
    }

    fn launch(&self, name: &str) -> Launch<'_> {
        match name {
            "dhcpd" => Launch::dhcpd(&self.place).args(&["--interface", "lan0"]),
            _ => Launch::dnsd(&self.place).args(&["--listen", "10.20.0.2"]),
        }
    }

    fn start(&self, name: &str) -> Daemon {
        self.launch(name).start()
    }

    /// The address that the daemon gives to `web1`.
    fn served(&self, name: &str) -> String {
        self.client.on(|| match name {
            "dhcpd" => {
                let mut client = dhcp::Client::new([10, 20, 0, 3].into(), [10, 20, 0, 2].into());
                client.discover([0x52, 0x54, 0, 0xaa, 0, 0x11]).address.to_string()
            }
            _ => {
                let mut client = dns::Client::new(([10, 20, 0, 2], 53).into());
                let answer = client.ask("web1.lab.example.org.", RecordType::A);
                answer.records.concat().rsplit(' ').next().unwrap_or_default().to_owned()
            }
        })
    }

    /// Breaks `hosts/web.toml`.
    fn slip(&self) {
        self.place.edit("hosts/web.toml", "mac    = \"52:54:00:aa:00:12\"", "mac    = \"52:54:00:aa:00:11\"");
    }

    fn mend(&self) {
        let old = "mac    = \"52:54:00:aa:00:11\"\nip     = [\"10.20.0.12\"";
        self.place.edit("hosts/web.toml", old, "mac    = \"52:54:00:aa:00:12\"\nip     = [\"10.20.0.12\"");
    }
}

fn for_both(test: fn(&'static str, &World)) {
    for name in BOTH {
        let world = World::new(name);
        test(name, &world);
        drop(world);
        sh("ip link delete lan0");
    }
}

/// `text` has every one of `parts`.
fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
}

#[test]
fn sigterm_and_sigint_end_a_daemon_with_code_0_and_its_socket_is_gone() {
    isolated(|| {
        for_both(|name, world| {
            for signal in [Signal::SIGTERM, Signal::SIGINT] {
                let mut daemon = world.start(name);
                daemon.signal(signal);
                assert_eq!(daemon.wait().code(), Some(0));
                has(&daemon.log(), &["finished"]);
                assert!(!world.place.control(name).exists());
            }
        });
    });
}

#[test]
fn sighup_makes_a_daemon_look_at_once_and_go_on() {
    isolated(|| {
        for_both(|name, world| {
            let daemon = world.start(name);
            daemon.signal(Signal::SIGHUP);
            daemon.wait_log("looked at the inventory as asked: nothing changed");
            assert_eq!(world.served(name), "10.20.0.11");
        });
    });
}

#[test]
fn a_missing_or_empty_inventory_at_start_is_code_65_and_says_where_it_should_be() {
    isolated(|| {
        for_both(|name, world| {
            let root = world.place.inventory();
            let shown = root.display().to_string();
            fs::remove_dir_all(&root).unwrap();
            let (code, log) = world.launch(name).fail();
            assert_eq!(code, 65, "{log}");
            has(&log, &[&shown, "cannot be served", "hostbook check"]);
            fs::create_dir(&root).unwrap();
            let (code, log) = world.launch(name).fail();
            assert_eq!(code, 65, "{log}");
            has(&log, &[&shown, "no last good state"]);
        });
    });
}

#[test]
fn an_inventory_that_goes_away_while_running_leaves_the_last_good_state_in_service() {
    isolated(|| {
        for_both(|name, world| {
            let daemon = world.start(name);
            let (root, away) = (world.place.inventory(), world.place.path().join("away"));
            // An unmounted file system leaves an empty directory.
            fs::rename(&root, &away).unwrap();
            fs::create_dir(&root).unwrap();
            daemon.wait_status("an empty inventory", |status| status["inventory"]["ok"] == false);
            assert_eq!(world.served(name), "10.20.0.11");
            fs::remove_dir(&root).unwrap();
            daemon.signal(Signal::SIGHUP);
            daemon.wait_status("a missing inventory", |status| {
                status["inventory"]["ok"] == false
                    && status["inventory"]["errors"].to_string().contains("inventory")
            });
            assert_eq!(world.served(name), "10.20.0.11");
            fs::rename(&away, &root).unwrap();
            daemon.signal(Signal::SIGHUP);
            daemon.wait_status("the inventory again", |status| status["inventory"]["ok"] == true);
            world.place.edit("hosts/web.toml", "\"10.20.0.11\"", "\"10.20.0.77\"");
            wait_until("an edit of the inventory that came back", || world.served(name) == "10.20.0.77");
        });
    });
}

#[test]
fn an_unreadable_file_is_named_at_start_and_leaves_the_last_good_state_in_service_later() {
    isolated(|| {
        for_both(|name, world| {
            let file = world.place.inventory().join("hosts/web.toml");
            let readable = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            readable(0o000);
            let (code, log) = world.launch(name).under(&NOT_ALL_FILES).fail();
            assert_eq!(code, 65, "{log}");
            has(&log, &["hosts/web.toml", "ermission denied"]);
            readable(0o644);
            let daemon = world.launch(name).under(&NOT_ALL_FILES).start();
            readable(0o000);
            let status =
                daemon.wait_status("an unreadable file", |status| status["inventory"]["ok"] == false);
            has(&status["inventory"]["errors"].to_string(), &["hosts/web.toml"]);
            assert_eq!(world.served(name), "10.20.0.11");
            readable(0o644);
            daemon.wait_status("a readable file", |status| status["inventory"]["ok"] == true);
        });
    });
}

#[test]
fn without_permission_for_its_port_a_daemon_ends_with_code_1_and_names_the_capability() {
    isolated(|| {
        for (name, port) in [("dhcpd", "67"), ("dnsd", "53")] {
            let world = World::new(name);
            let (code, log) = world.launch(name).under(&["setpriv", "--bounding-set=-all"]).fail();
            assert_eq!(code, 1, "{log}");
            has(&log, &["permi", "CAP_NET_", "setcap cap_net_bind_service,cap_net_raw+ep", name]);
            let only_bind = ["setpriv", "--bounding-set=-net_bind_service"];
            let (code, log) = world.launch(name).under(&only_bind).fail();
            assert_eq!(code, 1, "{log}");
            has(&log, &[&format!(":{port}`"), "permission denied", "CAP_NET_BIND_SERVICE"]);
            sh("ip link delete lan0");
        }
    });
}

#[test]
fn a_port_that_is_taken_and_an_interface_that_is_not_there_are_code_1_with_what_to_do() {
    isolated(|| {
        let world = World::new("client");
        let running = BOTH.map(|name| world.start(name));
        for (name, help) in [("dhcpd", "another DHCP server"), ("dnsd", "systemd-resolved")] {
            let other = Place::lab();
            let launch = match name {
                "dhcpd" => Launch::dhcpd(&other).args(&["--interface", "lan0"]),
                _ => Launch::dnsd(&other).args(&["--listen", "10.20.0.2"]),
            };
            let (code, log) = launch.fail();
            assert_eq!(code, 1, "{log}");
            has(&log, &["in use", help, "sport = :"]);
            // The same place twice: the state directory is held.
            let (code, log) = world.launch(name).fail();
            assert_eq!(code, 1, "{log}");
            has(&log, &["is in use by process"]);
        }
        drop(running);
        let (code, log) = Launch::dhcpd(&world.place).args(&["--interface", "eth7"]).fail();
        assert_eq!(code, 1, "{log}");
        has(&log, &["eth7", "ip link"]);
        let (code, log) = Launch::dnsd(&world.place).args(&["--listen", "10.99.99.99"]).fail();
        assert_eq!(code, 1, "{log}");
        has(&log, &["10.99.99.99", "ip address"]);
    });
}

#[test]
fn a_wrong_command_line_is_code_2() {
    isolated(|| {
        let place = Place::lab();
        for launch in [
            Launch::dhcpd(&place),
            Launch::dhcpd(&place).args(&["--interface", "lan0", "--listen", "10.20.0.2"]),
            Launch::dnsd(&place).args(&["--listen", "eth0"]),
            Launch::dnsd(&place).args(&["--workers", "0"]),
        ] {
            let (code, log) = launch.fail();
            assert_eq!(code, 2, "{log}");
            has(&log, &["error: ", "--help"]);
        }
    });
}

#[test]
fn a_full_disk_under_the_state_is_a_warning_and_not_the_end_of_service() {
    isolated(|| {
        for_both(|name, world| {
            let disk = world.place.path().join("state");
            fs::create_dir(&disk).unwrap();
            sh(&format!("mount -t tmpfs -o size=128k tmpfs {}", disk.display()));
            let ballast = disk.join("ballast");
            // It fails when the disk is full, which is the point.
            sh(&format!("cat /dev/zero 2>/dev/null >{} || true", ballast.display()));
            let daemon = world.start(name);
            has(&daemon.log(), &["warn", "o space left on device", "make room"]);
            assert_eq!(world.served(name), "10.20.0.11");
            world.place.edit("hosts/web.toml", "\"10.20.0.11\"", "\"10.20.0.77\"");
            daemon.wait_status("an edit", |status| {
                status["generation"] == 2 && status["inventory"]["last_good_trouble"].is_string()
            });
            assert_eq!(world.served(name), "10.20.0.77");
            fs::remove_file(&ballast).unwrap();
            world.place.edit("hosts/web.toml", "\"10.20.0.77\"", "\"10.20.0.78\"");
            daemon.wait_status("room on the disk", |status| {
                status["generation"] == 3 && status["inventory"]["last_good_trouble"].is_null()
            });
            drop(daemon);
            sh(&format!("umount {}", disk.display()));
        });
    });
}

#[test]
fn a_daemon_that_starts_on_a_broken_inventory_serves_the_last_good_state_and_says_so_everywhere() {
    isolated(|| {
        for_both(|name, world| {
            drop(world.start(name));
            world.slip();
            let daemon = world.launch(name).args(&["--metrics", METRICS]).start();
            assert_eq!(world.served(name), "10.20.0.11");
            has(&daemon.log(), &["HB040", "hosts/web.toml:12:10", "LAST GOOD"]);
            let status = daemon.status();
            assert_eq!(status["inventory"]["from_last_good"], true, "{status}");
            assert_eq!(status["inventory"]["errors"]["count"], 1, "{status}");
            has(&scrape(METRICS), &["hostbook_inventory_ok 0\n", "hostbook_inventory_errors 1\n"]);
            world.mend();
            daemon.wait_status("the mended inventory", |status| {
                status["inventory"]["ok"] == true && status["inventory"]["from_last_good"] == false
            });
            has(&scrape(METRICS), &["hostbook_inventory_ok 1\n", "hostbook_inventory_errors 0\n"]);
        });
    });
}

#[test]
fn a_daemon_that_becomes_another_user_serves_and_follows_as_that_user() {
    isolated(|| {
        for_both(|name, world| {
            // The place is the test's own: the other user must get in.
            sh(&format!("chmod -R a+rX {} && chmod a+x /run /run/tmp", world.place.path().display()));
            let launch = world.launch(name).args(&["--user", "nobody"]);
            if fs::read_to_string("/proc/self/uid_map").unwrap().split_whitespace().nth(2) == Some("1") {
                // A user namespace with nobody else in it: then it says so and does not go on as root.
                let (code, log) = launch.fail();
                assert_eq!(code, 1, "{log}");
                has(&log, &["to give up privileges", "--user"]);
                return;
            }
            let daemon = launch.start();
            let owner = sh(&format!("stat -c %U /proc/{}", daemon.pid()));
            assert_eq!((owner.trim(), geteuid().is_root()), ("nobody", true));
            world.place.edit("hosts/web.toml", "\"10.20.0.11\"", "\"10.20.0.77\"");
            daemon.wait_status("an edit, kept", |status| {
                status["generation"] == 2 && status["inventory"]["last_good_trouble"].is_null()
            });
            assert_eq!(world.served(name), "10.20.0.77");
        });
    });
}
