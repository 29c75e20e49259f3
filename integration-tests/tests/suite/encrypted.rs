//! DNS over TLS, HTTPS and QUIC, asked by clients of others.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use integration_tests::isolated::isolated;
use integration_tests::place::Place;
use integration_tests::programs::{Daemon, Launch};
use integration_tests::run::{PATIENCE, sh, wait_until};

const SERVER: &str = "127.0.0.11";
const NAME: &str = "ns1.lab.example.org";

/// Makes an authority in `place`, once, and a certificate by it for the server in `name.pem` and `name.key`.
fn certify(place: &Path, name: &str) {
    let (config, ca, key) = (place.join("openssl.cnf"), place.join("ca.pem"), place.join("ca.key"));
    // The system's is not to be seen in the test's namespaces.
    fs::write(&config, "[req]\ndistinguished_name = nothing\n[nothing]\n").unwrap();
    let new = format!(
        "openssl req -config {} -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30",
        config.display()
    );
    if !ca.exists() {
        let own = format!("-addext basicConstraints=critical,CA:TRUE -keyout {}", key.display());
        sh(&format!("{new} -subj /CN=Test {own} -out {}", ca.display()));
    }
    let file = |ending: &str| place.join(format!("{name}.{ending}")).display().to_string();
    sh(&format!(
        "{new} -CA {} -CAkey {} -subj /CN={name} -addext basicConstraints=critical,CA:FALSE \
         -addext subjectAltName=DNS:{NAME},IP:{SERVER} -keyout {} -out {}",
        ca.display(),
        key.display(),
        file("key"),
        file("pem")
    ));
}

fn start(place: &Place) -> Daemon {
    place.save(
        "site.toml",
        "[site]\nnameservers = [\"ns1.lab.example.org\"]\n[zone.\"lab.example.org\"]\n\
         secondaries = [\"127.0.0.1\"]\n\
         [network.lan]\nzone = \"lab.example.org\"\nipv4 = \"10.20.0.0/24\"\n\
         [host.ns1]\nnetwork = \"lan\"\nip = \"10.20.0.2\"\n",
    );
    certify(place.path(), "first");
    for ending in ["pem", "key"] {
        fs::copy(place.path().join(format!("first.{ending}")), place.path().join(format!("server.{ending}")))
            .unwrap();
    }
    let file = |name: &str| place.path().join(name).display().to_string();
    let (certificate, key) = (file("server.pem"), file("server.key"));
    let listeners = ["--listen", SERVER, "--tls", SERVER, "--https", SERVER, "--quic", SERVER];
    let files = ["--certificate", &certificate, "--key", &key];
    Launch::dnsd(place).args(&listeners).args(&files).start()
}

fn traffic(dnsd: &Daemon, what: &str) -> u64 {
    dnsd.status()["counters"]["traffic"][what].as_u64().unwrap_or(0)
}

#[test]
fn dig_kdig_and_curl_get_answers_by_tls_https_and_quic() {
    isolated(|| {
        let place = Place::empty();
        let dnsd = start(&place);
        let ca = place.path().join("ca.pem").display().to_string();
        let verified = format!("+tls-ca={ca} +tls-hostname={NAME}");
        for (client, how) in [
            ("dig", format!("+tls {verified}")),
            ("dig", format!("+https {verified}")),
            ("dig", format!("+https-get {verified}")),
            ("kdig", format!("+tls {verified}")),
            ("kdig", format!("+https {verified}")),
            ("kdig", format!("+https +https-get {verified}")),
            // kdig 3.2.6 dies of a segmentation fault when it is to verify by QUIC.
            ("kdig", "+quic".to_owned()),
        ] {
            let said = sh(&format!("{client} @{SERVER} {how} {NAME} A"));
            assert!(said.contains("10.20.0.2") && said.contains("NOERROR"), "{client} {how}: {said}");
            let said = sh(&format!("{client} @{SERVER} {how} nobody.lab.example.org A"));
            assert!(said.contains("NXDOMAIN"), "{client} {how}: {said}");
        }
        for (what, least) in [("tls-received", 4), ("https-received", 8), ("quic-received", 2)] {
            assert!(traffic(&dnsd, what) >= least, "{what}");
        }
        // A client that does not know the authority gets no further than the handshake.
        let said = sh(&format!("kdig @{SERVER} +retry=0 +tls-ca +tls-hostname={NAME} {NAME} A || true"));
        assert!(!said.contains("10.20.0.2"), "{said}");
        wait_until("the handshake is counted", || traffic(&dnsd, "handshake-failed") > 0);
        let listeners = dnsd.status()["listeners"].to_string();
        for listener in ["tls://127.0.0.11:853", "https://127.0.0.11:443", "quic://127.0.0.11:853"] {
            assert!(listeners.contains(listener), "{listeners}");
        }
    });
}

#[test]
fn replies_are_padded_over_tls_and_nowhere_else() {
    isolated(|| {
        let place = Place::empty();
        let _dnsd = start(&place);
        let size = |how: &str| {
            let said = sh(&format!("kdig @{SERVER} {how} {NAME} A"));
            let line = said.lines().find_map(|line| line.strip_prefix(";; Received ")).unwrap_or(&said);
            line.split(' ').next().unwrap().parse::<usize>().unwrap()
        };
        assert_eq!(size("+tls +padding=128"), 468);
        assert_eq!(size("+quic +padding=128"), 468);
        assert!(size("+tls +nopadding +edns") < 100);
        assert!(size("+tcp +padding=128") < 100);
    });
}

#[test]
fn zones_are_copied_by_tls_and_quic_and_not_by_https() {
    isolated(|| {
        let place = Place::empty();
        let _dnsd = start(&place);
        let copy = |how: &str| sh(&format!("kdig @{SERVER} {how} lab.example.org AXFR || true"));
        for how in ["+tcp", "+tls"] {
            assert!(copy(how).contains("ns1.lab.example.org."), "{how}: {}", copy(how));
        }
        assert!(!copy("+https").contains("10.20.0.2"));
    });
}

#[test]
fn https_refuses_in_words_what_is_no_query() {
    isolated(|| {
        let place = Place::empty();
        let dnsd = start(&place);
        let ca = place.path().join("ca.pem").display().to_string();
        let url = format!("https://{SERVER}/dns-query");
        let long = place.path().join("long").display().to_string();
        fs::write(&long, [0; 5000]).unwrap();
        let curl = |line: &str| sh(&format!("curl -s --cacert {ca} -o - -w ' %{{http_code}}' {line}"));
        for version in ["--http1.1", "--http2"] {
            for (line, code) in [
                (format!("https://{SERVER}/"), "404"),
                (url.clone(), "400"),
                (format!("'{url}?dns=A*B'"), "400"),
                (format!("'{url}?dns=AAAA'"), "400"),
                (format!("'{url}?dns={}'", "A".repeat(8000)), "413"),
                (format!("-X DELETE {url}"), "405"),
                (format!("-d hello {url}"), "415"),
                (format!("-H 'content-type: application/dns-message' --data-binary @{long} {url}"), "413"),
            ] {
                let said = curl(&format!("{version} {line}"));
                assert!(said.trim_end().ends_with(code), "{version} {line}: {said}");
            }
            // The query for the SOA of the zone.
            let query = "AAABAAABAAAAAAAAA2xhYgdleGFtcGxlA29yZwAABgAB";
            let said = curl(&format!("{version} -D - '{url}?dns={query}' | tr -d '\\0' | head -8"));
            let said = said.to_lowercase();
            assert!(said.contains("application/dns-message") && said.contains("max-age=3600"), "{said}");
        }
        assert!(traffic(&dnsd, "https-invalid") >= 12);
    });
}

#[test]
fn a_renewed_certificate_is_shown_and_a_wrong_one_is_not() {
    isolated(|| {
        let place = Place::empty();
        let dnsd = start(&place);
        let path = |name: &str| place.path().join(name);
        let shown = || {
            sh(&format!(
                "openssl s_client -connect {SERVER}:853 </dev/null 2>/dev/null | openssl x509 -noout -subject"
            ))
        };
        assert!(shown().contains("first"));
        certify(place.path(), "second");
        // As who renews certificates does it, or as who makes a mistake: one file goes first.
        fs::copy(path("second.pem"), path("server.pem")).unwrap();
        wait_until("the trouble is told", || {
            let trouble = dnsd.status()["certificate_trouble"].to_string();
            trouble.contains("it is not the key of")
        });
        assert!(shown().contains("first"));
        fs::copy(path("second.key"), path("server.key")).unwrap();
        wait_until("the new one is shown", || shown().contains("second"));
        assert!(dnsd.status()["certificate_trouble"].is_null());
        fs::write(path("server.pem"), "nothing").unwrap();
        wait_until("the trouble is told", || !dnsd.status()["certificate_trouble"].is_null());
        assert!(shown().contains("second"));
    });
}

#[test]
fn clients_that_do_not_agree_on_keys_hold_no_place() {
    isolated(|| {
        let place = Place::empty();
        let dnsd = start(&place);
        let mut silent: Vec<TcpStream> = [853, 443]
            .map(|port| (0..150).map(move |_| (SERVER, port)))
            .into_iter()
            .flatten()
            .map(|to| TcpStream::connect(to).unwrap())
            .collect();
        for stream in &mut silent {
            // The head of a record that never comes.
            let _ = stream.write_all(&[22, 3, 1, 2, 0]);
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
        }
        wait_until("what is too much is sent away", || traffic(&dnsd, "tcp-refused") >= 300 - 128);
        wait_until("the silent ones are closed", || traffic(&dnsd, "handshake-failed") == 128);
        for stream in &mut silent {
            assert!(matches!(stream.read(&mut [0; 64]), Ok(0) | Err(_)));
        }
        let said = sh(&format!("kdig @{SERVER} +tls {NAME} A"));
        assert!(said.contains("10.20.0.2"), "{said}");
    });
}
