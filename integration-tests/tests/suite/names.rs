//! Names of leases with real clients: machines that say a host name are found by it, in our DNS and in BIND's.

use std::fs;
use std::process::{Child, Command, Stdio};

use integration_tests::isolated::isolated;
use integration_tests::net::{Lan, Machine};
use integration_tests::place::Place;
use integration_tests::programs::{Daemon, Launch};
use integration_tests::run::{run, sh, wait_until};

const SECRET: &str = "c2VjcmV0IHRoYXQgbm9ib2R5IGtub3dzIGJ1dCB1cyE=";
const UDHCPC: &str = "udhcpc -i eth0 -f -q -n -t 20 -T 2 -s /etc/udhcpc/default.script";
const PRINTER: &str = "52:54:00:30:00:09";

struct Net {
    lan: Lan,
    place: Place,
    dhcpd: Daemon,
    dnsd: Option<Daemon>,
}

impl Net {
    /// Our daemons; names go to dnsd.
    fn new(lease: &str) -> Net {
        let (lan, place) = (Lan::new("lan0", &["10.30.0.2/24"]), Place::empty());
        write(&place, lease, "10.30.0.2");
        let dnsd = Launch::dnsd(&place).args(&["--listen", "10.30.0.2:53"]).start();
        let dhcpd = Launch::dhcpd(&place).args(&["--interface", "lan0"]).start();
        Net { lan, place, dhcpd, dnsd: Some(dnsd) }
    }

    /// A machine that calls itself this, after it got its address.
    fn machine(&self, name: &str, mac: &str) -> (Machine, String) {
        let machine = self.lan.attach(name, mac);
        machine.sh(&format!("{UDHCPC} -x hostname:{name}"));
        let address = machine.addresses()[0].trim_end_matches("/24").to_owned();
        (machine, address)
    }
}

/// The inventory, and the secret beside it.
fn write(place: &Place, lease: &str, server: &str) {
    let key = place.path().join("leases.key");
    fs::write(&key, SECRET).unwrap();
    place.save(
        "site.toml",
        &format!(
            "[key.leases]\nfile = \"{}\"\n[site]\nnameservers = [\"ns1.lab.example\"]\nupdates = {{ key = \"leases\", server = \"{server}\" }}\nsecondaries = [\"10.30.0.2\"]\n[zone.\"lab.example\"]\n[network.guests]\nzone = \"lab.example\"\nipv4 = \"10.30.0.0/24\"\npool = \"10.30.0.100-10.30.0.200\"\nlease = \"{lease}\"\nprobe = false\ndynamic-names = true\n[host.ns1]\nnetwork = \"guests\"\nip = \"10.30.0.2\"\n[host.printer]\nnetwork = \"guests\"\nmac = \"{PRINTER}\"\n",
            key.display()
        ),
    );
}

/// What a question comes to.
fn dig(question: &str) -> String {
    sh(&format!("dig @10.30.0.2 +short +tries=3 +time=5 {question}")).trim().to_owned()
}

#[track_caller]
fn comes_to(question: &str, answer: &str) {
    wait_until(&format!("{question} to come to `{answer}`, not `{}`", dig(question)), || {
        dig(question) == answer
    });
}

const FILES: &str = "-pf /run/tmp/dhclient.pid -lf /run/tmp/dhclient.leases";

/// The address of a machine that calls itself this, by dhclient, which goes on.
fn dhclient(machine: &Machine, name: &str) -> String {
    let config = "/run/tmp/dhclient.conf";
    fs::write(config, format!("send host-name \"{name}\";\n")).unwrap();
    machine.sh(&format!("dhclient -4 -1 -cf {config} {FILES} eth0 >/run/tmp/dhclient.log 2>&1"));
    machine.addresses()[0].trim_end_matches("/24").to_owned()
}

/// Has dhclient give its lease back, once it knows the hardware address of the server: a release is not sent twice.
fn leave(machine: &Machine) {
    machine.sh(&format!("dig @10.30.0.2 ns1.lab.example >/dev/null; dhclient -4 -r {FILES} eth0"));
}

#[test]
fn a_machine_is_found_by_the_name_that_it_says_until_it_gives_its_lease_back() {
    isolated(|| {
        let mut net = Net::new("12h");
        let (_laptop, address) = net.machine("laptop", "52:54:00:30:00:01");
        comes_to("laptop.lab.example", &address);
        comes_to(&format!("-x {address}"), "laptop.lab.example.");
        assert!(dig("laptop.lab.example DHCID").len() > 40);
        assert!(dig("lab.example AXFR").contains(&address), "secondaries have it");

        // The name is the first machine's, and no name of the inventory is anybody else's.
        let (_other, others) = net.machine("other", "52:54:00:30:00:02");
        comes_to("other.lab.example", &others);
        let thief = net.lan.attach("thief", "52:54:00:30:00:03");
        thief.sh(&format!("{UDHCPC} -x hostname:laptop"));
        let thiefs = thief.addresses()[0].trim_end_matches("/24").to_owned();
        let liar = net.lan.attach("liar", "52:54:00:30:00:04");
        liar.sh(&format!("{UDHCPC} -x hostname:ns1"));
        let actor = net.lan.attach("actor", "52:54:00:30:00:05");
        actor.sh(&format!("{UDHCPC} -x hostname:printer"));
        net.dhcpd.wait_status("two refused names", |status| {
            status["lease_names"]["events"]["in-use"].as_u64() >= Some(2)
        });
        assert_eq!(dig("laptop.lab.example"), address);
        assert_eq!(dig("ns1.lab.example"), "10.30.0.2");
        assert_eq!(dig("printer.lab.example"), "", "it has no address yet");
        let derived = format!("dhcp-{}.lab.example.", thiefs.replace('.', "-"));
        assert_eq!(dig(&format!("-x {thiefs}")), derived);

        // A host whose address is leased has its own name, whatever it says.
        let printer = net.lan.attach("printer", PRINTER);
        printer.sh(&format!("{UDHCPC} -x hostname:whatever"));
        let printers = printer.addresses()[0].trim_end_matches("/24").to_owned();
        comes_to("printer.lab.example", &printers);

        // They outlive a restart, and an edit goes before them.
        drop(net.dnsd.take());
        let dnsd = Launch::dnsd(&net.place).args(&["--listen", "10.30.0.2:53"]).start();
        assert_eq!(dig("laptop.lab.example"), address);
        assert_eq!(dnsd.status()["lease_names"]["names"], 3, "{}", dnsd.status());
        net.place.save("own.toml", "[host.laptop]\nnetwork = \"guests\"\nip = \"10.30.0.9\"\n");
        comes_to("laptop.lab.example", "10.30.0.9");
        let derived = format!("dhcp-{}.lab.example.", address.replace('.', "-"));
        assert_eq!(dig(&format!("-x {address}")), derived);
        fs::remove_file(net.place.inventory().join("own.toml")).unwrap();
        comes_to("laptop.lab.example", &address);

        // Whoever gives the lease back gives the name back.
        let leaver = net.lan.attach("leaver", "52:54:00:30:00:06");
        let address = dhclient(&leaver, "leaver");
        comes_to("leaver.lab.example", &address);
        leave(&leaver);
        comes_to("leaver.lab.example", "");
        comes_to(&format!("-x {address}"), &format!("dhcp-{}.lab.example.", address.replace('.', "-")));
        net.dnsd = Some(dnsd);
    });
}

#[test]
fn a_name_goes_when_its_lease_ends() {
    isolated(|| {
        let net = Net::new("1m");
        let machine = net.lan.attach("m", "52:54:00:30:00:01");
        let address = dhclient(&machine, "visitor");
        comes_to("visitor.lab.example", &address);
        // The machine goes without a word.
        machine.sh("kill -9 $(cat /run/tmp/dhclient.pid)");
        wait_until("the lease to end", || dig("visitor.lab.example").is_empty());
    });
}

/// A server that runs until the value goes.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn bind(place: &Place) -> Server {
    let at = place.path().join("bind");
    fs::create_dir(&at).unwrap();
    let zone = "$TTL 60\n@ SOA ns1.lab.example. h.lab.example. 1 60 60 3600 60\n@ NS ns1.lab.example.\n";
    fs::write(at.join("lab.zone"), format!("{zone}ns1.lab.example. A 10.30.0.2\n")).unwrap();
    fs::write(at.join("reverse.zone"), zone).unwrap();
    let zones = [("lab.example", "lab"), ("0.30.10.in-addr.arpa", "reverse")].map(|(name, file)| {
        format!(
            "zone \"{name}\" {{ type primary; file \"{file}.zone\"; allow-update {{ key leases; }}; }};\n"
        )
    });
    let config = format!(
        "key leases {{ algorithm hmac-sha256; secret \"{SECRET}\"; }};\noptions {{ directory \"{0}\"; pid-file \"{0}/named.pid\"; session-keyfile \"{0}/session.key\"; listen-on {{ 10.30.0.2; }}; listen-on-v6 {{ none; }}; recursion no; notify no; dnssec-validation no; }};\ncontrols {{ }};\n{1}",
        at.display(),
        zones.concat()
    );
    fs::write(at.join("named.conf"), config).unwrap();
    let log = fs::File::create(at.join("log")).unwrap();
    let mut named = Command::new("named");
    named.args(["-g", "-n", "1", "-c"]).arg(at.join("named.conf"));
    let named = named.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
    let server = Server(named);
    wait_until("named to answer", || {
        let mut command = Command::new("dig");
        command.args(["@10.30.0.2", "+short", "+tries=1", "+time=1", "ns1.lab.example"]);
        run(command).out.trim() == "10.30.0.2"
    });
    server
}

#[test]
fn bind_hears_of_names_of_leases_by_the_same_updates() {
    isolated(|| {
        let (lan, place) = (Lan::new("lan0", &["10.30.0.2/24"]), Place::empty());
        write(&place, "12h", "10.30.0.2");
        let dhcpd = Launch::dhcpd(&place).args(&["--interface", "lan0"]).start();
        let net = Net { lan, place, dhcpd, dnsd: None };
        let laptop = net.lan.attach("laptop", "52:54:00:30:00:01");
        let address = dhclient(&laptop, "laptop");
        // Leases wait for no server.
        net.dhcpd.wait_status("trouble", |status| status["problems"].to_string().contains("not told"));
        let _bind = bind(&net.place);
        comes_to("laptop.lab.example", &address);
        comes_to(&format!("-x {address}"), "laptop.lab.example.");
        assert!(dig("laptop.lab.example DHCID").len() > 40);
        let thief = net.lan.attach("thief", "52:54:00:30:00:03");
        thief.sh(&format!("{UDHCPC} -x hostname:laptop"));
        net.dhcpd.wait_status("a refused name", |status| {
            status["lease_names"]["events"]["in-use"].as_u64() >= Some(1)
        });
        assert_eq!(dig("laptop.lab.example"), address);
        leave(&laptop);
        comes_to("laptop.lab.example", "");
        comes_to("laptop.lab.example DHCID", "");
        comes_to(&format!("-x {address}"), "");
    });
}

/// What `nsupdate` says to these lines, sent to our server.
fn nsupdate(key: &str, lines: &str) -> String {
    let text = format!("server 10.30.0.2\n{key}zone lab.example\n{lines}\nsend\n");
    fs::write("/run/tmp/update", text).unwrap();
    let mut command = Command::new("nsupdate");
    command.arg("/run/tmp/update");
    let ran = run(command);
    format!("{}{}", ran.out, ran.err).trim().to_owned()
}

#[test]
fn nobody_updates_anything_else() {
    isolated(|| {
        let net = Net::new("12h");
        let dnsd = net.dnsd.as_ref().unwrap();
        let key = format!("key hmac-sha256:leases {SECRET}\n");
        let serial = || dig("lab.example SOA");
        let before = serial();
        for (key, lines, answer) in [
            ("", "update add a.lab.example 60 A 10.30.0.100", "update failed: REFUSED"),
            ("key hmac-sha256:leases c2VjcmV0\n", "update add a.lab.example 60 A 10.30.0.100", "BADSIG"),
            ("key hmac-sha256:other c2VjcmV0\n", "update add a.lab.example 60 A 10.30.0.100", "BADKEY"),
            (&key, "update add a.lab.example 60 A 10.30.0.9", "update failed: REFUSED"),
            (&key, "update add a.lab.example 60 TXT x", "update failed: REFUSED"),
            (&key, "update add ns1.lab.example 60 A 10.30.0.100", "update failed: REFUSED"),
            (&key, "update delete ns1.lab.example", "update failed: REFUSED"),
            (&key, "update add lab.example 60 A 10.30.0.100", "update failed: REFUSED"),
            (&key, "update add *.lab.example 60 A 10.30.0.100", "update failed: REFUSED"),
            (&key, "update add a.example 60 A 10.30.0.100", "NOTZONE"),
            (&key, "prereq yxdomain a.lab.example\nupdate add a.lab.example 60 A 10.30.0.100", "NXDOMAIN"),
            (&key, "prereq nxdomain ns1.lab.example\nupdate delete a.lab.example", "YXDOMAIN"),
        ] {
            let said = nsupdate(key, lines);
            assert!(said.contains(answer), "{lines}: {said}");
        }
        assert_eq!(serial(), before, "nothing has changed");
        assert_eq!(nsupdate(&key, "update add a.lab.example 60 A 10.30.0.100"), "");
        assert_eq!(dig("a.lab.example"), "10.30.0.100");
        assert_ne!(serial(), before);
        assert_eq!(nsupdate(&key, "update add b.lab.example 60 A 10.30.0.100"), "");
        assert_eq!((dig("a.lab.example"), dig("b.lab.example")), (String::new(), "10.30.0.100".to_owned()));
        assert_eq!(dnsd.status()["lease_names"]["names"], 1);
        assert!(dnsd.status()["counters"]["updates"]["not-allowed"].as_u64() >= Some(6));
    });
}
