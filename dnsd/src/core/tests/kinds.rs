//! One answer of every kind.

use crate::core::rcode;
use crate::testing::query::ask;
use crate::testing::{Ask, view};
use crate::view::rtype;

const RECORDS: &str = r#"
[host.web1]
network = "lan"
ip = ["10.20.0.11", "10.20.0.12", "2001:db8:20::11"]
alias = ["www", "deep.er.lab.example"]
[host."Db.Rack1.lab.example"]
network = "lan"
ip = "10.20.0.21"
ttl = "90s"
[host.gone]
network = "lan"
ip = "10.20.0.31"
state = "planned"
[zone."lab.example"]
ttl = "30m"
negative-ttl = "2m"
records = """
@        MX    10 web1
@        TXT   "v=spf1 -all"
_sip._udp SRV  0 5 5060 web1
*.wild   A     192.0.2.1
*.wild   TXT   "anything"
a.b.wild A     192.0.2.2
alone    TYPE65280 \\# 3 0a0b0c
"""
"#;

const SOA: &str = "lab.example. 120 IN SOA ns1.lab.example. hostmaster.lab.example. 7 86400 900 3600000 120";

#[test]
fn hosts_have_addresses_of_both_families() {
    let view = view(RECORDS);
    let reply = ask(&view, "web1.lab.example", rtype::A);
    assert_eq!((reply.rcode, reply.aa(), reply.tc()), (rcode::NOERROR, true, false));
    assert_eq!(
        reply.answers(),
        ["web1.lab.example. 1800 IN A 10.20.0.11", "web1.lab.example. 1800 IN A 10.20.0.12"]
    );
    assert!(reply.authority.is_empty() && reply.additional.is_empty(), "answers are minimal");
    let reply = ask(&view, "web1.lab.example", rtype::AAAA);
    assert_eq!(reply.answers(), ["web1.lab.example. 1800 IN AAAA 2001:db8:20::11"]);
    let reply = ask(&view, "db.rack1.lab.example", rtype::A);
    assert_eq!(reply.answers(), ["db.rack1.lab.example. 90 IN A 10.20.0.21"]);
}

#[test]
fn addresses_have_names() {
    let view = view(RECORDS);
    let reply = ask(&view, "12.0.20.10.in-addr.arpa", rtype::PTR);
    assert_eq!(reply.answers(), ["12.0.20.10.in-addr.arpa. 1800 IN PTR web1.lab.example."]);
    let v6 = "1.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
    let reply = ask(&view, v6, rtype::PTR);
    assert_eq!(reply.answers(), [format!("{v6}. 1800 IN PTR web1.lab.example.")]);
}

#[test]
fn aliases_are_followed_and_can_be_asked_for() {
    let view = view(RECORDS);
    let cname = "www.lab.example. 1800 IN CNAME web1.lab.example.";
    assert_eq!(ask(&view, "www.lab.example", rtype::CNAME).answers(), [cname]);
    assert_eq!(ask(&view, "www.lab.example", rtype::ANY).answers(), [cname]);
    let reply = ask(&view, "www.lab.example", rtype::AAAA);
    assert_eq!(reply.answers(), [cname, "web1.lab.example. 1800 IN AAAA 2001:db8:20::11"]);
    let reply = ask(&view, "www.lab.example", rtype::MX);
    assert_eq!(reply.answers(), [cname]);
    assert_eq!(reply.authorities(), [SOA], "the target exists, without MX records");
}

#[test]
fn the_apex_has_soa_and_ns_and_what_is_written_there() {
    let view = view(RECORDS);
    let reply = ask(&view, "lab.example", rtype::SOA);
    assert_eq!(reply.answers(), [SOA.replace(" 120 IN", " 1800 IN")]);
    let reply = ask(&view, "lab.example", rtype::NS);
    assert_eq!(
        reply.answers(),
        ["lab.example. 1800 IN NS ns1.lab.example.", "lab.example. 1800 IN NS ns2.lab.example."]
    );
    assert_eq!(
        reply.additionals(),
        [
            "ns1.lab.example. 1800 IN A 10.20.0.2",
            "ns1.lab.example. 1800 IN AAAA 2001:db8:20::2",
            "ns2.lab.example. 1800 IN A 10.20.0.3"
        ]
    );
    let reply = ask(&view, "lab.example", rtype::MX);
    assert_eq!(reply.answers(), ["lab.example. 1800 IN MX 10 web1.lab.example."]);
    assert_eq!(reply.additional.len(), 3, "{:?}", reply.additionals());
    assert_eq!(ask(&view, "lab.example", 16).answers(), ["lab.example. 1800 IN TXT \"v=spf1 -all\""]);
}

#[test]
fn written_records_of_any_type_are_answered() {
    let view = view(RECORDS);
    let reply = ask(&view, "_sip._udp.lab.example", rtype::SRV);
    assert_eq!(reply.answers(), ["_sip._udp.lab.example. 1800 IN SRV 0 5 5060 web1.lab.example."]);
    assert_eq!(reply.additional.len(), 3);
    let reply = ask(&view, "alone.lab.example", 65_280);
    assert_eq!(reply.answers(), ["alone.lab.example. 1800 IN TYPE65280 \\# 3 0a0b0c"]);
}

#[test]
fn names_that_do_not_exist_are_told_from_names_without_such_records() {
    let view = view(RECORDS);
    for (name, rtype, code, why) in [
        ("nothing.lab.example", rtype::A, rcode::NXDOMAIN, "no such name"),
        ("below.web1.lab.example", rtype::A, rcode::NXDOMAIN, "nothing is below a host"),
        ("web1.lab.example", rtype::MX, rcode::NOERROR, "no such records"),
        ("rack1.lab.example", rtype::A, rcode::NOERROR, "a name exists when one below it does"),
        ("_udp.lab.example", rtype::SRV, rcode::NOERROR, "the same for written ones"),
        ("er.lab.example", rtype::CNAME, rcode::NOERROR, "the same for aliases"),
        ("gone.lab.example", rtype::A, rcode::NXDOMAIN, "planned hosts have no names"),
    ] {
        let reply = ask(&view, name, rtype);
        assert_eq!((reply.rcode, reply.aa()), (code, true), "{name}: {why}");
        assert!(reply.answer.is_empty(), "{name}");
        assert_eq!(reply.authorities(), [SOA], "{name}: for as long as RFC 2308 says");
    }
    let reply = ask(&view, "31.0.20.10.in-addr.arpa", rtype::PTR);
    assert_eq!(reply.rcode, rcode::NXDOMAIN, "planned hosts have no addresses");
    let reply = ask(&view, "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.0.0.8.b.d.0.1.0.0.2.ip6.arpa", rtype::PTR);
    assert_eq!(reply.rcode, rcode::NOERROR, "names between address and zone exist");
    let reply = ask(&view, "5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.0.0.8.b.d.0.1.0.0.2.ip6.arpa", rtype::PTR);
    assert_eq!(reply.rcode, rcode::NXDOMAIN, "but only where there are addresses");
}

#[test]
fn wildcards_stand_for_names_that_do_not_exist_only() {
    let view = view(RECORDS);
    let synthesised = ask(&view, "x.y.wild.lab.example", rtype::A);
    assert_eq!(synthesised.answers(), ["x.y.wild.lab.example. 1800 IN A 192.0.2.1"]);
    let itself = ask(&view, "*.wild.lab.example", rtype::A);
    assert_eq!(itself.answers(), ["*.wild.lab.example. 1800 IN A 192.0.2.1"]);
    let no_data = ask(&view, "x.wild.lab.example", rtype::MX);
    assert_eq!((no_data.rcode, no_data.answer.len()), (rcode::NOERROR, 0));
    let empty = ask(&view, "b.wild.lab.example", rtype::A);
    assert_eq!((empty.rcode, empty.answer.len()), (rcode::NOERROR, 0), "an empty non-terminal exists");
    let below = ask(&view, "x.b.wild.lab.example", rtype::A);
    assert_eq!(below.rcode, rcode::NXDOMAIN, "the closest encloser has no wildcard (RFC 4592)");
    let encloser = ask(&view, "wild.lab.example", rtype::A);
    assert_eq!((encloser.rcode, encloser.answer.len()), (rcode::NOERROR, 0));
    let far = ask(&view, "x.lab.example", rtype::A);
    assert_eq!(far.rcode, rcode::NXDOMAIN);
}

#[test]
fn any_gets_one_rrset() {
    let view = view(RECORDS);
    let reply = ask(&view, "web1.lab.example", rtype::ANY);
    assert_eq!(reply.answer.len(), 2, "{:?}", reply.answers());
    assert!(reply.answer.iter().all(|record| record.rtype == rtype::A));
    assert_eq!(ask(&view, "nothing.lab.example", rtype::ANY).rcode, rcode::NXDOMAIN);
    let reply = ask(&view, "rack1.lab.example", rtype::ANY);
    assert_eq!((reply.rcode, reply.authority.len()), (rcode::NOERROR, 1));
}

#[test]
fn what_is_in_no_zone_of_ours_is_refused() {
    let view = view(RECORDS);
    for name in ["example", "elsewhere.test", ".", "1.20.10.in-addr.arpa", "lab.example.test", "xlab.example"]
    {
        let reply = ask(&view, name, rtype::A);
        assert_eq!((reply.rcode, reply.aa()), (rcode::REFUSED, false), "{name}");
        assert!(reply.answer.is_empty() && reply.authority.is_empty() && reply.additional.is_empty());
    }
}

#[test]
fn equal_records_become_one_and_the_least_ttl_counts() {
    let view = view(
        "[zone.\"lab.example\"]\nrecords = '''\nx 60 A 192.0.2.1\nx 30 A 192.0.2.2\nx 90 A 192.0.2.1\n'''\n",
    );
    assert_eq!(
        ask(&view, "x.lab.example", rtype::A).answers(),
        ["x.lab.example. 30 IN A 192.0.2.1", "x.lab.example. 30 IN A 192.0.2.2"]
    );
}

#[test]
fn names_match_in_any_case_and_come_back_as_asked() {
    let view = view(RECORDS);
    let wire = b"\x04wEb1\x03LAB\x07eXample\0";
    let reply = Ask::wire(wire, rtype::A).tcp(&view);
    assert_eq!(reply.question.as_ref().unwrap().0, wire);
    assert_eq!(reply.answer.len(), 2);
    let reply = Ask::wire(b"\x07nothing\x03LAB\x07eXample\0", rtype::A).tcp(&view);
    let authorities: Vec<String> = reply.authorities().iter().map(|line| line.to_lowercase()).collect();
    let soa = vec![SOA.to_lowercase()];
    assert_eq!((reply.rcode, authorities), (rcode::NXDOMAIN, soa), "names in it may point to the question");
}

#[test]
fn fingerprints_of_a_host_stand_at_its_name_and_not_at_its_other_interfaces() {
    let view = view(
        "[zone.\"lab.example\"]\n[host.web]\nalias = \"www\"\nttl = \"5m\"\n\
         ssh-host-key = \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMSUGdrEtLC98e++oOlp0PtUtTYRNURwWPm0J7qEVscr x\"\n\
         sshfp = \"1 1 123456789abcdef67890123456789abcdef67890\"\n\
         [host.web.nic.lan]\nnetwork = \"lan\"\nip = \"10.20.0.11\"\n\
         [host.web.nic.bmc]\nnetwork = \"lan\"\nip = \"10.20.0.12\"\n",
    );
    let records = [
        "web.lab.example. 300 IN SSHFP 1 1 123456789abcdef67890123456789abcdef67890",
        "web.lab.example. 300 IN SSHFP 4 2 eaac9433855237fa168d7c352d3110be37827bee9e09369752afccf8157c0e47",
    ];
    assert_eq!(ask(&view, "web.lab.example", rtype::SSHFP).answers(), records);
    let by_alias = ask(&view, "www.lab.example", rtype::SSHFP).answers();
    assert_eq!(by_alias[1..], records, "an alias leads to them");
    assert!(ask(&view, "web-bmc.lab.example", rtype::SSHFP).answer.is_empty());
}
