//! Zones, questions and answers as standards print them: RFC 1034, section 6; RFC 4035, appendix B; RFC 4592, section
//! 2.2.1; RFC 6672, section 2.3; RFC 2308, section 10.

use crate::core::rcode;
use crate::testing::query::ask;
use crate::testing::{Reply, snapshot};
use crate::view::{DnsView, rtype};

const HINFO: u16 = 13;
const TXT: u16 = 16;

/// The view of whole master files: zone and text.
#[track_caller]
pub(super) fn serve(zones: &[(&str, &str)]) -> DnsView {
    let site: String = zones
        .iter()
        .enumerate()
        .map(|(n, (zone, _))| format!("[zone.\"{zone}\"]\nfile = \"{n}.zone\"\n"))
        .collect();
    let names: Vec<String> = (0..zones.len()).map(|n| format!("{n}.zone")).collect();
    let mut files = vec![("site.toml", site.as_str())];
    files.extend(names.iter().map(String::as_str).zip(zones.iter().map(|(_, text)| *text)));
    let mut view = DnsView::build(&snapshot(&files));
    view.set_serials(|_| 870_611);
    view
}

/// Sections in the order of the standard; records in any order, names in any case. Nothing is truncated, and no
/// flag but AA is set.
#[track_caller]
pub(super) fn says(reply: &Reply, rcode: u16, aa: bool, sections: [&[&str]; 3]) {
    let flags = 0x8000 | rcode | if aa { 0x0400 } else { 0 };
    assert_eq!((reply.rcode, reply.flags), (rcode, flags), "{reply:#?}");
    assert!(reply.question.is_some(), "{reply:#?}");
    let said = [reply.answers(), reply.authorities(), reply.additionals()];
    for (mut said, wanted) in said.into_iter().zip(sections) {
        let mut wanted: Vec<String> = wanted.iter().map(|line| line.to_lowercase()).collect();
        said.iter_mut().for_each(|line| *line = line.to_lowercase());
        said.sort();
        wanted.sort();
        assert_eq!(said, wanted, "{reply:#?}");
    }
}

const WILDCARDS: &str = r#"$ORIGIN example.
@ 3600 IN SOA ns.example.com. hostmaster.example.com. 1 3600 600 86400 300
example.                 3600     NS    ns.example.com.
example.                 3600     NS    ns.example.net.
*.example.               3600     TXT   "this is a wildcard"
*.example.               3600     MX    10 host1.example.
sub.*.example.           3600     TXT   "this is not a wildcard"
host1.example.           3600     A     192.0.2.1
_ssh._tcp.host1.example. 3600     SRV   0 0 22 host1.example.
_ssh._tcp.host2.example. 3600     SRV   0 0 22 host1.example.
subdel.example.          3600     NS    ns.example.com.
subdel.example.          3600     NS    ns.example.net.
"#;

#[test]
fn rfc_4592_wildcards_stand_for_what_does_not_exist() {
    let view = serve(&[("example", WILDCARDS)]);
    let soa = ["example. 300 IN SOA ns.example.com. hostmaster.example.com. 870611 3600 600 86400 300"];
    let address = ["host1.example. 3600 IN A 192.0.2.1"];
    let mail = ["host3.example. 3600 IN MX 10 host1.example."];
    says(&ask(&view, "host3.example", rtype::MX), rcode::NOERROR, true, [&mail, &[], &address]);
    says(&ask(&view, "host3.example", rtype::A), rcode::NOERROR, true, [&[], &soa, &[]]);
    let text = ["foo.bar.example. 3600 IN TXT \"this is a wildcard\""];
    says(&ask(&view, "foo.bar.example", TXT), rcode::NOERROR, true, [&text, &[], &[]]);
}

#[test]
fn rfc_4592_wildcards_do_not_stand_for_what_exists_nor_for_what_is_below_it() {
    let view = serve(&[("example", WILDCARDS)]);
    let soa = ["example. 300 IN SOA ns.example.com. hostmaster.example.com. 870611 3600 600 86400 300"];
    for (name, rtype, code) in [
        ("host1.example", rtype::MX, rcode::NOERROR),
        ("sub.*.example", rtype::MX, rcode::NOERROR),
        ("_telnet._tcp.host1.example", rtype::SRV, rcode::NXDOMAIN),
        ("ghost.*.example", rtype::MX, rcode::NXDOMAIN),
        // "host2" and "_tcp.host2" are empty non-terminals.
        ("host2.example", rtype::MX, rcode::NOERROR),
        ("_tcp.host2.example", TXT, rcode::NOERROR),
        ("x.host2.example", TXT, rcode::NXDOMAIN),
    ] {
        let reply = ask(&view, name, rtype);
        says(&reply, code, true, [&[], &soa, &[]]);
    }
    let servers =
        ["subdel.example. 3600 IN NS ns.example.com.", "subdel.example. 3600 IN NS ns.example.net."];
    says(&ask(&view, "host.subdel.example", rtype::A), rcode::NOERROR, false, [&[], &servers, &[]]);
    // The wildcard's own name, and what is written below it, are names like any other.
    let own = ["*.example. 3600 IN TXT \"this is a wildcard\""];
    says(&ask(&view, "*.example", TXT), rcode::NOERROR, true, [&own, &[], &[]]);
    let below = ["sub.*.example. 3600 IN TXT \"this is not a wildcard\""];
    says(&ask(&view, "sub.*.example", TXT), rcode::NOERROR, true, [&below, &[], &[]]);
}

/// RFC 6672, section 2.3, table 1: question, owner, target, result; `None`: no match, which the RFC leaves to the
/// zone.
const REDIRECTIONS: [(&str, &str, &str, Option<&str>); 11] = [
    ("example.com", "example.com", "example.net", None),
    ("a.example.com", "example.com", "example.net", Some("a.example.net")),
    ("a.b.example.com", "example.com", "example.net", Some("a.b.example.net")),
    ("ab.example.com", "b.example.com", "example.net", None),
    ("foo.example.com", "example.com", "example.net", Some("foo.example.net")),
    ("a.x.example.com", "x.example.com", "example.net", Some("a.example.net")),
    ("a.example.com", "example.com", "y.example.net", Some("a.y.example.net")),
    ("cyc.example.com", "example.com", "example.com", Some("cyc.example.com")),
    ("cyc.example.com", "example.com", "c.example.com", Some("cyc.c.example.com")),
    ("shortloop.x.x", "x", "", Some("shortloop.x")),
    ("shortloop.x", "x", "", Some("shortloop")),
];

#[test]
fn rfc_6672_every_line_of_the_table_of_redirections_holds() {
    for (question, owner, target, result) in REDIRECTIONS {
        let zone = if owner == "x" { "x" } else { "example.com" };
        let text = format!(
            "@ 300 SOA ns.elsewhere.test. host.elsewhere.test. 1 2 3 4 5\n@ 300 NS ns.elsewhere.test.\n\
             {owner}. 300 DNAME {target}.\n"
        );
        let reply = ask(&serve(&[(zone, &text)]), question, rtype::A);
        let dname = format!("{owner}. 300 IN DNAME {target}.");
        match result {
            None => {
                let code = if question == owner { rcode::NOERROR } else { rcode::NXDOMAIN };
                let soa = format!("{zone}. 5 IN SOA ns.elsewhere.test. host.elsewhere.test. 870611 2 3 4 5");
                says(&reply, code, true, [&[], &[&soa], &[]]);
            }
            Some(result) => {
                let cname = format!("{question}. 300 IN CNAME {result}.");
                assert_eq!(reply.answers()[..2], [dname, cname], "{question} {owner} {target}");
                assert_eq!((reply.aa(), reply.tc(), reply.additional.len()), (true, false, 0), "{question}");
                // It leads out of the zone, or in a circle.
                assert_eq!(reply.rcode, rcode::NOERROR, "{question} {owner} {target}: {reply:#?}");
            }
        }
    }
}

const ROOT: &str = include_str!("published/rfc1034-root.zone");
const EDU: &str = include_str!("published/rfc1034-edu.zone");

/// Server C.ISI.EDU of RFC 1034, section 6.1: it has the root and EDU.
fn c_isi_edu() -> DnsView {
    serve(&[(".", ROOT), ("edu", EDU)])
}

const ROOT_SOA: &str = ". 86400 IN SOA sri-nic.arpa. hostmaster.sri-nic.arpa. 870611 1800 300 604800 86400";
const NIC: [&str; 2] = ["sri-nic.arpa. 86400 IN A 26.0.0.73", "sri-nic.arpa. 86400 IN A 10.0.0.51"];

#[test]
fn rfc_1034_6_2_1_and_2_addresses_and_all_types() {
    let view = c_isi_edu();
    says(&ask(&view, "SRI-NIC.ARPA", rtype::A), rcode::NOERROR, true, [&NIC, &[], &[]]);
    let any = ask(&view, "SRI-NIC.ARPA", rtype::ANY);
    says(&any, rcode::NOERROR, true, [&NIC, &[], &[]]);
    assert_eq!(any.answer.len(), 2, "one RRset of them (RFC 8482)");
}

#[test]
fn rfc_1034_6_2_3_and_4_mail_and_a_type_that_is_not_there() {
    let view = c_isi_edu();
    let mail = ["sri-nic.arpa. 86400 IN MX 0 sri-nic.arpa."];
    says(&ask(&view, "SRI-NIC.ARPA", rtype::MX), rcode::NOERROR, true, [&mail, &[], &NIC]);
    says(&ask(&view, "SRI-NIC.ARPA", rtype::NS), rcode::NOERROR, true, [&[], &[ROOT_SOA], &[]]);
    let info = ["sri-nic.arpa. 86400 IN HINFO \"DEC-2060\" \"TOPS20\""];
    says(&ask(&view, "SRI-NIC.ARPA", HINFO), rcode::NOERROR, true, [&info, &[], &[]]);
}

#[test]
fn rfc_1034_6_2_5_a_name_that_is_mistyped() {
    says(&ask(&c_isi_edu(), "SIR-NIC.ARPA", rtype::A), rcode::NXDOMAIN, true, [&[], &[ROOT_SOA], &[]]);
}

#[test]
fn rfc_1034_6_2_6_a_name_in_a_zone_of_others() {
    let servers = ["mil. 86400 IN NS sri-nic.arpa.", "mil. 86400 IN NS a.isi.edu."];
    let reply = ask(&c_isi_edu(), "BRL.MIL", rtype::A);
    let addresses = [NIC[0], NIC[1], "a.isi.edu. 172800 IN A 26.3.0.103"];
    says(&reply, rcode::NOERROR, false, [&[], &servers, &addresses]);
}

#[test]
fn rfc_1034_6_2_7_and_8_an_alias_and_the_alias_itself() {
    let view = c_isi_edu();
    let alias = ["usc-isic.arpa. 86400 IN CNAME c.isi.edu."];
    let reply = ask(&view, "USC-ISIC.ARPA", rtype::A);
    // It leads into a zone of others, whose servers are those of a referral.
    let referral = ask(&view, "C.ISI.EDU", rtype::A);
    assert_eq!((referral.authority.len(), referral.additional.len()), (3, 5), "{referral:#?}");
    let both = [referral.authorities(), referral.additionals()];
    let [servers, addresses] =
        both.each_ref().map(|lines| lines.iter().map(String::as_str).collect::<Vec<_>>());
    says(&reply, rcode::NOERROR, true, [&alias, &servers, &addresses]);
    says(&ask(&view, "USC-ISIC.ARPA", rtype::CNAME), rcode::NOERROR, true, [&alias, &[], &[]]);
}

#[test]
fn rfc_1034_6_3_reverse_names_and_glue_below_a_delegation() {
    let view = c_isi_edu();
    let pointer = ["65.0.6.26.in-addr.arpa. 86400 IN PTR acc.arpa."];
    says(&ask(&view, "65.0.6.26.IN-ADDR.ARPA", rtype::PTR), rcode::NOERROR, true, [&pointer, &[], &[]]);
    let servers = ["uci.edu. 172800 IN NS ics.uci.edu.", "uci.edu. 172800 IN NS rome.uci.edu."];
    let glue = ["ics.uci.edu. 172800 IN A 192.5.19.1", "rome.uci.edu. 172800 IN A 192.5.19.31"];
    says(&ask(&view, "ICS.UCI.EDU", rtype::A), rcode::NOERROR, false, [&[], &servers, &glue]);
    // 26.IN-ADDR.ARPA and what is between it and the names are there without data.
    says(&ask(&view, "26.IN-ADDR.ARPA", rtype::PTR), rcode::NOERROR, true, [&[], &[ROOT_SOA], &[]]);
}

#[test]
fn rfc_2308_negative_answers_live_as_long_as_the_lower_of_soa_ttl_and_minimum() {
    for (ttl, minimum, wanted) in [(1200, 86_400, 1200), (86_400, 1200, 1200), (0, 300, 0), (300, 0, 0)] {
        let text = format!(
            "@ {ttl} SOA ns host 1 1800 900 604800 {minimum}\n@ 300 NS ns\nns 300 A 127.0.0.1\n\
             triple 300 CNAME nothing\n"
        );
        let view = serve(&[("xx", &text)]);
        for (name, rtype, code) in [
            ("nx.xx", rtype::A, rcode::NXDOMAIN),
            ("ns.xx", rtype::MX, rcode::NOERROR),
            ("triple.xx", rtype::A, rcode::NXDOMAIN),
        ] {
            let reply = ask(&view, name, rtype);
            let soa = format!("xx. {wanted} IN SOA ns.xx. host.xx. 870611 1800 900 604800 {minimum}");
            assert_eq!((reply.rcode, reply.authorities()), (code, vec![soa]), "{name}");
        }
        assert_eq!(ask(&view, "xx", rtype::SOA).answer[0].ttl, ttl, "asked for, it has its own");
    }
}

/// The zone of RFC 4035, appendix A, without what signing adds.
const SIGNED: &str = r#"$TTL 3600
@      SOA   ns1 bugs.x.w 1081539377 3600 300 3600000 3600
       NS    ns1
       NS    ns2
       MX    1 xx
a      NS    ns1.a
       NS    ns2.a
       DS    57855 5 1 B6DCD485719ADCA18E5F3D48A2331627FDD3636B
ns1.a  A     192.0.2.5
ns2.a  A     192.0.2.6
ai     A     192.0.2.9
       HINFO "KLH-10" "ITS"
       AAAA  2001:db8::f00:baa9
b      NS    ns1.b
       NS    ns2.b
ns1.b  A     192.0.2.7
ns2.b  A     192.0.2.8
ns1    A     192.0.2.1
ns2    A     192.0.2.2
*.w    MX    1 ai
x.w    MX    1 xx
x.y.w  MX    1 xx
xx     A     192.0.2.10
       HINFO "KLH-10" "TOPS-20"
       AAAA  2001:db8::f00:baaa
"#;

#[test]
fn rfc_4035_appendix_b_has_these_answers_but_for_signatures_and_servers_that_nobody_asked_for() {
    let view = serve(&[("example", SIGNED)]);
    let soa = ["example. 3600 IN SOA ns1.example. bugs.x.w.example. 870611 3600 300 3600000 3600"];
    let xx = ["xx.example. 3600 IN A 192.0.2.10", "xx.example. 3600 IN AAAA 2001:db8::f00:baaa"];
    let ai = ["ai.example. 3600 IN A 192.0.2.9", "ai.example. 3600 IN AAAA 2001:db8::f00:baa9"];
    let mx = rtype::MX;
    // B.1 to B.3.
    let mail = ["x.w.example. 3600 IN MX 1 xx.example."];
    says(&ask(&view, "x.w.example", mx), rcode::NOERROR, true, [&mail, &[], &xx]);
    says(&ask(&view, "ml.example", rtype::A), rcode::NXDOMAIN, true, [&[], &soa, &[]]);
    says(&ask(&view, "ns1.example", mx), rcode::NOERROR, true, [&[], &soa, &[]]);
    // B.4 and B.5.
    for (zone, addresses) in [("a", ["192.0.2.5", "192.0.2.6"]), ("b", ["192.0.2.7", "192.0.2.8"])] {
        let servers = ["ns1", "ns2"].map(|ns| format!("{zone}.example. 3600 IN NS {ns}.{zone}.example."));
        let glue = [("ns1", addresses[0]), ("ns2", addresses[1])]
            .map(|(ns, address)| format!("{ns}.{zone}.example. 3600 IN A {address}"));
        let [servers, glue] = [&servers, &glue].map(|lines| lines.each_ref().map(String::as_str));
        let reply = ask(&view, &format!("mc.{zone}.example"), mx);
        says(&reply, rcode::NOERROR, false, [&[], &servers, &glue]);
    }
    // B.6 to B.8.
    let expanded = ["a.z.w.example. 3600 IN MX 1 ai.example."];
    says(&ask(&view, "a.z.w.example", mx), rcode::NOERROR, true, [&expanded, &[], &ai]);
    says(&ask(&view, "a.z.w.example", rtype::AAAA), rcode::NOERROR, true, [&[], &soa, &[]]);
    says(&ask(&view, "example", rtype::DS), rcode::NOERROR, true, [&[], &soa, &[]]);
}
