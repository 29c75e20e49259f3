//! Zones from whole master files.

use crate::core::rcode;
use crate::testing::query::ask;
use crate::testing::{SITE, snapshot};
use crate::view::{DnsView, rtype};

const MASTER: &str = r#"$TTL 1h
@       2h  SOA   a.ns.old.example. Admin.old.example. 2024010100 1d 15m 4w 10m
        NS    a.ns
        NS    b.ns.example.net.
a.ns    A     192.0.2.53
www 60  A     192.0.2.1
    90  A     192.0.2.2
    60  A     192.0.2.1
*.wild  TXT   "one" "two"
x.*.w   A     192.0.2.3
sub     NS    ns.sub
ns.sub  A     192.0.2.54
strange TYPE65280 \# 3 abcdef
sig     RRSIG A 8 2 3600 20300101000000 20200101000000 2642 example.org. c2lnbmF0dXJl
signed 60 A   192.0.2.5
     7200 TXT "x"
       60 RRSIG A 8 2 3600 20300101000000 20200101000000 2642 example.org. c2lnbmF0dXJl
     7200 RRSIG TXT 8 2 3600 20300101000000 20200101000000 2642 example.org. c2lnbmF0dXJl
alias   CNAME www
        RRSIG CNAME 8 2 3600 20300101000000 20200101000000 2642 example.org. c2lnbmF0dXJl
        NSEC  sig CNAME RRSIG NSEC
        KEY   256 3 13 AwEA
lab     NS    ns.lab
        DS    1 13 2 0000000000000000000000000000000000000000000000000000000000000000
        RRSIG DS 8 2 3600 20300101000000 20200101000000 2642 example.org. c2lnbmF0dXJl
        NSEC  sig NS DS RRSIG NSEC
ns.lab  A     192.0.2.55
"#;

fn site() -> DnsView {
    let zones = format!(
        "{SITE}[zone.\"lab.example\"]\n[zone.\"old.example\"]\nfile = \"old.zone\"\nttl = \"10m\"\n\
         [zone.\"example\"]\n[zone.\"lab.old.example\"]\n[host.\"added.old.example\"]\nnetwork = \"lan\"\nip = \"10.20.0.77\"\n"
    );
    let mut view = DnsView::build(&snapshot(&[("zones.toml", &zones), ("zones/old.zone", MASTER)]));
    view.set_serials(|_| 2024010100);
    view
}

const NEGATIVE: &str =
    "old.example. 600 IN SOA a.ns.old.example. Admin.old.example. 2024010100 86400 900 2419200 600";

#[test]
fn a_master_file_has_its_own_soa_and_ns_records() {
    let view = site();
    let soa = ask(&view, "old.example", rtype::SOA);
    assert_eq!(soa.answers(), [NEGATIVE.replacen("600", "7200", 1)]);
    let servers = ask(&view, "old.example", rtype::NS);
    assert_eq!(
        servers.answers(),
        ["old.example. 3600 IN NS a.ns.old.example.", "old.example. 3600 IN NS b.ns.example.net."]
    );
    assert_eq!(servers.additionals(), ["a.ns.old.example. 3600 IN A 192.0.2.53"]);
    let above = ask(&view, "old.example", rtype::DS);
    assert_eq!(above.authority[0].owner.to_string(), "example", "the zone around is ours as well");
    for (name, code) in [("ns.old.example", rcode::NOERROR), ("none.old.example", rcode::NXDOMAIN)] {
        let reply = ask(&view, name, rtype::A);
        assert_eq!((reply.rcode, reply.authorities()), (code, vec![NEGATIVE.to_owned()]), "{name}");
    }
}

#[test]
fn its_records_are_served_as_they_stand() {
    let view = site();
    assert_eq!(
        ask(&view, "www.old.example", rtype::A).answers(),
        ["www.old.example. 60 IN A 192.0.2.1", "www.old.example. 60 IN A 192.0.2.2"]
    );
    assert_eq!(
        ask(&view, "x.wild.old.example", 16).answers(),
        ["x.wild.old.example. 3600 IN TXT \"one\" \"two\""]
    );
    let of_empty = ask(&view, "y.w.old.example", rtype::A);
    assert_eq!(
        (of_empty.rcode, of_empty.answer.len()),
        (rcode::NOERROR, 0),
        "the wildcard exists, without data"
    );
    let referral = ask(&view, "x.sub.old.example", rtype::A);
    assert_eq!(
        (referral.aa(), referral.additionals()),
        (false, vec!["ns.sub.old.example. 3600 IN A 192.0.2.54".to_owned()])
    );
    assert_eq!(
        ask(&view, "strange.old.example", 65_280).answers(),
        ["strange.old.example. 3600 IN TYPE65280 \\# 3 abcdef"]
    );
    assert_eq!(ask(&view, "sig.old.example", 46).answer.len(), 1);
}

#[test]
fn what_signs_an_alias_or_a_delegation_stands_beside_it() {
    let view = site();
    let (cname, rrsig, nsec, key) = (5, 46, 47, 25);
    for (rtype, answers) in [(cname, 1), (rrsig, 1), (nsec, 1), (key, 1), (rtype::A, 3), (rtype::ANY, 1)] {
        let reply = ask(&view, "alias.old.example", rtype);
        assert_eq!((reply.rcode, reply.answer.len()), (rcode::NOERROR, answers), "{rtype}");
    }
    let signatures = ask(&view, "signed.old.example", rrsig);
    let ttls: Vec<u32> = signatures.answer.iter().map(|record| record.ttl).collect();
    assert_eq!(ttls, [60, 7200], "each as that of what it signs");
    let of_cut = ask(&view, "lab.old.example", rtype::DS);
    assert_eq!((of_cut.aa(), of_cut.answer.len()), (true, 1));
}

#[test]
fn names_in_data_keep_their_case_and_differ_by_nothing_else() {
    let file = r#"$ORIGIN Old.Example.
@    1h SOA Ns.Old.Example. Host.Master 7 1 2 3 4
     1h NS  Ns
ns   1h A   192.0.2.53
a    1h CNAME Www.Old.example.
b    1h MX  10 Mail
b    1h MX  10 mail
c    1h SRV 1 2 3 Www.Lab
d    1h NAPTR 1 2 "S" "" "" Www
e    1h TYPE5 \# 5 0341624300
"#;
    let zones = format!("{SITE}[zone.\"lab.example\"]\n[zone.\"old.example\"]\nfile = \"old.zone\"\n");
    let view = DnsView::build(&snapshot(&[("zones.toml", &zones), ("zones/old.zone", file)]));
    for (name, rtype, answer) in [
        ("old.example", rtype::SOA, "3600 IN SOA Ns.Old.Example. Host.Master.Old.Example. 0 1 2 3 4"),
        ("OLD.EXAMPLE", rtype::NS, "3600 IN NS Ns.Old.Example."),
        ("a.old.example", rtype::CNAME, "3600 IN CNAME Www.Old.example."),
        ("b.old.example", rtype::MX, "3600 IN MX 10 Mail.Old.Example."),
        ("c.old.example", rtype::SRV, "3600 IN SRV 1 2 3 Www.Lab.Old.Example."),
        ("d.old.example", 35, "3600 IN NAPTR 1 2 \"S\" \"\" \"\" Www.Old.Example."),
        ("e.old.example", rtype::CNAME, "3600 IN CNAME AbC."),
    ] {
        let answers = ask(&view, name, rtype).answers();
        let data: Vec<&str> = answers.iter().filter_map(|answer| Some(answer.split_once(' ')?.1)).collect();
        assert_eq!(data, [answer], "{name}");
    }
}

#[test]
fn hosts_may_lie_in_it() {
    let view = site();
    let reply = ask(&view, "added.old.example", rtype::A);
    assert_eq!(reply.answers(), ["added.old.example. 600 IN A 10.20.0.77"], "with the zone's own TTL");
    let reply = ask(&view, "77.0.20.10.in-addr.arpa", rtype::PTR);
    assert_eq!(reply.answers()[0].split(' ').next_back(), Some("added.old.example."));
}

#[test]
fn the_zone_around_delegates_to_it() {
    let view = site();
    let records: Vec<String> = view
        .records_of(view.zone_of(&crate::testing::name("example")).unwrap())
        .iter()
        .map(ToString::to_string)
        .collect();
    for server in ["a.ns.old.example", "b.ns.example.net"] {
        assert!(records.contains(&format!("old.example. 3600 IN NS {server}.")), "{records:#?}");
    }
    // With the addresses of servers that lie below: who copies this zone alone could not find them else.
    for glue in ["a.ns.old.example. 3600 IN A 192.0.2.53", "ns1.lab.example. 3600 IN A 10.20.0.2"] {
        assert!(records.contains(&glue.to_owned()), "{records:#?}");
    }
    assert!(!records.iter().any(|record| record.starts_with("www.old.example")), "{records:#?}");
}
