//! The probes of the DNS flag days against the daemon on real sockets: what resolvers and their operators'
//! test tools (ISC's `ednscomp` and `genreport`) send, over UDP and TCP, and what RFC 1035, RFC 6891 and RFC
//! 8906 want for an answer.

use hickory_proto::op::{Edns, Message, MessageType};

use integration_tests::isolated::isolated;
use integration_tests::place::Place;
use integration_tests::programs::{Daemon, Launch};
use integration_tests::run::sh;

use super::differential::queries::{Asker, Question};

const SERVER: &str = "127.0.0.1";
const ZONE: &str = "lab.example.org";
const SOA: u16 = 6;
const DNSKEY: u16 = 48;
/// DO, the one flag of EDNS that means something.
const DO: u16 = 0x8000;
const NOERROR: u16 = 0;
const NOTIMP: u16 = 4;
const BADVERS: u16 = 16;

/// The lab, with more text at a name than a datagram holds.
fn serve(place: &Place) -> Daemon {
    place.edit("networks.toml", "@          TXT", &format!("{}@          TXT", big_records()));
    Launch::dnsd(place).args(&["--listen", SERVER]).start()
}

fn big_records() -> String {
    (0..12).map(|n| format!("big TXT \"{}\"\n", format!("{n:x}").repeat(200))).collect()
}

/// A query as `dig +norec +noad` sends it.
fn probe() -> Question {
    Question::plain(ZONE, SOA)
}

fn with_edns(version: u8, flags: u16, options: &[u8]) -> Question {
    Question { edns: Some((1232, version, flags, options.to_vec())), ..probe() }
}

/// An option that is not assigned, as `+ednsopt=100`.
const UNKNOWN: [u8; 4] = [0, 100, 0, 0];
/// NSID, client subnet 0.0.0.0/0, cookie and EXPIRE, all in one.
const LIST: [u8; 28] = [0, 3, 0, 0, 0, 8, 0, 4, 0, 1, 0, 0, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 9, 0, 0];

/// What has to come back.
struct Wanted {
    rcode: u16,
    /// Whether the SOA record is in the answer.
    soa: bool,
    /// Flags of the OPT record; `None`: there is none.
    edns: Option<u16>,
}

const PLAIN: Wanted = Wanted { rcode: NOERROR, soa: true, edns: None };
const EDNS: Wanted = Wanted { rcode: NOERROR, soa: true, edns: Some(0) };
const VERSION: Wanted = Wanted { rcode: BADVERS, soa: false, edns: Some(0) };

/// Probes by the names that `genreport` gives them.
fn probes() -> Vec<(&'static str, Question, Wanted)> {
    let flags = |flags| Question { flags, ..probe() };
    let rtype = |rtype| Question { rtype, ..probe() };
    let opcode = |opcode: u16| Question { flags: opcode << 11, ..probe() };
    let no_data = || Wanted { rcode: NOERROR, soa: false, edns: None };
    let not_implemented = || Wanted { rcode: NOTIMP, soa: false, edns: None };
    vec![
        ("dns", probe(), PLAIN),
        ("aa", flags(0x0400), PLAIN),
        ("ad", flags(0x0020), PLAIN),
        ("cd", flags(0x0010), PLAIN),
        ("ra", flags(0x0080), PLAIN),
        ("rd", flags(0x0100), PLAIN),
        ("tc", flags(0x0200), PLAIN),
        ("zflag", flags(0x0040), PLAIN),
        ("type666", rtype(666), no_data()),
        ("type1000", rtype(1000), no_data()),
        ("iquery", opcode(1), not_implemented()),
        ("status", opcode(2), not_implemented()),
        ("opcode3", opcode(3), not_implemented()),
        ("opcode6", opcode(6), not_implemented()),
        ("opcode15", opcode(15), not_implemented()),
        ("edns", with_edns(0, 0, &[]), EDNS),
        ("edns1", with_edns(1, 0, &[]), VERSION),
        ("edns100", with_edns(100, 0, &[]), VERSION),
        ("ednsopt", with_edns(0, 0, &UNKNOWN), EDNS),
        ("edns1opt", with_edns(1, 0, &UNKNOWN), VERSION),
        ("ednsflags", with_edns(0, 0x0080, &[]), EDNS),
        ("ednsflags, all", with_edns(0, 0x7fff, &[]), EDNS),
        ("edns1flags", with_edns(1, 0x0080, &[]), VERSION),
        ("do", with_edns(0, DO, &[]), Wanted { edns: Some(DO), ..EDNS }),
        ("edns1do", with_edns(1, DO, &[]), Wanted { edns: Some(DO), ..VERSION }),
        ("optlist", with_edns(0, 0, &LIST), EDNS),
        ("optlist, do", with_edns(0, DO, &LIST), Wanted { edns: Some(DO), ..EDNS }),
        ("subnet", with_edns(0, 0, &LIST[4..12]), EDNS),
        ("nsid", with_edns(0, 0, &LIST[..4]), EDNS),
        ("cookie", with_edns(0, 0, &LIST[12..24]), EDNS),
        ("expire", with_edns(0, 0, &LIST[24..]), EDNS),
        ("padding", with_edns(0, 0, &[0, 12, 0, 5, 0, 0, 0, 0, 0]), EDNS),
        ("chain", with_edns(0, 0, &[0, 13, 0, 1, 0]), EDNS),
        ("key tags", with_edns(0, 0, &[0, 14, 0, 2, 0x4f, 0x66]), EDNS),
        ("no size at all", Question { edns: Some((0, 0, 0, Vec::new())), ..probe() }, EDNS),
        ("the largest size", Question { edns: Some((65_535, 0, 0, Vec::new())), ..probe() }, EDNS),
    ]
}

fn judge(name: &str, question: &Question, reply: &[u8], wanted: &Wanted) {
    let message = Message::from_vec(reply).unwrap();
    let data = &message.metadata;
    assert_eq!((data.id, data.message_type), (0x1234, MessageType::Response), "{name}");
    assert_eq!(u16::from(data.response_code), wanted.rcode, "{name}: {message}");
    let flags = u16::from_be_bytes([reply[2], reply[3]]);
    assert_eq!(flags & 0x7800, question.flags & 0x7800, "{name}: the opcode is given back");
    assert_eq!(flags & 0x0100, question.flags & 0x0100, "{name}: RD is given back");
    assert_eq!(flags & 0x02f0, 0, "{name}: TC, RA, Z, AD and CD are clear");
    let answered = wanted.rcode == NOERROR;
    assert_eq!(flags & 0x0400 != 0, answered, "{name}: AA");
    assert_eq!(message.answers.len(), usize::from(wanted.soa), "{name}: {message}");
    let opt = message.edns.as_ref();
    assert_eq!(opt.map(edns_flags), wanted.edns, "{name}: OPT, and of its flags DO alone");
    if let Some(opt) = opt {
        assert_eq!(opt.version(), 0, "{name}: the version that we speak");
        assert!(opt.max_payload() >= 512, "{name}");
        let known = |code: &u16| [3, 10, 11].contains(code);
        let odd = opt.options().as_ref().iter().map(|(code, _)| u16::from(*code)).find(|code| !known(code));
        assert_eq!(odd, None, "{name}: an option that means nothing to us");
    }
}

fn edns_flags(edns: &Edns) -> u16 {
    (if edns.flags().dnssec_ok { DO } else { 0 }) | edns.flags().z
}

#[test]
fn every_probe_of_the_flag_days_is_answered_as_the_standards_say() {
    isolated(|| {
        let place = Place::lab();
        let _dnsd = serve(&place);
        let asker = Asker::new(SERVER);
        for (name, question, wanted) in probes() {
            for tcp in [false, true] {
                let question = Question { tcp, ..question.clone() };
                judge(name, &question, &asker.ask(&question), &wanted);
            }
        }
    });
}

#[test]
fn what_no_datagram_holds_is_truncated_with_opt_and_whole_over_tcp() {
    isolated(|| {
        let place = Place::lab();
        let _dnsd = serve(&place);
        let asker = Asker::new(SERVER);
        let big = Question { name: format!("big.{ZONE}"), rtype: 16, ..probe() };
        for size in [None, Some(0), Some(512), Some(1232), Some(4096), Some(65_535)] {
            let question = Question { edns: size.map(|size| (size, 0, DO, Vec::new())), ..big.clone() };
            let reply = asker.ask(&question);
            let message = Message::from_vec(&reply).unwrap();
            let most = size.map_or(512, |size: u16| size.clamp(512, 1232));
            assert!(reply.len() <= most.into(), "{size:?}: {} octets", reply.len());
            assert!(message.metadata.truncation && message.answers.is_empty(), "{size:?}: {message}");
            assert_eq!(message.edns.is_some(), size.is_some(), "edns@512: OPT also beside TC");
            let whole = Message::from_vec(&asker.ask(&Question { tcp: true, ..question })).unwrap();
            assert!(!whole.metadata.truncation && whole.answers.len() == 12, "{size:?}: {whole}");
        }
        let keys = Question { rtype: DNSKEY, edns: Some((512, 0, DO, Vec::new())), ..probe() };
        let message = Message::from_vec(&asker.ask(&keys)).unwrap();
        assert!(message.edns.is_some() && !message.metadata.truncation, "{message}");
    });
}

#[test]
fn resolvers_go_on_to_tcp_when_an_answer_is_truncated() {
    isolated(|| {
        let place = Place::lab();
        let _dnsd = serve(&place);
        for line in [
            "dig +tries=3 +time=20 +short @127.0.0.1 big.lab.example.org TXT",
            "kdig +retry=3 +time=20 +short @127.0.0.1 big.lab.example.org TXT",
            "drill -a @127.0.0.1 big.lab.example.org TXT",
            "host -W 20 -t TXT big.lab.example.org 127.0.0.1",
        ] {
            let printed = sh(line);
            assert_eq!(printed.matches("0000000000").count(), 20, "{line}: {printed}");
            assert_eq!(printed.matches(&"b".repeat(200)).count(), 1, "{line}: {printed}");
        }
    });
}

#[test]
fn dig_needs_no_second_try_for_any_version_flag_or_option() {
    isolated(|| {
        let place = Place::lab();
        let _dnsd = serve(&place);
        for (options, wanted) in [
            ("+edns=0", "status: NOERROR"),
            ("+edns=1 +noednsnegotiation", "status: BADVERS"),
            ("+edns=1", "status: NOERROR"),
            ("+ednsflags=0x40", "status: NOERROR"),
            ("+ednsopt=100", "status: NOERROR"),
            ("+nsid +subnet=0/0 +cookie +expire +padding=64", "status: NOERROR"),
            ("+dnssec +bufsize=512", "flags: do"),
            ("+noedns", "status: NOERROR"),
        ] {
            let line = format!("dig +tries=1 +time=30 +norec @{SERVER} {options} SOA {ZONE}");
            let printed = sh(&line);
            assert!(printed.contains(wanted), "{line}: {printed}");
            assert!(!printed.contains("WARNING") && !printed.contains("timed out"), "{line}: {printed}");
        }
    });
}
