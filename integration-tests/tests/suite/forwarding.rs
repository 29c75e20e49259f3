//! Names elsewhere with real clients: looked up for those of one network, refused to others, our zones first.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use hickory_proto::rr::RecordType;
use integration_tests::dns::encode;
use integration_tests::isolated::isolated;
use integration_tests::net::{Lan, Machine};
use integration_tests::place::Place;
use integration_tests::programs::Launch;
use integration_tests::run::{run, wait_until};

/// A server that runs until the value goes.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// NSD at 10.30.0.53 with a zone elsewhere, and one that it has no business with.
fn nsd(place: &Place) -> Server {
    let at = place.path().join("nsd");
    fs::create_dir(&at).unwrap();
    let head = "$TTL 300\n@ SOA ns.elsewhere.example. h.elsewhere.example. 1 60 60 3600 60\n@ NS ns.elsewhere.example.\n";
    let text = |number: u32| format!("long TXT \"{number}{}\"\n", "x".repeat(200));
    let long: String = (0..20).map(text).collect();
    fs::write(at.join("elsewhere.zone"), format!("{head}ns A 10.30.0.53\nwww A 192.0.2.80\n{long}")).unwrap();
    fs::write(at.join("lab.zone"), format!("{head}ns1 A 192.0.2.66\nwww.sub A 192.0.2.90\n")).unwrap();
    let config = format!(
        "server:\n ip-address: 10.30.0.53\n server-count: 1\n username: \"\"\n chroot: \"\"\n database: \"\"\n zonesdir: \"{0}\"\n pidfile: \"{0}/pid\"\n xfrdfile: \"{0}/xfrd\"\n zonelistfile: \"{0}/list\"\nremote-control:\n control-enable: no\nzone:\n name: elsewhere.example\n zonefile: elsewhere.zone\nzone:\n name: lab.example\n zonefile: lab.zone\n",
        at.display()
    );
    fs::write(at.join("nsd.conf"), config).unwrap();
    let mut nsd = Command::new("nsd");
    nsd.args(["-d", "-c"]).arg(at.join("nsd.conf"));
    let log = fs::File::create(at.join("log")).unwrap();
    let server = Server(nsd.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap());
    wait_until("NSD to answer", || {
        let mut command = Command::new("dig");
        command.args(["@10.30.0.53", "+short", "+tries=1", "+time=1", "www.elsewhere.example"]);
        run(command).out.trim() == "192.0.2.80"
    });
    server
}

fn write(place: &Place, servers: &str) {
    let text = format!(
        "[site]\nnameservers = [\"ns1.lab.example\"]\n[zone.\"lab.example\"]\nrecords = \"\"\"\nout CNAME www.elsewhere.example.\nsub NS ns.elsewhere.example.\n\"\"\"\n[network.guests]\nzone = \"lab.example\"\nipv4 = \"10.30.0.0/24\"\nforward = {servers}\n[network.others]\nipv4 = \"10.31.0.0/24\"\n[host.ns1]\nnetwork = \"guests\"\nip = \"10.30.0.2\"\n"
    );
    place.save("site.toml", &text);
}

/// What `dig` says on a machine to these words, all of it.
fn dig(machine: &Machine, words: &str) -> String {
    let mut command = machine.command("sh");
    command.args(["-c", &format!("dig +tries=2 +time=20 {words} 2>&1")]);
    run(command).out
}

#[test]
fn clients_of_a_network_have_other_names_looked_up_and_nobody_else_has() {
    isolated(|| {
        let lan = Lan::new("lan0", &["10.30.0.2/24", "10.30.0.53/24", "10.31.0.2/24"]);
        let place = Place::empty();
        // The first of the servers is not there.
        write(&place, "[\"10.30.0.99\", \"10.30.0.53\"]");
        let server = nsd(&place);
        let dnsd =
            Launch::dnsd(&place).args(&["--listen", "10.30.0.2:53", "--listen", "10.31.0.2:53"]).start();
        let guest = lan.attach("guest", "52:54:00:30:00:01");
        guest.add_address("10.30.0.7/24");
        let other = lan.attach("other", "52:54:00:30:00:02");
        other.add_address("10.31.0.7/24");

        let found = dig(&guest, "@10.30.0.2 www.elsewhere.example");
        assert!(found.contains("192.0.2.80") && found.contains("status: NOERROR"), "{found}");
        assert!(found.contains(" ra") && !found.contains(" aa") && !found.contains(" ad"), "{found}");
        assert!(dig(&guest, "@10.30.0.2 +dnssec www.elsewhere.example").contains("flags: do"));
        let none = dig(&guest, "@10.30.0.2 nothing.elsewhere.example");
        assert!(none.contains("status: NXDOMAIN") && none.contains("SOA"), "{none}");
        let long = dig(&guest, "@10.30.0.2 long.elsewhere.example TXT");
        assert!(long.contains("Truncated, retrying in TCP mode") && long.contains("ANSWER: 20"), "{long}");

        // Where our zones lead out, too.
        let alias = dig(&guest, "@10.30.0.2 out.lab.example");
        assert!(alias.contains("192.0.2.80") && alias.contains("CNAME") && alias.contains(" ra"), "{alias}");
        assert!(dig(&guest, "@10.30.0.2 +short www.sub.lab.example").contains("192.0.2.90"));
        let alias = dig(&other, "@10.31.0.2 out.lab.example");
        assert!(
            alias.contains("CNAME") && !alias.contains("192.0.2.80") && !alias.contains(" ra"),
            "{alias}"
        );
        assert!(dig(&guest, "@10.30.0.2 x.invalid").contains("status: NXDOMAIN"));
        assert!(dig(&guest, "@10.30.0.2 +short localhost").contains("127.0.0.1"));

        // Over one connection what is slow keeps nothing waiting.
        let both = dig(&guest, "+tcp +keepopen @10.30.0.2 www.elsewhere.example ns1.lab.example");
        assert!(both.contains("192.0.2.80") && both.contains("10.30.0.2"), "{both}");

        // Our zones go before, and who is elsewhere, or wants no recursion, is refused.
        assert!(dig(&guest, "@10.30.0.2 +short ns1.lab.example").contains("10.30.0.2"));
        assert!(dig(&guest, "@10.30.0.2 +norecurse www.elsewhere.example").contains("status: REFUSED"));
        assert!(dig(&other, "@10.31.0.2 www.elsewhere.example").contains("status: REFUSED"));
        assert!(dig(&other, "@10.31.0.2 +tcp www.elsewhere.example").contains("status: REFUSED"));

        // What is remembered outlives the server; what is not gets an error that says why.
        drop(server);
        assert!(dig(&guest, "@10.30.0.2 +short www.elsewhere.example").contains("192.0.2.80"));
        let lost = dig(&guest, "@10.30.0.2 new.elsewhere.example");
        assert!(lost.contains("status: SERVFAIL") && lost.contains("EDE: 22"), "{lost}");
        let forwarded = &dnsd.status()["counters"]["forwarded"];
        assert!(forwarded["cached"].as_u64() >= Some(1) && forwarded["timed-out"].as_u64() >= Some(1));

        // A server that asks itself says that it cannot, and goes on with the rest.
        write(&place, "[\"10.30.0.2\"]");
        wait_until("the circle", || {
            dig(&guest, "@10.30.0.2 round.elsewhere.example").contains("status: SERVFAIL")
        });
        assert!(dig(&guest, "@10.30.0.2 +short ns1.lab.example").contains("10.30.0.2"));
    });
}

/// A question by TCP for the address of `name`, with recursion.
fn framed(id: u16, name: &str) -> Vec<u8> {
    let mut message = encode(id, name, RecordType::A);
    message[2] |= 1;
    let length = u16::try_from(message.len()).unwrap();
    [&length.to_be_bytes()[..], &message].concat()
}

#[test]
fn a_connection_whose_questions_nobody_takes_has_the_others_answered() {
    isolated(|| {
        let _lan = Lan::new("lan0", &["10.30.0.2/24", "10.30.0.53/24"]);
        let place = Place::empty();
        write(&place, "[\"10.30.0.53\"]");
        // It hears, and says nothing.
        let silent = UdpSocket::bind("10.30.0.53:53").unwrap();
        silent.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let _dnsd = Launch::dnsd(&place).args(&["--listen", "10.30.0.2:53"]).start();
        let ask = |first: u16| {
            let mut stream = TcpStream::connect("10.30.0.2:53").unwrap();
            let names = (first..first + 64).map(|id| framed(id, &format!("q{id}.elsewhere.example")));
            stream.write_all(&names.flatten().collect::<Vec<u8>>()).unwrap();
            stream
        };
        // As many as one client may have looked up at once.
        let _busy = [ask(0), ask(64)];
        for _ in 0..128 {
            silent.recv(&mut [0; 512]).unwrap();
        }
        let mut stream = ask(128);
        stream.write_all(&framed(1000, "ns1.lab.example")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        loop {
            let mut length = [0; 2];
            stream.read_exact(&mut length).expect("the connection stays open");
            let mut reply = vec![0; u16::from_be_bytes(length).into()];
            stream.read_exact(&mut reply).unwrap();
            if reply.starts_with(&1000_u16.to_be_bytes()) {
                assert!(reply.windows(4).any(|octets| octets == [10, 30, 0, 2]), "{reply:?}");
                return;
            }
        }
    });
}
