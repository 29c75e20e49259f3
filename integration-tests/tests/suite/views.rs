//! Views with real clients: two networks see other addresses under one name, and secondaries what strangers see.

use std::process::Command;

use integration_tests::isolated::isolated;
use integration_tests::net::{Lan, Machine};
use integration_tests::place::Place;
use integration_tests::programs::Launch;
use integration_tests::run::{run, wait_until};

const SITE: &str = r#"
[site]
nameservers = ["ns1.lab.example"]
contact = "hostmaster@lab.example"
[zone."lab.example"]
dnssec = true
secondaries = ["10.41.0.7"]
[network.office]
zone = "lab.example"
ipv4 = "10.40.0.0/24"
pool = "10.40.0.100-10.40.0.110"
view = "office"
[network.dmz]
zone = "lab.example"
ipv4 = "10.41.0.0/24"
[host.ns1]
network = "dmz"
ip = "10.41.0.2"
[host.printer]
network = "office"
ip = "10.40.0.9"
alias = "lp"
[host.web.nic.wan]
primary = true
network = "dmz"
ip = "10.41.0.80"
[host.web.nic.lan]
network = "office"
ip = "10.40.0.80"
"#;

/// What `dig` says on a machine to these words, all of it.
fn dig(machine: &Machine, words: &str) -> String {
    let mut command: Command = machine.command("sh");
    command.args(["-c", &format!("dig +tries=2 +time=20 {words} 2>&1")]);
    run(command).out
}

#[test]
fn each_network_sees_what_is_for_it() {
    isolated(|| {
        let lan = Lan::new("lan0", &["10.40.0.2/24", "10.41.0.2/24"]);
        let place = Place::empty();
        place.save("site.toml", SITE);
        let _dnsd =
            Launch::dnsd(&place).args(&["--listen", "10.40.0.2:53", "--listen", "10.41.0.2:53"]).start();
        let desk = lan.attach("desk", "52:54:00:40:00:01");
        desk.add_address("10.40.0.7/24");
        let stranger = lan.attach("stranger", "52:54:00:41:00:01");
        stranger.add_address("10.41.0.7/24");
        let inside = |words: &str| dig(&desk, &format!("@10.40.0.2 {words}"));
        let outside = |words: &str| dig(&stranger, &format!("@10.41.0.2 {words}"));

        for way in ["+notcp", "+tcp"] {
            assert_eq!(inside(&format!("{way} +short web.lab.example")), "10.40.0.80\n");
            assert_eq!(outside(&format!("{way} +short web.lab.example")), "10.41.0.80\n");
            assert_eq!(inside(&format!("{way} +short lp.lab.example")), "printer.lab.example.\n10.40.0.9\n");
            for name in ["printer.lab.example", "lp.lab.example", "-x 10.40.0.9", "-x 10.40.0.100"] {
                let said = outside(&format!("{way} {name}"));
                assert!(said.contains("status: NXDOMAIN"), "{name}: {said}");
            }
        }
        assert_eq!(inside("+short -x 10.41.0.80"), "web.lab.example.\n");
        assert_eq!(inside("+short -x 10.40.0.100"), "dhcp-10-40-0-100.lab.example.\n");

        // Signed and denied as it is seen.
        assert!(inside("+dnssec printer.lab.example").contains("RRSIG\tA"));
        let denied = outside("+dnssec printer.lab.example");
        assert!(denied.contains("NSEC") && !denied.contains("10.40."), "{denied}");

        // Secondaries copy what strangers see.
        let copied = outside("lab.example AXFR");
        assert!(copied.contains("10.41.0.80") && copied.contains("XFR size"), "{copied}");
        assert!(!copied.contains("10.40.0.") && !copied.contains("printer"), "{copied}");

        // An edit inside reaches those inside, and changes nothing for others.
        let serial = || outside("+short lab.example SOA");
        let before = serial();
        place.save("site.toml", &SITE.replace("10.40.0.9", "10.40.0.10"));
        wait_until("the edit", || inside("+short printer.lab.example") == "10.40.0.10\n");
        assert_eq!(serial(), before);
        place.save("site.toml", &SITE.replace("view = \"office\"\n", ""));
        wait_until("one view for all", || outside("+short printer.lab.example") == "10.40.0.9\n");
    });
}
