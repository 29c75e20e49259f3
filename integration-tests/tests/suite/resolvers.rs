//! Real resolvers ask `hostbook-dnsd`: `dig`, `kdig` and `host`, over UDP and TCP, over both families.

use integration_tests::isolated::isolated;
use integration_tests::net::{Lan, Machine};
use integration_tests::place::Place;
use integration_tests::programs::{Daemon, Launch};

const SERVERS: [&str; 2] = ["10.20.0.2", "2001:db8:20::2"];

struct Net {
    client: Machine,
    _dnsd: Daemon,
    _place: Place,
}

/// The example's name server on its addresses, and a machine that asks.
fn net() -> Net {
    let lan = Lan::new("lan0", &["10.20.0.2/24", "2001:db8:20::2/64"]);
    let client = lan.attach("client", "52:54:00:00:00:99");
    client.add_address("10.20.0.99/24");
    client.add_address("2001:db8:20::99/64");
    let place = Place::lab();
    let dnsd = Launch::dnsd(&place).args(&["--listen", SERVERS[0], "--listen", SERVERS[1]]).start();
    Net { client, _dnsd: dnsd, _place: place }
}

/// What is asked, and what `+short` prints.
const QUESTIONS: [(&str, &str); 9] = [
    ("web1.lab.example.org A", "10.20.0.11"),
    ("WEB1.lab.example.ORG AAAA", "2001:db8:20::11"),
    ("www.lab.example.org A", "web1.lab.example.org.\n10.20.0.11"),
    ("hv1-ipmi.lab.example.org A", "10.99.0.5"),
    ("lab.example.org MX", "10 mail.lab.example.org."),
    ("lab.example.org NS", "ns1.lab.example.org."),
    ("_sip._udp.lab.example.org SRV", "0 5 5060 pbx.lab.example.org."),
    ("-x 10.20.0.11", "web1.lab.example.org."),
    ("-x 2001:db8:20::11", "web1.lab.example.org."),
];

fn every_question_is_answered(asker: &str) {
    let net = net();
    for server in SERVERS {
        for transport in ["+notcp", "+tcp"] {
            for (question, wanted) in QUESTIONS {
                let line = format!("{asker} @{server} {transport} +short {question}");
                assert_eq!(net.client.sh(&line).trim_end(), wanted, "{line}");
            }
            let line = format!("{asker} @{server} {transport} nobody.lab.example.org A");
            let text = net.client.sh(&line);
            assert!(text.contains("NXDOMAIN") && text.contains("SOA"), "{line}: {text}");
            let line = format!("{asker} @{server} {transport} www.example.com A");
            let text = net.client.sh(&line);
            assert!(text.contains("REFUSED"), "{line}: {text}");
        }
    }
}

#[test]
fn dig_gets_forward_and_reverse_names_over_udp_and_tcp_and_both_families() {
    isolated(|| every_question_is_answered("dig +tries=3 +time=20"));
}

#[test]
fn kdig_gets_forward_and_reverse_names_over_udp_and_tcp_and_both_families() {
    isolated(|| every_question_is_answered("kdig +retry=3 +time=20"));
}

#[test]
fn host_gets_forward_and_reverse_names_over_udp_and_tcp_and_both_families() {
    isolated(|| {
        let net = net();
        for server in SERVERS {
            for tcp in ["", "-T"] {
                let ask = |what: &str| net.client.sh(&format!("host {tcp} -W 20 {what} {server}"));
                let text = ask("web1.lab.example.org");
                assert!(text.contains("web1.lab.example.org has address 10.20.0.11\n"), "{text}");
                assert!(text.contains("web1.lab.example.org has IPv6 address 2001:db8:20::11\n"), "{text}");
                let text = ask("shop.lab.example.org");
                assert!(
                    text.contains("shop.lab.example.org is an alias for web1.lab.example.org.\n"),
                    "{text}"
                );
                for address in ["10.20.0.11", "2001:db8:20::11"] {
                    let text = ask(address);
                    assert!(text.contains("domain name pointer web1.lab.example.org.\n"), "{text}");
                }
            }
        }
    });
}
