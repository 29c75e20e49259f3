//! What operators see of questions: in the metrics, by `hostbook queries`, in the log.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::mpsc::channel;
use std::thread;

use integration_tests::isolated::isolated;
use integration_tests::net::Lan;
use integration_tests::place::Place;
use integration_tests::programs::{Launch, program, scrape};
use integration_tests::run::{sh, wait_until};

const SITE: &str = r#"
[site]
nameservers = ["ns1.lab.example"]
[zone."lab.example"]
[zone."dmz.example"]
[network.office]
zone = "lab.example"
ipv4 = "10.60.0.0/24"
[host.ns1]
network = "office"
ip = "10.60.0.2"
"#;
const METRICS: &str = "127.0.0.1:9153";

fn dig(words: &str) -> String {
    sh(&format!("dig @10.60.0.2 +tries=2 +time=20 +noall +answer {words}"))
}

#[test]
fn questions_are_shown_while_somebody_looks_counted_by_zone_and_type_and_logged_if_asked_for() {
    isolated(|| {
        let _lan = Lan::new("lan0", &["10.60.0.2/24"]);
        let place = Place::empty();
        place.save("site.toml", SITE);
        let options = ["--listen", "10.60.0.2:53", "--metrics", METRICS, "--query-log", "2"];
        let daemon = Launch::dnsd(&place).args(&options).start();
        let mut looking = program("hostbook");
        looking.args(["queries", "--control"]).arg(place.control("dnsd")).stdout(Stdio::piped());
        let mut looking = looking.spawn().unwrap();
        let stdout = BufReader::new(looking.stdout.take().unwrap());
        let (seen, lines) = channel();
        let reader =
            thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| seen.send(line)));
        let mut shown: Vec<String> = Vec::new();
        // One that is seen says that somebody looks by now.
        wait_until("a look", || {
            dig("ns1.lab.example A");
            shown.extend(lines.try_recv());
            !shown.is_empty()
        });
        for words in [
            "gone.lab.example AAAA +tcp +dnssec",
            "ns1.dmz.example TXT",
            "'b\\032d.lab.example' A",
            "www.example.org MX",
        ] {
            dig(words);
        }
        wait_until("the last question", || {
            shown.extend(lines.try_iter());
            shown.iter().any(|line| line.contains("www.example.org"))
        });
        looking.kill().unwrap();
        looking.wait().unwrap();
        let _ = reader.join().unwrap();
        for (parts, count) in [
            (&[" 10.60.0.2 udp ns1.lab.example A +rd: NOERROR records, ", " [lab.example]"][..], None),
            (&[" tcp gone.lab.example AAAA +rd +do: NXDOMAIN no-name, ", " [lab.example]"], Some(1)),
            (&[" udp ns1.dmz.example TXT +rd: NXDOMAIN no-name, ", " [dmz.example]"], Some(1)),
            (&[" udp b\\032d.lab.example A +rd: NXDOMAIN no-name, "], Some(1)),
            (&[" udp www.example.org MX +rd: REFUSED outside-zones, "], Some(1)),
        ] {
            let such = shown.iter().filter(|line| parts.iter().all(|part| line.contains(part))).count();
            assert!(such == count.unwrap_or(such.max(1)), "{parts:?}: {shown:#?}");
        }
        let metrics = scrape(METRICS);
        for line in [
            "hostbook_dnsd_zone_answers_total{zone=\"lab.example\",answer=\"no-name\"} 2\n",
            "hostbook_dnsd_zone_answers_total{zone=\"dmz.example\",answer=\"no-name\"} 1\n",
            "hostbook_dnsd_questions_total{type=\"AAAA\"} 1\n",
            "hostbook_dnsd_questions_total{type=\"MX\"} 1\n",
            "hostbook_dnsd_responses_total{rcode=\"NXDOMAIN\"} 3\n",
            "hostbook_dnsd_responses_total{rcode=\"REFUSED\"} 1\n",
        ] {
            assert!(metrics.contains(line), "{line}{metrics}");
        }
        // Zones that go take their counts with them, and the others stay.
        place.edit("site.toml", "[zone.\"dmz.example\"]\n", "");
        daemon.wait_status("the edit", |status| status["generation"] == 2);
        wait_until("both workers at the new zones", || {
            dig("gone.lab.example A");
            !scrape(METRICS).contains("dmz.example")
        });
        let status = daemon.status();
        let zone = status["zones"].as_array().unwrap().iter().find(|zone| zone["name"] == "lab.example");
        assert!(zone.unwrap()["questions"].as_u64().unwrap() > 3, "{status}");
        let log = daemon.log();
        assert!(
            log.contains("query client=10.60.0.2 transport=\"udp\" name=ns1.lab.example type=A"),
            "{log}"
        );
    });
}
