//! Delegations, CNAME and DNAME records, alone and in chains.

use crate::core::{Outcome, Reason, rcode};
use crate::testing::query::ask;
use crate::testing::{Ask, Reply, TCP, view};
use crate::view::{DnsView, rtype};

fn site(records: &str) -> DnsView {
    view(&format!("[zone.\"lab.example\"]\nrecords = '''\n{records}\n'''\n[zone.\"other.example\"]\n"))
}

#[track_caller]
fn is(reply: &Reply, code: u16, aa: bool, answers: &[&str], authorities: &[&str]) {
    assert_eq!((reply.rcode, reply.aa()), (code, aa), "{reply:#?}");
    assert_eq!(reply.answers(), answers);
    assert_eq!(reply.authorities(), authorities);
}

const SOA: &str = "lab.example. 300 IN SOA ns1.lab.example. hostmaster.lab.example. 7 86400 900 3600000 300";

#[test]
fn what_is_delegated_is_referred_with_glue() {
    let view = site("sub NS ns.sub\nsub NS ns.elsewhere.test.\nns.sub A 192.0.2.1\nns.sub AAAA 2001:db8::1");
    let servers =
        ["sub.lab.example. 3600 IN NS ns.elsewhere.test.", "sub.lab.example. 3600 IN NS ns.sub.lab.example."];
    let mut servers = servers.map(str::to_owned);
    for name in ["sub.lab.example", "www.sub.lab.example", "a.b.sub.lab.example", "ns.sub.lab.example"] {
        for rtype in [rtype::A, rtype::NS, rtype::SOA, rtype::ANY] {
            let reply = ask(&view, name, rtype);
            assert_eq!((reply.rcode, reply.aa(), reply.answer.len()), (rcode::NOERROR, false, 0), "{name}");
            let mut said = reply.authorities();
            said.sort();
            servers.sort();
            assert_eq!(said, servers, "{name}");
            assert_eq!(
                reply.additionals(),
                ["ns.sub.lab.example. 3600 IN A 192.0.2.1", "ns.sub.lab.example. 3600 IN AAAA 2001:db8::1"]
            );
        }
    }
}

#[test]
fn ds_records_are_the_parents() {
    let digest = "00".repeat(32);
    let view =
        site(&format!("sub NS ns.elsewhere.test.\nsub DS 1 13 2 {digest}\nbare NS ns.elsewhere.test."));
    let reply = ask(&view, "sub.lab.example", rtype::DS);
    assert_eq!((reply.rcode, reply.aa(), reply.answer.len()), (rcode::NOERROR, true, 1));
    is(&ask(&view, "bare.lab.example", rtype::DS), rcode::NOERROR, true, &[], &[SOA]);
    let below = ask(&view, "x.bare.lab.example", rtype::DS);
    assert!(!below.aa() && below.authority.len() == 1, "below the cut it is a referral");
    let apex = ask(&view, "lab.example", rtype::DS);
    is(&apex, rcode::NOERROR, true, &[], &[SOA]);
}

#[test]
fn a_zone_of_ours_below_one_of_ours_answers_for_itself() {
    let view = view("[zone.\"lab.example\"]\n[zone.\"sub.lab.example\"]\nrecords = 'www A 192.0.2.1'\n");
    let reply = ask(&view, "www.sub.lab.example", rtype::A);
    is(&reply, rcode::NOERROR, true, &["www.sub.lab.example. 3600 IN A 192.0.2.1"], &[]);
    is(&ask(&view, "sub.lab.example", rtype::DS), rcode::NOERROR, true, &[], &[SOA]);
    assert_eq!(ask(&view, "sub.lab.example", rtype::SOA).answer[0].owner.to_string(), "sub.lab.example");
}

#[test]
fn chains_go_through_all_our_zones_and_end_outside() {
    let view = view(
        "[zone.\"lab.example\"]\nrecords = '''\na CNAME b.other.example.\nc CNAME www.elsewhere.test.\n\
         d CNAME nothing\ne CNAME x.sub\nsub NS ns.elsewhere.test.'''\n\
         [zone.\"other.example\"]\nrecords = 'b CNAME ns1.lab.example.'\n",
    );
    let reply = ask(&view, "a.lab.example", rtype::A);
    let chain = [
        "a.lab.example. 3600 IN CNAME b.other.example.",
        "b.other.example. 3600 IN CNAME ns1.lab.example.",
        "ns1.lab.example. 3600 IN A 10.20.0.2",
    ];
    is(&reply, rcode::NOERROR, true, &chain, &[]);
    let outside = ask(&view, "c.lab.example", rtype::A);
    is(&outside, rcode::NOERROR, true, &["c.lab.example. 3600 IN CNAME www.elsewhere.test."], &[]);
    let nowhere = ask(&view, "d.lab.example", rtype::A);
    is(&nowhere, rcode::NXDOMAIN, true, &["d.lab.example. 3600 IN CNAME nothing.lab.example."], &[SOA]);
    let below_a_cut = ask(&view, "e.lab.example", rtype::A);
    let referral = ["sub.lab.example. 3600 IN NS ns.elsewhere.test."];
    is(&below_a_cut, rcode::NOERROR, true, &["e.lab.example. 3600 IN CNAME x.sub.lab.example."], &referral);
}

#[test]
fn loops_end_and_long_chains_are_bounded() {
    let view = site("a CNAME b\nb CNAME a\nself CNAME self");
    let reply = ask(&view, "a.lab.example", rtype::A);
    let chain =
        ["a.lab.example. 3600 IN CNAME b.lab.example.", "b.lab.example. 3600 IN CNAME a.lab.example."];
    is(&reply, rcode::NOERROR, true, &chain, &[]);
    assert_eq!(ask(&view, "self.lab.example", rtype::A).answer.len(), 1);
    let long: String = (0..40).map(|n| format!("c{n} CNAME c{}\n", n + 1)).collect();
    let reply = ask(&site(&long), "c0.lab.example", rtype::A);
    assert_eq!((reply.rcode, reply.answer.len()), (rcode::NOERROR, 16));
}

#[test]
fn dname_records_redirect_what_is_below_them() {
    let view = site("old DNAME new\nold TXT \"here\"\nwww.new A 192.0.2.1\naway DNAME elsewhere.test.");
    let reply = ask(&view, "www.old.lab.example", rtype::A);
    let records = [
        "old.lab.example. 3600 IN DNAME new.lab.example.",
        "www.old.lab.example. 3600 IN CNAME www.new.lab.example.",
        "www.new.lab.example. 3600 IN A 192.0.2.1",
    ];
    is(&reply, rcode::NOERROR, true, &records, &[]);
    is(
        &ask(&view, "x.old.lab.example", rtype::A),
        rcode::NXDOMAIN,
        true,
        &[records[0], "x.old.lab.example. 3600 IN CNAME x.new.lab.example."],
        &[SOA],
    );
    is(&ask(&view, "old.lab.example", rtype::DNAME), rcode::NOERROR, true, &records[..1], &[]);
    assert_eq!(ask(&view, "old.lab.example", 16).answers(), ["old.lab.example. 3600 IN TXT \"here\""]);
    is(&ask(&view, "old.lab.example", rtype::A), rcode::NOERROR, true, &[], &[SOA]);
    is(&ask(&view, "www.old.lab.example", rtype::CNAME), rcode::NOERROR, true, &records[..2], &[]);
    let away = ask(&view, "x.away.lab.example", rtype::A);
    assert_eq!((away.rcode, away.answer.len()), (rcode::NOERROR, 2));
}

#[test]
fn a_redirection_to_a_name_that_is_too_long_says_so() {
    let label = "x".repeat(63);
    let view = site(&format!("old DNAME {label}.{label}.new"));
    let ask = Ask::new(&format!("{label}.{label}.old.lab.example"), rtype::A);
    let (outcome, reply) = ask.by(&view, TCP);
    assert!(matches!(outcome, Outcome::Failed { reason: Reason::RedirectTooLong, .. }));
    let reply = reply.unwrap();
    assert_eq!((reply.rcode, reply.aa(), reply.answer.len()), (rcode::YXDOMAIN, true, 1));
    assert_eq!(reply.answer[0].rtype, rtype::DNAME);
}

#[test]
fn dname_loops_end() {
    let view = site("a DNAME b\nb DNAME a\ngrow DNAME x.grow");
    assert_eq!(ask(&view, "x.a.lab.example", rtype::A).answer.len(), 4);
    let reply = ask(&view, "y.grow.lab.example", rtype::A);
    assert_eq!((reply.rcode, reply.answer.len()), (rcode::NOERROR, 2), "it leads below itself");
    let view = site("a DNAME b\nx.b CNAME a");
    let reply = ask(&view, "x.a.lab.example", rtype::DNAME);
    assert_eq!(reply.answer.len(), 3, "the DNAME record stands there once: {:?}", reply.answers());
}

#[test]
fn wildcards_may_lead_on() {
    let view = site("*.w CNAME ns1\n*.n CNAME x.n");
    is(
        &ask(&view, "q.w.lab.example", rtype::A),
        rcode::NOERROR,
        true,
        &["q.w.lab.example. 3600 IN CNAME ns1.lab.example.", "ns1.lab.example. 3600 IN A 10.20.0.2"],
        &[],
    );
    assert_eq!(ask(&view, "q.n.lab.example", rtype::A).answer.len(), 2);
}
