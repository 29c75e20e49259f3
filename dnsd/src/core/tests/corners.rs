//! The corners at which name servers were found to differ from the standards by those who asked eight of them
//! (Kakarla et al., "SCALE: Automatically Finding RFC Compliance Bugs in DNS Nameservers", NSDI 2022): each kind
//! of fault as a question, with the whole answer.

use super::published::{says, serve};
use crate::core::rcode::{NOERROR, NXDOMAIN};
use crate::testing::query::ask;
use crate::view::rtype::{A, ANY, CNAME, DNAME, DS, NS};

const TXT: u16 = 16;

const ZONE: &str = r#"$TTL 300
@       SOA   ns host 1 2 3 4 5
        NS    ns
ns      A     192.0.2.53
*.star  A     192.0.2.1
tostar  CNAME *.star
a       DNAME b
b       DNAME c
x.c     A     192.0.2.2
*.wd    CNAME x.a
alias   CNAME tostar
cut     NS    ns.cut
        NS    ns.side
        DS    1 8 2 0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a
ns.cut  A     192.0.2.3
side    NS    ns.side
        NS    side
ns.side AAAA  2001:db8::3
side    A     192.0.2.4
*.cut   A     192.0.2.9
below   CNAME hidden.cut
hidden.cut A  192.0.2.9
*.e     TXT   "wild"
y.ent.e A     192.0.2.5
one     CNAME two
two     CNAME one
*.loop  CNAME x.loop
out     CNAME www.elsewhere.test.
gone    CNAME nothing.e2
self    DNAME self
own     DNAME c
        A     192.0.2.6
*.dn    DNAME c
a.b.*.w TXT   "below"
*.nsw   NS    ns.elsewhere.test.
esc\.d  A     192.0.2.7
\000\255 A    192.0.2.8
many    TXT   "a" "" "b;c" "\"d\""
"#;

/// Sections as master-file lines without class and, but for the SOA record, TTL.
struct Corner {
    asked: (&'static str, u16),
    rcode: u16,
    aa: bool,
    sections: [&'static [&'static str]; 3],
}

const fn corner(
    asked: (&'static str, u16),
    rcode: u16,
    aa: bool,
    sections: [&'static [&'static str]; 3],
) -> Corner {
    Corner { asked, rcode, aa, sections }
}

const SOA: &str = "t. 5 IN SOA ns.t. host.t. 870611 2 3 4 5";
const NONE: &[&str] = &[];
const CUT: &[&str] = &["cut.t. 300 IN NS ns.cut.t.", "cut.t. 300 IN NS ns.side.t."];
/// The second is a sibling's.
const GLUE: &[&str] = &["ns.cut.t. 300 IN A 192.0.2.3", "ns.side.t. 300 IN AAAA 2001:db8::3"];
const SIDE: &[&str] = &["side.t. 300 IN NS ns.side.t.", "side.t. 300 IN NS side.t."];
const SIDE_GLUE: &[&str] = &["ns.side.t. 300 IN AAAA 2001:db8::3", "side.t. 300 IN A 192.0.2.4"];

const CORNERS: &[Corner] = &[
    // A star in data is a name like any other.
    corner(
        ("tostar.t", A),
        NOERROR,
        true,
        [&["tostar.t. 300 IN CNAME *.star.t.", "*.star.t. 300 IN A 192.0.2.1"], NONE, NONE],
    ),
    corner(("q.w.star.t", A), NOERROR, true, [&["q.w.star.t. 300 IN A 192.0.2.1"], NONE, NONE]),
    // Redirections are followed through each other, and from wildcards.
    corner(
        ("x.a.t", A),
        NOERROR,
        true,
        [
            &[
                "a.t. 300 IN DNAME b.t.",
                "x.a.t. 300 IN CNAME x.b.t.",
                "b.t. 300 IN DNAME c.t.",
                "x.b.t. 300 IN CNAME x.c.t.",
                "x.c.t. 300 IN A 192.0.2.2",
            ],
            NONE,
            NONE,
        ],
    ),
    corner(
        ("q.wd.t", A),
        NOERROR,
        true,
        [
            &[
                "q.wd.t. 300 IN CNAME x.a.t.",
                "a.t. 300 IN DNAME b.t.",
                "x.a.t. 300 IN CNAME x.b.t.",
                "b.t. 300 IN DNAME c.t.",
                "x.b.t. 300 IN CNAME x.c.t.",
                "x.c.t. 300 IN A 192.0.2.2",
            ],
            NONE,
            NONE,
        ],
    ),
    // The response code is that of the last name.
    corner(
        ("y.b.t", A),
        NXDOMAIN,
        true,
        [&["b.t. 300 IN DNAME c.t.", "y.b.t. 300 IN CNAME y.c.t."], &[SOA], NONE],
    ),
    corner(("gone.t", A), NXDOMAIN, true, [&["gone.t. 300 IN CNAME nothing.e2.t."], &[SOA], NONE]),
    corner(("out.t", A), NOERROR, true, [&["out.t. 300 IN CNAME www.elsewhere.test."], NONE, NONE]),
    // The owner of a DNAME record is not redirected, nor is an alias that is asked for followed.
    corner(("own.t", A), NOERROR, true, [&["own.t. 300 IN A 192.0.2.6"], NONE, NONE]),
    corner(("a.t", TXT), NOERROR, true, [NONE, &[SOA], NONE]),
    corner(("a.t", DNAME), NOERROR, true, [&["a.t. 300 IN DNAME b.t."], NONE, NONE]),
    corner(("alias.t", CNAME), NOERROR, true, [&["alias.t. 300 IN CNAME tostar.t."], NONE, NONE]),
    corner(("x.alias.t", A), NXDOMAIN, true, [NONE, &[SOA], NONE]),
    // Delegations: no AA, no answers from below, glue of siblings, DS records from above.
    corner(("cut.t", NS), NOERROR, false, [NONE, CUT, GLUE]),
    corner(("q.cut.t", A), NOERROR, false, [NONE, CUT, GLUE]),
    corner(("ns.cut.t", A), NOERROR, false, [NONE, CUT, GLUE]),
    corner(
        ("cut.t", DS),
        NOERROR,
        true,
        [
            &["cut.t. 300 IN DS 1 8 2 0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"],
            NONE,
            NONE,
        ],
    ),
    corner(("side.t", DS), NOERROR, true, [NONE, &[SOA], NONE]),
    corner(("side.t", A), NOERROR, false, [NONE, SIDE, SIDE_GLUE]),
    corner(("below.t", A), NOERROR, true, [&["below.t. 300 IN CNAME hidden.cut.t."], CUT, GLUE]),
    // Names that exist only because of those below them.
    corner(("ent.e.t", TXT), NOERROR, true, [NONE, &[SOA], NONE]),
    corner(("q.ent.e.t", TXT), NXDOMAIN, true, [NONE, &[SOA], NONE]),
    corner(("q.q.e.t", TXT), NOERROR, true, [&["q.q.e.t. 300 IN TXT \"wild\""], NONE, NONE]),
    corner(("star.t", A), NOERROR, true, [NONE, &[SOA], NONE]),
    // A wildcard that exists only because of a name below it stands for names without data.
    corner(("q.w.t", TXT), NOERROR, true, [NONE, &[SOA], NONE]),
    corner(("q.q.w.t", A), NOERROR, true, [NONE, &[SOA], NONE]),
    corner(("b.*.w.t", TXT), NOERROR, true, [NONE, &[SOA], NONE]),
    corner(("q.b.*.w.t", TXT), NXDOMAIN, true, [NONE, &[SOA], NONE]),
    corner(("a.b.*.w.t", TXT), NOERROR, true, [&["a.b.*.w.t. 300 IN TXT \"below\""], NONE, NONE]),
    // What NS and DNAME records of a wildcard mean is open (RFC 4592, sections 4.2 and 4.4): they are data like any.
    corner(("q.nsw.t", NS), NOERROR, true, [&["q.nsw.t. 300 IN NS ns.elsewhere.test."], NONE, NONE]),
    corner(("q.nsw.t", A), NOERROR, true, [NONE, &[SOA], NONE]),
    corner(("q.dn.t", DNAME), NOERROR, true, [&["q.dn.t. 300 IN DNAME c.t."], NONE, NONE]),
    // One RRset for all types, also of a wildcard.
    corner(("q.e.t", ANY), NOERROR, true, [&["q.e.t. 300 IN TXT \"wild\""], NONE, NONE]),
    corner(("w.t", ANY), NOERROR, true, [NONE, &[SOA], NONE]),
    // Any octet may stand in a label, and any string in a text.
    corner(("esc\\.d.t", A), NOERROR, true, [&["esc\\.d.t. 300 IN A 192.0.2.7"], NONE, NONE]),
    corner(("d.t", A), NXDOMAIN, true, [NONE, &[SOA], NONE]),
    corner(("\\000\\255.t", A), NOERROR, true, [&["\\000\\255.t. 300 IN A 192.0.2.8"], NONE, NONE]),
    corner(
        ("many.t", TXT),
        NOERROR,
        true,
        [&["many.t. 300 IN TXT \"a\" \"\" \"b;c\" \"\\\"d\\\"\""], NONE, NONE],
    ),
    // Circles end.
    corner(
        ("one.t", A),
        NOERROR,
        true,
        [&["one.t. 300 IN CNAME two.t.", "two.t. 300 IN CNAME one.t."], NONE, NONE],
    ),
    corner(
        ("q.loop.t", A),
        NOERROR,
        true,
        [&["q.loop.t. 300 IN CNAME x.loop.t.", "x.loop.t. 300 IN CNAME x.loop.t."], NONE, NONE],
    ),
    corner(
        ("q.self.t", A),
        NOERROR,
        true,
        [&["self.t. 300 IN DNAME self.t.", "q.self.t. 300 IN CNAME q.self.t."], NONE, NONE],
    ),
];

#[test]
fn every_corner_where_servers_were_found_wrong_is_right() {
    let view = serve(&[("t", ZONE)]);
    for Corner { asked: (name, rtype), rcode, aa, sections } in CORNERS {
        says(&ask(&view, name, *rtype), *rcode, *aa, *sections);
    }
}
