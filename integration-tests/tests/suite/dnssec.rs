//! Signed zones in the hands of those who check them: `delv`, `ldns-verify-zone`, `kzonecheck`, a
//! validating `unbound`, and secondaries.

use std::fs;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use integration_tests::dns::Client;
use integration_tests::isolated::isolated;
use integration_tests::place::Place;
use integration_tests::programs::{Daemon, Launch, program};
use integration_tests::run::{run, sh, wait_until};

/// Where ours listens, and where the resolver does.
const SERVER: &str = "127.0.0.11";
const RESOLVER: &str = "127.0.0.1:5301";
const ZONES: [&str; 2] = ["lab.example", "20.10.in-addr.arpa"];

fn site(algorithm: &str) -> String {
    format!(
        r#"
[site]
nameservers = ["ns1.lab.example"]
secondaries = ["127.0.0.0/8"]
[zone."lab.example"]
dnssec = {algorithm}
records = '''
@ MX 10 mail
mail A 10.20.0.9
_sip._udp SRV 0 0 5060 mail
*.wild TXT "any"
*.alias CNAME web1
deep.er.and.deep.er A 10.20.0.8
open NS ns.open
ns.open A 10.20.0.7
closed NS ns.closed
closed DS 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118
ns.closed A 10.20.0.6
old DNAME new
www.new A 10.20.0.5
b\200d TXT "odd"
far CNAME www.elsewhere.test.
'''
[zone."20.10.in-addr.arpa"]
dnssec = {algorithm}
[network.lan]
zone = "lab.example"
ipv4 = "10.20.0.0/24"
ipv6 = "2001:db8:20::/64"
pool = "10.20.0.200-10.20.0.219"
[host.ns1]
network = "lan"
ip = ["10.20.0.2", "2001:db8:20::2"]
[host.web1]
network = "lan"
ip = ["10.20.0.11", "2001:db8:20::11"]
alias = ["www"]
"#
    )
}

/// Names and types that are there.
const THERE: [(&str, &str); 14] = [
    ("web1.lab.example", "A"),
    ("WEB1.lab.example", "AAAA"),
    ("www.lab.example", "A"),
    ("lab.example", "MX"),
    ("lab.example", "SOA"),
    ("lab.example", "NS"),
    ("lab.example", "CDS"),
    ("lab.example", "CDNSKEY"),
    ("_sip._udp.lab.example", "SRV"),
    ("x.y.wild.lab.example", "TXT"),
    ("x.alias.lab.example", "A"),
    ("www.old.lab.example", "A"),
    ("dhcp-10-20-0-207.lab.example", "A"),
    ("11.0.20.10.in-addr.arpa", "PTR"),
];
/// Others that are not.
const ABSENT: [(&str, &str); 14] = [
    ("nothing.lab.example", "A"),
    ("a.b.c.nothing.lab.example", "A"),
    ("web1.lab.example", "TXT"),
    ("x.web1.lab.example", "A"),
    ("www.lab.example", "TXT"),
    ("and.deep.er.lab.example", "A"),
    ("x.and.deep.er.lab.example", "A"),
    ("x.wild.lab.example", "A"),
    ("wild.lab.example", "A"),
    ("zzz.old.lab.example", "A"),
    ("dhcp-10-20-0-99.lab.example", "A"),
    ("dhcp-10-20-0-207.lab.example", "AAAA"),
    ("99.0.20.10.in-addr.arpa", "PTR"),
    ("lab.example", "A"),
];

fn start(place: &Place, algorithm: &str) -> Daemon {
    place.save("site.toml", &site(algorithm));
    Launch::dnsd(place).args(&["--listen", SERVER, "--workers", "1"]).start()
}

/// The DS record that the status shows for a zone.
fn ds(dnsd: &Daemon, zone: &str) -> String {
    let status = dnsd.status();
    let zones = status["zones"].as_array().unwrap().clone();
    let found = zones.into_iter().find(|one| one["name"] == zone).unwrap();
    found["dnssec"]["ds"][0].as_str().unwrap_or_else(|| panic!("{found}")).to_owned()
}

/// Trust anchors for `delv`.
fn anchors(place: &Place, dnsd: &Daemon) -> String {
    let anchor = |zone: &str| {
        let ds = ds(dnsd, zone);
        let words: Vec<&str> = ds.split_whitespace().skip(3).collect();
        let [tag, algorithm, kind, digest @ ..] = &words[..] else { panic!("{ds}") };
        format!("  {zone}. static-ds {tag} {algorithm} {kind} \"{}\";\n", digest.concat())
    };
    let path = place.path().join("anchors");
    let all: String = ZONES.iter().map(|zone| anchor(zone)).collect();
    fs::write(&path, format!("trust-anchors {{\n{all}}};\n")).unwrap();
    path.display().to_string()
}

#[test]
fn delv_validates_what_is_there_and_what_is_not() {
    isolated(|| {
        for algorithm in ["true", "\"ed25519\""] {
            let place = Place::empty();
            let dnsd = start(&place, algorithm);
            let anchors = anchors(&place, &dnsd);
            let delv = |name: &str, rtype: &str| {
                let zone = ZONES.iter().find(|zone| name.to_lowercase().ends_with(*zone)).unwrap();
                let line = format!("delv @{SERVER} -a {anchors} +root={zone} {name} {rtype} 2>&1 || true");
                sh(&line)
            };
            for (name, rtype) in THERE {
                let said = delv(name, rtype);
                let good = said.contains("; fully validated") && !said.contains("resolution failed");
                assert!(good, "{algorithm}: {name} {rtype}: {said}");
            }
            for (name, rtype) in ABSENT {
                let said = delv(name, rtype);
                // An alias that leads there is validated beside it, which `delv` says in other words.
                let good = said.contains("fully validated") && said.contains("resolution failed: ncache");
                assert!(good, "{algorithm}: {name} {rtype}: {said}");
            }
            let said = delv("closed.lab.example", "DS");
            assert!(said.contains("; fully validated"), "{said}");
            let said = delv("open.lab.example", "DS");
            assert!(said.contains("negative response, fully validated"), "{said}");
        }
    });
}

#[test]
fn a_copied_zone_is_whole_for_ldns_and_for_knot() {
    isolated(|| {
        let place = Place::empty();
        let dnsd = start(&place, "true");
        for zone in ZONES {
            let file = place.path().join(format!("{zone}.zone")).display().to_string();
            sh(&format!(
                "dig @{SERVER} -b 127.0.0.1 +onesoa +nocmd +nostats +nocomments {zone} AXFR > {file}"
            ));
            let said = sh(&format!("ldns-verify-zone {file} 2>&1 || true"));
            assert!(
                said.contains("Zone is verified and complete"),
                "{zone}: {said}\n{}",
                fs::read_to_string(&file).unwrap()
            );
            let said = sh(&format!("kzonecheck -v -o {zone} -d on {file} 2>&1"));
            assert!(said.contains("No semantic error found"), "{zone}: {said}");
        }
        drop(dnsd);
    });
}

/// Has the key-signing key of a zone replaced.
fn roll(place: &Place) {
    let mut hostbook = program("hostbook");
    let said =
        hostbook.args(["dnssec", "roll", "lab.example", "--control"]).arg(place.control("dnsd")).output();
    let said = said.unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let shown = String::from_utf8_lossy(&said.stdout);
    assert_eq!(shown.matches("KSK").count(), 2, "{shown}");
}

/// A validating resolver that remembers nothing.
struct Resolver(Child);

impl Resolver {
    fn start(place: &Place, dnsd: &Daemon) -> Resolver {
        let mut text = format!(
            "server:\n interface: 127.0.0.1\n port: 5301\n do-daemonize: no\n username: \"\"\n chroot: \"\"\n \
             directory: \"{0}\"\n pidfile: \"\"\n use-syslog: no\n logfile: \"\"\n verbosity: 1\n val-log-level: 2\n \
             module-config: \"validator iterator\"\n do-not-query-localhost: no\n access-control: 127.0.0.0/8 allow_setrd\n \
             cache-max-ttl: 0\n cache-max-negative-ttl: 0\n do-ip6: no\n num-threads: 1\n local-zone: \"10.in-addr.arpa.\" nodefault\n",
            place.path().display()
        );
        for zone in ZONES {
            text.push_str(&format!(" trust-anchor: \"{}\"\n", ds(dnsd, zone)));
        }
        for zone in ZONES {
            text.push_str(&format!("stub-zone:\n name: \"{zone}\"\n stub-addr: {SERVER}\n"));
        }
        text.push_str("remote-control:\n control-enable: no\n");
        let config = place.path().join("unbound.conf");
        fs::write(&config, text).unwrap();
        let log = fs::File::create(place.path().join("unbound.log")).unwrap();
        let mut command = Command::new("unbound");
        command
            .args(["-d", "-c"])
            .arg(config)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        let resolver = Resolver(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")));
        wait_until("unbound to answer", || {
            ask_resolver("web1.lab.example", "A", "").contains("status: NOERROR")
        });
        resolver
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn ask_resolver(name: &str, rtype: &str, options: &str) -> String {
    let mut command = Command::new("dig");
    command.args(["@127.0.0.1", "-p", "5301", "+dnssec", "+tries=1", "+time=20", name, rtype]);
    command.args(options.split_whitespace());
    run(command).out
}

#[test]
fn unbound_finds_everything_authentic() {
    isolated(|| {
        for algorithm in ["true", "\"ed25519\""] {
            let place = Place::empty();
            let dnsd = start(&place, algorithm);
            let _resolver = Resolver::start(&place, &dnsd);
            for (name, rtype) in THERE.iter().chain(&ABSENT) {
                let said = ask_resolver(name, rtype, "");
                let flags = said.lines().find(|line| line.starts_with(";; flags:")).unwrap_or_default();
                let log = || fs::read_to_string(place.path().join("unbound.log")).unwrap();
                assert!(
                    flags.contains(" ad;") || flags.contains(" ad "),
                    "{algorithm}: {name} {rtype}: {said}\n{}",
                    log()
                );
            }
            let said = ask_resolver("nothing.lab.example", "A", "");
            assert!(said.contains("status: NXDOMAIN"), "{said}");
            // Below a delegation that is not signed nothing is authentic, and nothing is refused.
            let said = ask_resolver("x.open.lab.example", "A", "+cdflag");
            assert!(!said.contains("status: NXDOMAIN"), "{said}");
        }
    });
}

#[test]
fn unbound_never_sees_a_bogus_answer_while_the_inventory_is_edited_and_keys_replaced() {
    isolated(|| {
        let place = Place::empty();
        let dnsd = start(&place, "true");
        let _resolver = Resolver::start(&place, &dnsd);
        let over = AtomicBool::new(false);
        let resolver: SocketAddr = RESOLVER.parse().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for edit in 0..400_u32 {
                    let host = format!(
                        "[host.edited]\nnetwork = \"lan\"\nip = \"10.20.0.{}\"\n[host.h{edit}]\nnetwork = \"lan\"\nip = \"10.20.0.100\"\n",
                        50 + edit % 40
                    );
                    place.save("edited.toml", &host);
                    if edit == 100 {
                        roll(&place);
                    }
                    // Every few edits long enough for the daemon to take them into service.
                    let pause = if edit % 8 == 0 { 250 } else { 20 };
                    std::thread::sleep(Duration::from_millis(pause));
                }
                over.store(true, Ordering::Relaxed);
            });
            let mut client = Client::new(resolver);
            let (mut asked, mut number) = (0, 0_u32);
            while !over.load(Ordering::Relaxed) {
                number += 1;
                let gone = format!("h{}.lab.example.", number % 400);
                let odd = format!("n{number}.nothing.lab.example.");
                let wild = format!("n{number}.wild.lab.example.");
                for (name, kind) in [
                    ("edited.lab.example.", RecordType::A),
                    (&gone, RecordType::A),
                    (&odd, RecordType::A),
                    (&wild, RecordType::TXT),
                    ("lab.example.", RecordType::SOA),
                    ("100.0.20.10.in-addr.arpa.", RecordType::PTR),
                ] {
                    let answer = client.ask(name, kind);
                    let log = || fs::read_to_string(place.path().join("unbound.log")).unwrap();
                    assert_ne!(answer.code, ResponseCode::ServFail, "{name} {kind}: {}", log());
                    asked += 1;
                }
            }
            println!("{asked} answers");
            assert!(asked > 100, "{asked}");
        });
        let generation = dnsd.status()["generation"].as_u64().unwrap();
        assert!(generation > 20, "{generation}");
        let keys = sh(&format!("dig @{SERVER} +short lab.example DNSKEY"));
        assert_eq!(keys.lines().filter(|key| key.starts_with("257 ")).count(), 2, "{keys}");
    });
}

#[test]
fn keys_outlive_a_restart_and_lost_ones_are_said() {
    isolated(|| {
        let place = Place::empty();
        let dnsd = start(&place, "true");
        let before = ds(&dnsd, ZONES[0]);
        drop(dnsd);
        let dnsd = start(&place, "true");
        assert_eq!(ds(&dnsd, ZONES[0]), before);
        drop(dnsd);
        fs::remove_file(place.state("dnsd").join("dnssec-lab.example.json")).unwrap();
        let dnsd = start(&place, "true");
        let problems = dnsd.status()["problems"].to_string();
        assert!(problems.contains("lab.example") && problems.contains("keys are lost"), "{problems}");
        let said = sh(&format!("dig @{SERVER} +dnssec web1.lab.example A"));
        assert!(said.contains("10.20.0.11") && !said.contains("RRSIG"), "{said}");
    });
}
