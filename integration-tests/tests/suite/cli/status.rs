//! `hostbook status` of daemons that run, are in trouble, or are not there.

use integration_tests::isolated::isolated;
use integration_tests::net::Lan;
use integration_tests::place::Place;
use integration_tests::programs::{Launch, program};
use integration_tests::run::{Ran, run};
use serde_json::Value;

use super::slip;

fn status(place: &Place, more: &[&str]) -> Ran {
    let mut command = program("hostbook");
    command.arg("status").args(more);
    for name in ["dhcpd", "dnsd"] {
        command.arg("--control").arg(place.control(name));
    }
    run(command)
}

#[test]
fn status_tells_health_and_exit_code_tells_it_to_scripts() {
    isolated(|| {
        Lan::new("lan0", &["10.20.0.2/24"]);
        let place = Place::lab();
        let dhcpd = Launch::dhcpd(&place).args(&["--interface", "lan0"]).start();
        let dnsd = Launch::dnsd(&place).args(&["--listen", "10.20.0.2"]).start();
        let ran = status(&place, &[]);
        assert_eq!(ran.code(), 0, "{ran:?}");
        for part in ["dhcpd ", "dnsd ", "6 hosts, 2 networks", "lan0 (10.20.0.2)", "10.20.0.2:53", "good"] {
            assert!(ran.out.contains(part), "no `{part}` in\n{}", ran.out);
        }
        let both: Value = serde_json::from_str(&status(&place, &["--json"]).out).unwrap();
        let hash = |number: usize| both[number]["status"]["inventory"]["hash"].as_str().unwrap();
        assert_eq!((hash(0), hash(0).len()), (hash(1), 64));

        slip(&place);
        for daemon in [&dhcpd, &dnsd] {
            daemon.wait_status("a broken inventory", |status| status["inventory"]["ok"] == false);
        }
        let ran = status(&place, &[]);
        assert_eq!(ran.code(), 1, "{ran:?}");
        assert_eq!(ran.out.matches("BROKEN INVENTORY").count(), 2, "{}", ran.out);
        assert_eq!(ran.out.matches("hosts/web.toml:12:10: error[HB040]").count(), 2, "{}", ran.out);

        drop(dnsd);
        let ran = status(&place, &[]);
        assert_eq!(ran.code(), 1);
        assert!(ran.out.contains("dnsd.sock: "), "{}", ran.out);
    });
}

#[test]
fn status_shows_the_use_of_pools_and_each_lease_with_its_state_and_expiry() {
    isolated(|| {
        let lan = Lan::new("lan0", &["10.20.0.2/24"]);
        let place = Place::lab();
        let _dhcpd = Launch::dhcpd(&place).args(&["--interface", "lan0"]).start();
        let dhcpd = |more: &[&str]| {
            let mut command = program("hostbook");
            command.arg("status").arg("--control").arg(place.control("dhcpd")).args(more);
            run(command)
        };
        assert_eq!(dhcpd(&["--leases"]).out, "no leases\n");
        let laptop = lan.attach("laptop", "52:54:00:ff:ff:01");
        laptop.sh("udhcpc -i eth0 -f -q -n -t 20 -T 2 -x hostname:laptop -s /etc/udhcpc/default.script");

        let ran = dhcpd(&[]);
        assert!(ran.out.contains("servers: 1 of 51 addresses leased"), "{}", ran.out);
        let ran = dhcpd(&["--leases"]);
        assert_eq!(ran.code(), 0, "{ran:?}");
        let row: Vec<&str> = ran.out.lines().nth(1).unwrap_or_default().split_whitespace().collect();
        assert_eq!(row[..3], ["10.20.0.200", "servers", "bound"], "{}", ran.out);
        assert!(row[3].starts_with("11h59m") || row[3] == "12h", "{row:?}");
        assert_eq!(row[4..6], ["52:54:00:ff:ff:01", "laptop"]);

        let json: Value = serde_json::from_str(&dhcpd(&["--leases", "--json"]).out).unwrap();
        assert_eq!((json.as_array().map(Vec::len), &json[0]["state"]), (Some(1), &Value::from("bound")));
        assert_eq!(dhcpd(&["--leases", "--network", "oob"]).out, "no leases\n");
        assert_eq!(dhcpd(&["--leases", "--state", "declined"]).out, "no leases\n");
    });
}
