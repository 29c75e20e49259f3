//! What stands beside an answer: records that are asked for next.

use super::published::{says, serve};
use crate::core::rcode::NOERROR;
use crate::testing::query::ask;
use crate::view::DnsView;
use crate::view::rtype::{AFSDB, HTTPS, KX, MX, NAPTR, NS, RT, SRV, SVCB};

const ZONE: &str = r#"$TTL 300
@          SOA   ns host 1 2 3 4 5
           NS    ns
           NS    ns.elsewhere.test.
ns         A     192.0.2.53
           AAAA  2001:db8::53
a          A     192.0.2.1
b          A     192.0.2.2
mail       MX    1 a
           MX    2 a
           MX    3 b
files      AFSDB 1 a
route      RT    1 a
keys       KX    1 a
web        HTTPS 1 . alpn=h2
           A     192.0.2.3
other      HTTPS 1 a alpn=h2
           HTTPS 2 b port=8443
moved      HTTPS 0 web
_dns       SVCB  0 svc
svc        SVCB  1 a port=853
gone       SVCB  0 .
*.wild     HTTPS 1 . alpn=h2
           A     192.0.2.4
_sip._udp  SRV   1 1 5060 a
rules      NAPTR 1 1 "s" "SIP+D2U" "" _sip._udp
host-rule  NAPTR 1 1 "A" "x" "" a
uri-rule   NAPTR 1 1 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .
cut        NS    ns.cut
ns.cut     A     192.0.2.9
into-cut   MX    1 ns.cut
apart      MX    1 a.other.test.
"#;

fn site() -> DnsView {
    let other = "@ 300 SOA ns host 1 2 3 4 5\n@ 300 NS ns\nns 300 A 192.0.2.1\na 300 A 192.0.2.7\n";
    serve(&[("t", ZONE), ("other.test", other)])
}

const A: &str = "a.t. 300 IN A 192.0.2.1";
const B: &str = "b.t. 300 IN A 192.0.2.2";
const WEB: &str = "web.t. 300 IN HTTPS 1 . alpn=\"h2\"";
const WEB_A: &str = "web.t. 300 IN A 192.0.2.3";
const SIP: &str = "_sip._udp.t. 300 IN SRV 1 1 5060 a.t.";

#[test]
fn what_is_asked_for_next_stands_beside_the_answer() {
    let view = site();
    for (name, rtype, wanted) in [
        ("t", NS, &["ns.t. 300 IN A 192.0.2.53", "ns.t. 300 IN AAAA 2001:db8::53"][..]),
        ("mail.t", MX, &[A, B]),
        ("_sip._udp.t", SRV, &[A]),
        ("files.t", AFSDB, &[A]),
        ("route.t", RT, &[A]),
        ("keys.t", KX, &[A]),
        // A service is its owner's, or another's.
        ("web.t", HTTPS, &[WEB_A]),
        ("other.t", HTTPS, &[A, B]),
        // An alias leads to a service, which is asked for as well.
        ("moved.t", HTTPS, &[WEB, WEB_A]),
        ("_dns.t", SVCB, &["svc.t. 300 IN SVCB 1 a.t. port=853"]),
        ("gone.t", SVCB, &[]),
        ("x.wild.t", HTTPS, &[]),
        // The flag says what comes next.
        ("rules.t", NAPTR, &[SIP]),
        ("host-rule.t", NAPTR, &[A]),
        ("uri-rule.t", NAPTR, &[]),
        // What lies below a delegation is not ours to say; what is in another zone of ours is.
        ("into-cut.t", MX, &[]),
        ("apart.t", MX, &["a.other.test. 300 IN A 192.0.2.7"]),
    ] {
        let reply = ask(&view, name, rtype);
        let answers = reply.answers();
        let answers: Vec<&str> = answers.iter().map(String::as_str).collect();
        assert!(!answers.is_empty(), "{name}");
        says(&reply, NOERROR, true, [&answers, &[], wanted]);
    }
}
