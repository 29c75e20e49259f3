//! Options for some clients, networks that clients choose, machines known by their UUID.

use std::net::Ipv4Addr;

use dhcpd::core::Reason;

use super::lab::{Lab, SERVER, SITE, STRANGER, WEB};
use super::packet::{Ask, Sent};

const ASKED: [u8; 3] = [42, 66, 252];

fn text(sent: &Sent, code: u8) -> Option<String> {
    sent.option(code).map(|data| String::from_utf8(data).unwrap())
}

#[test]
fn a_hosts_own_option_goes_before_its_classes_and_these_before_its_network() {
    let site = SITE.replace(
        "lease = \"1h\"\n",
        "lease = \"1h\"\noptions = { tftp-server-name = \"all\", wpad-url = \"http://all/\" }\n\
         match.tagged = { tag = \"kiosk\", options = { tftp-server-name = \"tag\", ntp-servers = \"10.77.0.3\" } }\n\
         match.snom = { vendor-class = \"snom*\", options = { tftp-server-name = \"snom\", wpad = \"http://snom/\" } }\n",
    );
    let host = |keys: &str| {
        format!(
            "{site}[host.web]\nnetwork = \"lab\"\nmac = \"02:00:00:00:00:01\"\nip = \"10.77.0.11\"\n{keys}\n"
        )
    };
    let told = |keys: &str, class: &str| {
        let ask = Ask::discover(WEB).option(60, class.as_bytes()).option(55, &ASKED);
        let sent = Lab::of(&host(keys)).ask(&ask).one().clone();
        [text(&sent, 66), text(&sent, 252), sent.option(42).map(|data| format!("{data:?}"))]
            .map(Option::unwrap_or_default)
    };
    assert_eq!(told("", "x"), ["all", "http://all/", ""]);
    assert_eq!(told("", "snom320"), ["snom", "http://snom/", ""]);
    assert_eq!(told("tags = \"kiosk\"", "x"), ["tag", "http://all/", "[10, 77, 0, 3]"]);
    assert_eq!(told("tags = \"kiosk\"", "snom320"), ["tag", "http://snom/", "[10, 77, 0, 3]"], "the first");
    let own = "tags = \"kiosk\"\noptions = { tftp-server-name = \"own\" }";
    assert_eq!(told(own, "snom320"), ["own", "http://snom/", "[10, 77, 0, 3]"]);
}

#[test]
fn a_lease_is_as_long_as_the_host_says_else_its_class_else_its_network() {
    let site = SITE.replace(
        "lease = \"1h\"\n",
        "lease = \"1h\"\nprobe = false\npool = \"10.77.0.100-10.77.0.110\"\nleasequery = \"10.77.0.254\"\n\
         match.arm = { architecture = \"uefi-arm64\", options = { tftp-server-name = \"arm\" } }\n\
         match.kiosk = { tag = \"kiosk\", lease = \"2h\" }\n\
         match.guest = { tag = \"guest\", lease = \"10m\" }\n\
         match.phones = { vendor-class = \"snom*\", lease = \"30m\" }\n",
    );
    for (keys, class, seconds) in [
        ("", "x", 3600),
        ("tags = \"kiosk\"", "x", 7200),
        ("tags = [\"guest\", \"kiosk\"]", "x", 7200),
        ("tags = \"guest\"", "snom320", 600),
        ("tags = \"kiosk\"\nlease = \"5m\"", "snom320", 300),
        ("tags = \"other\"", "snom320", 1800),
    ] {
        for ip in ["ip = \"10.77.0.11\"\n", ""] {
            let host = format!("[host.web]\nnetwork = \"lab\"\nmac = \"02:00:00:00:00:01\"\n{ip}{keys}\n");
            let mut lab = Lab::of(&format!("{site}{host}"));
            let offer = lab.ask(&Ask::discover(WEB).option(60, class.as_bytes()));
            let told = |sent: &Sent| [51, 58].map(|code| sent.number(code));
            assert_eq!(told(offer.one()), [Some(seconds), Some(seconds / 2)], "{keys} {class}");
            let ask = Ask::selecting(WEB, offer.offered(), SERVER).option(60, class.as_bytes());
            let ack = lab.ask(&ask);
            assert_eq!(told(ack.one()), [Some(seconds), Some(seconds / 2)], "{keys} {class}");
            // An agent is told the same of a host, as far as the inventory says it.
            let query = Ask::new(10, WEB).relayed([10, 77, 0, 254], SERVER);
            if class == "x" || ip.is_empty() {
                assert_eq!(lab.ask(&query).one().number(51), Some(seconds), "{keys} {class}");
            }
        }
    }
    let mut lab = Lab::of(&site);
    assert_eq!(lab.ask(&Ask::discover(STRANGER).option(60, b"snom320")).one().number(51), Some(1800));
}

#[test]
fn an_address_that_moves_is_looked_for_as_long_as_a_class_may_lease_it() {
    let site = SITE
        .replace("lease = \"1h\"\n", "lease = \"1h\"\nmatch.kiosk = { tag = \"kiosk\", lease = \"2h\" }\n");
    let host = |mac: u8| {
        format!(
            "{site}[host.web]\nnetwork = \"lab\"\nmac = \"02:00:00:00:00:{mac:02x}\"\nip = \"10.77.0.11\"\n"
        )
    };
    for (minutes, asked) in [(119, 1), (121, 0)] {
        let mut lab = Lab::of(&host(1));
        lab.edit(&host(2));
        lab.pass(1000);
        lab.input(&dhcpd::core::Input::Tick);
        lab.pass(minutes * 60_000);
        assert_eq!(
            lab.ask(&Ask::discover([2, 0, 0, 0, 0, 2])).probes.len(),
            asked,
            "after {minutes} minutes"
        );
    }
}

#[test]
fn a_class_says_what_its_machines_boot() {
    let inventory = SITE.replace(
        "lease = \"1h\"\n",
        "pool = \"10.77.0.100-10.77.0.110\"\nprobe = false\n\
         match.arm = { architecture = \"uefi-arm64\", options = { bootfile-name = \"arm.efi\" } }\n",
    );
    for (architecture, file) in [(11, Some("arm.efi")), (7, None)] {
        let mut lab = Lab::of(&inventory);
        let ask = Ask::discover(STRANGER).option(93, &[0, architecture]).option(55, &[67]);
        assert_eq!(text(lab.ask(&ask).one(), 67).as_deref(), file);
    }
}

const FAR: &str = "[network.far]\nzone = \"lab.test\"\nipv4 = \"10.88.0.0/24\"\npool = \"10.88.0.100-10.88.0.110\"\n\
                   probe = false\n";

#[test]
fn a_client_gets_an_address_of_the_subnet_it_selects_where_that_is_allowed() {
    let select = || Ask::discover(STRANGER).address(118, [10, 88, 0, 0]);
    let mut closed = Lab::of(&format!("{SITE}{FAR}"));
    assert_eq!(closed.ask(&select()).silence(), Reason::UnknownMachine, "as if it had not asked");
    let mut lab = Lab::of(&format!("{SITE}{FAR}subnet-selection = true\n"));
    let offer = lab.ask(&select());
    assert_eq!(offer.offered(), Ipv4Addr::new(10, 88, 0, 100));
    assert_eq!(offer.one().option(118), Some(vec![10, 88, 0, 0]), "RFC 3011: said back where it was heeded");
    let ask = Ask::selecting(STRANGER, [10, 88, 0, 100], SERVER).address(118, [10, 88, 0, 0]);
    assert_eq!(lab.ask(&ask).acknowledged(), Ipv4Addr::new(10, 88, 0, 100));
    let behind = select().relayed([10, 77, 0, 254], SERVER);
    assert_eq!(lab.ask(&behind).offered(), Ipv4Addr::new(10, 88, 0, 100), "it goes before the relay agent's");
    let unknown = select().relayed([192, 0, 2, 1], SERVER);
    assert_eq!(lab.ask(&unknown).silence(), Reason::UnknownRelay);
    // RFC 3527: what the agent says of its link goes before.
    let linked = select().relayed([10, 77, 0, 254], SERVER).option(82, &[5, 4, 10, 77, 0, 0]);
    assert_eq!(lab.ask(&linked).silence(), Reason::UnknownMachine);
}

#[test]
fn a_machine_is_known_by_its_uuid_in_either_byte_order() {
    let host = "[host.web]\nnetwork = \"lab\"\nip = \"10.77.0.11\"\n\
                duid = \"00:04:00:00:00:77:00:00:00:40:01:02:03:04:05:06:07:08\"\n";
    let mut lab = Lab::new(host);
    for uuid in [[0, 0, 0, 0x77, 0, 0, 0, 0x40], [0x77, 0, 0, 0, 0, 0, 0x40, 0]] {
        let ask = Ask::discover(STRANGER).option(97, &[&[0][..], &uuid, &[1, 2, 3, 4, 5, 6, 7, 8]].concat());
        assert_eq!(lab.ask(&ask).offered(), Ipv4Addr::new(10, 77, 0, 11));
    }
    let ask = Ask::discover(STRANGER).option(97, &[1; 17]);
    assert_eq!(lab.ask(&ask).silence(), Reason::UnknownMachine, "another type of identifier");
}
