//! Service discovery with a real client: what a browser asks for, step by step (RFC 6763, section 4).

use std::process::Command;

use integration_tests::isolated::isolated;
use integration_tests::net::Lan;
use integration_tests::place::Place;
use integration_tests::programs::Launch;
use integration_tests::run::{run, wait_until};

const SITE: &str = r#"
[site]
nameservers = ["ns1.lab.example"]
contact = "hostmaster@lab.example"
[zone."lab.example"]
[network.office]
zone = "lab.example"
ipv4 = "10.50.0.0/24"
[host.ns1]
network = "office"
ip = "10.50.0.2"
"#;
const PRINTERS: &str = r#"
[host.printer1]
network = "office"
ip = "10.50.0.11"
services = [{ type = "_ipp._tcp", port = 631, name = "Büro, 2. Stock", txt = ["rp=ipp/print", "Color=T"], subtypes = "_universal" }]
"#;
const MORE: &str = r#"
[host.printer2]
network = "office"
ip = "10.50.0.12"
services = [{ type = "_ipp._tcp", port = 631 }, { type = "_http._tcp", port = 80 }]
"#;

#[test]
fn a_browser_finds_what_hosts_offer() {
    isolated(|| {
        let lan = Lan::new("lan0", &["10.50.0.2/24"]);
        let place = Place::empty();
        place.save("site.toml", SITE);
        place.save("a.toml", PRINTERS);
        let _dnsd = Launch::dnsd(&place).args(&["--listen", "10.50.0.2:53"]).start();
        let desk = lan.attach("desk", "52:54:00:50:00:01");
        desk.add_address("10.50.0.7/24");
        let dig = |words: &str| {
            let mut command: Command = desk.command("sh");
            command.args(["-c", &format!("dig @10.50.0.2 +short +tries=2 +time=20 {words} 2>&1")]);
            run(command).out
        };
        // Where to browse, what there is, who offers it, and where that is.
        for domain in ["b", "db", "lb"] {
            assert_eq!(dig(&format!("{domain}._dns-sd._udp.lab.example PTR")), "lab.example.\n");
        }
        assert_eq!(dig("_services._dns-sd._udp.lab.example PTR"), "_ipp._tcp.lab.example.\n");
        let instance = "B\\195\\188ro\\044\\0322\\.\\032Stock._ipp._tcp.lab.example";
        assert_eq!(dig("_ipp._tcp.lab.example PTR"), format!("{}.\n", instance.replace("\\044", ",")));
        assert_eq!(
            dig("_universal._sub._ipp._tcp.lab.example PTR"),
            format!("{}.\n", instance.replace("\\044", ","))
        );
        let quoted = format!("'{instance}'");
        assert_eq!(dig(&format!("{quoted} SRV")), "0 0 631 printer1.lab.example.\n");
        assert_eq!(dig(&format!("{quoted} TXT")), "\"rp=ipp/print\" \"Color=T\"\n");
        // Another file has more, and goes again.
        place.save("b.toml", MORE);
        let types = || {
            let mut all: Vec<String> =
                dig("_services._dns-sd._udp.lab.example PTR").lines().map(str::to_owned).collect();
            all.sort();
            all
        };
        wait_until("the second printer", || types() == ["_http._tcp.lab.example.", "_ipp._tcp.lab.example."]);
        assert_eq!(dig("_ipp._tcp.lab.example PTR").lines().count(), 2);
        assert_eq!(dig("printer2._http._tcp.lab.example SRV"), "0 0 80 printer2.lab.example.\n");
        assert_eq!(dig("printer2._http._tcp.lab.example TXT"), "\"\"\n");
        std::fs::remove_file(place.inventory().join("b.toml")).unwrap();
        wait_until("one printer", || types() == ["_ipp._tcp.lab.example."]);
        assert_eq!(dig("_ipp._tcp.lab.example PTR").lines().count(), 1);
    });
}
