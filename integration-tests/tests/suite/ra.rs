//! Router advertisements of `hostbook-dhcpd`, as rdisc6, radvdump and Linux machines see them.

use integration_tests::isolated::isolated;
use integration_tests::net::{Lan, Machine};
use integration_tests::place::Place;
use integration_tests::programs::{Daemon, Launch};
use integration_tests::run::{sh, wait_for, wait_until};

const INVENTORY: &str = r#"
[site]
nameservers = ["ns1.lab.example.org"]
contact = "hostmaster@lab.example.org"
[zone."lab.example.org"]
[network.servers]
zone = "lab.example.org"
ipv6 = "2001:db8:20::/64"
dns = ["2001:db8:20::2"]
pool = ["2001:db8:20::1000-2001:db8:20::1fff"]
options6 = { captive-portal = "https://portal.lab.example.org/" }
ra = { lifetime = "10m", mtu = 1400, pref64 = "64:ff9b::/96" }
[host.ns1]
network = "servers"
ip = "2001:db8:20::2"
[host.sensor]
network = "servers"
mac = "52:54:00:aa:00:21"
ip = "auto6"
"#;

fn serve(inventory: &str) -> (Lan, Place, Daemon) {
    let lan = Lan::new("lan0", &["2001:db8:20::2/64"]);
    wait_until("the bridge's link-local address", || {
        sh("ip -6 address show dev lan0 scope link -tentative").contains("fe80:")
    });
    let place = Place::empty();
    place.save("site.toml", inventory);
    let dhcpd = Launch::dhcpd(&place).args(&["--interface", "lan0"]).start();
    (lan, place, dhcpd)
}

/// Waits until the machine may use its link-local address.
fn wait_link_local(machine: &Machine) {
    wait_until("a link-local address", || {
        !machine.sh("ip -6 address show dev eth0 scope link -tentative").is_empty()
    });
}

#[test]
fn rdisc6_gets_what_the_inventory_says() {
    isolated(|| {
        let (lan, _place, dhcpd) = serve(INVENTORY);
        let machine = lan.attach("m1", "52:54:00:aa:00:21");
        wait_link_local(&machine);
        let said = machine.sh("rdisc6 -1 -r 10 -w 3000 eth0");
        for line in [
            "Hop limit                 :           64",
            "Stateful address conf.    :          Yes",
            "Stateful other conf.      :          Yes",
            "Router lifetime           :          600 (0x00000258) seconds",
            "Prefix                   : 2001:db8:20::/64",
            "On-link                 :          Yes",
            "Autonomous address conf.:          Yes",
            "Valid time              :        86400",
            "Pref. time              :        14400",
            "MTU                      :         1400 bytes (valid)",
            "Recursive DNS server     : 2001:db8:20::2",
            "DNS search list          : lab.example.org",
        ] {
            assert!(said.contains(line), "no `{line}` in\n{said}");
        }
        let counted = &dhcpd.status()["dhcpv6"]["advertising"];
        assert!(
            counted["solicited"].as_u64() >= Some(1) && counted["advertised"].as_u64() >= Some(2),
            "{counted}"
        );
    });
}

#[test]
fn radvdump_reads_an_advertisement_that_an_edit_has_caused() {
    isolated(|| {
        let (lan, place, _dhcpd) = serve(INVENTORY);
        let machine = lan.attach("m1", "52:54:00:aa:00:21");
        wait_link_local(&machine);
        let mut dump = machine.command("sh");
        dump.args(["-c", "exec radvdump >/run/tmp/radvdump.out 2>&1"]);
        let mut dump = dump.spawn().unwrap();
        let said = || std::fs::read_to_string("/run/tmp/radvdump.out").unwrap_or_default();
        // It says nothing when it begins to hear; advertisements are caused until it has heard one.
        let mut mtu = 1400;
        wait_for("radvdump to hear an advertisement", || {
            let next = 1280 + (mtu - 1280 + 1) % 200;
            place.edit("site.toml", &format!("mtu = {mtu}"), &format!("mtu = {next}"));
            mtu = next;
            let deadline = std::time::Instant::now() + std::time::Duration::from_secs(4);
            while std::time::Instant::now() < deadline && !said().contains("}; # End of interface") {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            said().contains("interface eth0").then_some(())
        });
        let _ = dump.kill();
        let _ = dump.wait();
        let said = said();
        for line in [
            "AdvManagedFlag on;",
            "AdvOtherConfigFlag on;",
            "AdvDefaultLifetime 600;",
            "prefix 2001:db8:20::/64",
            "AdvOnLink on;",
            "AdvAutonomous on;",
            "RDNSS 2001:db8:20::2",
            "DNSSL lab.example.org",
        ] {
            assert!(said.contains(line), "no `{line}` in\n{said}");
        }
    });
}

#[test]
fn a_linux_machine_makes_itself_the_address_that_auto6_says_and_finds_its_router() {
    isolated(|| {
        let (lan, place, dhcpd) = serve(INVENTORY);
        let machine = lan.attach("sensor", "52:54:00:aa:00:21");
        machine.sh("sysctl -qw net.ipv6.conf.eth0.addr_gen_mode=0");
        wait_for("the machine to configure itself", || {
            machine.addresses().contains(&"2001:db8:20:0:5054:ff:feaa:21/64".to_owned()).then_some(())
        });
        let route = machine.sh("ip -6 route show default");
        assert!(route.contains("via fe80::") && route.contains("mtu 1400"), "{route}");
        let dnsd = Launch::dnsd(&place).args(&["--listen", "[2001:db8:20::2]:53"]).start();
        let dig = |what: &str| machine.sh(&format!("dig +short +tries=5 @2001:db8:20::2 {what}"));
        assert_eq!(dig("sensor.lab.example.org AAAA").trim(), "2001:db8:20:0:5054:ff:feaa:21");
        assert_eq!(dig("-x 2001:db8:20:0:5054:ff:feaa:21").trim(), "sensor.lab.example.org.");
        drop(dnsd);

        // Off again, it is no router any more.
        place.edit("site.toml", "ra = {", "#");
        wait_until("the router to say farewell", || machine.sh("ip -6 route show default").trim().is_empty());
        assert_eq!(dhcpd.status()["problems"].as_array().map(Vec::len), Some(0));
    });
}

#[test]
fn nothing_is_announced_where_the_inventory_does_not_say_so() {
    isolated(|| {
        let (lan, _place, dhcpd) = serve(&INVENTORY.replace("ra = {", "# {"));
        let machine = lan.attach("m1", "52:54:00:aa:00:21");
        wait_link_local(&machine);
        machine.sh("! rdisc6 -1 -r 2 -w 300 eth0");
        assert_eq!(dhcpd.status()["dhcpv6"]["advertising"]["advertised"], serde_json::Value::Null);
    });
}

#[test]
fn an_address_that_a_machine_has_made_itself_is_offered_and_nothing_is_written() {
    isolated(|| {
        let (lan, place, dhcpd) = serve(INVENTORY);
        let text = || std::fs::read_to_string(place.inventory().join("site.toml")).unwrap();
        let before = text();
        let sensor = lan.attach("m1", "52:54:00:aa:00:21");
        let stranger = lan.attach("m2", "52:54:00:aa:00:99");
        for (machine, address) in [(&sensor, "2001:db8:20::abcd"), (&stranger, "2001:db8:20::beef")] {
            wait_link_local(machine);
            machine.add_address(&format!("{address}/64"));
            machine.sh(&format!("ndisc6 -1 -r 10 -w 3000 -s {address} 2001:db8:20::2 eth0"));
        }
        let status = dhcpd.wait_status("both to be seen", |status| {
            status["seen"]
                .as_array()
                .is_some_and(|seen| seen.iter().filter(|one| one["address"].is_string()).count() >= 2)
        });
        let seen = status["seen"].as_array().unwrap();
        let of = |address: &str| seen.iter().find(|one| one["address"] == address).unwrap();
        assert_eq!(of("2001:db8:20::abcd")["host"], "sensor.lab.example.org");
        assert_eq!(of("2001:db8:20::beef")["host"], serde_json::Value::Null);
        assert_eq!(of("2001:db8:20::beef")["mac"], "52:54:00:aa:00:99");
        assert_eq!(text(), before);
        // Once it is written down, there is nothing to offer.
        place.edit("site.toml", "ip = \"auto6\"", "ip = [\"auto6\", \"2001:db8:20::abcd\"]");
        dhcpd.wait_status("the edit", |status| !status["seen"].to_string().contains("2001:db8:20::abcd"));
    });
}
