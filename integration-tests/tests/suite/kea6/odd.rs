//! Options, old rules and mistakes.

use integration_tests::message6::{
    Ask, CONFIRM, IA_NA, INFORMATION_REQUEST, REBIND, RELEASE, RENEW, REPLY, REQUEST, SOLICIT, duid_ll,
};

use super::scenarios::Scenario;
use super::talk::Way;

const WEB: u8 = 1;
const A: u8 = 0x21;

/// The scenarios.
pub(super) fn odd() -> Vec<Scenario> {
    vec![
        Scenario::new("a client that asks for nothing", |t| {
            t.say(WEB, Ask::from(SOLICIT, &duid_ll(t.mac(WEB))).ia(IA_NA, 1, &[]));
        })
        .differs(&["preference"]),
        Scenario::new("a client that asks for every option that there is", |t| {
            let ask = Ask::from(SOLICIT, &duid_ll(t.mac(WEB))).wants(&[4711, 23, 24, 31, 32, 59, 82, 999]);
            t.say(WEB, ask.ia(IA_NA, 1, &[]));
        })
        .differs(&["preference"]),
        Scenario::new("a client that asks for an option twice", |t| {
            let ask = Ask::from(SOLICIT, &duid_ll(t.mac(WEB))).wants(&[23, 23]);
            t.say(WEB, ask.ia(IA_NA, 1, &[]));
        })
        .differs(&["preference"]),
        Scenario::new("a host that asks for its name", |t| {
            t.say(WEB, Ask::from(SOLICIT, &duid_ll(t.mac(WEB))).wants(&[39]).ia(IA_NA, 1, &[]));
        })
        .differs(&["name-on-request", "preference"]),
        Scenario::new("a host that says another name", |t| {
            t.say(WEB, t.ask(SOLICIT, WEB).ia(IA_NA, 1, &[]).option(39, b"\x01\x06laptop\x03lab\x04test\0"));
        })
        .differs(&["name-kept", "preference"]),
        Scenario::new("a stranger that says its name", |t| {
            t.say(A, t.ask(SOLICIT, A).ia(IA_NA, 1, &[]).option(39, b"\x01\x06laptop"));
        })
        .differs(&["name-kept"]),
        Scenario::new("a client that takes a Reconfigure", |t| {
            t.say(WEB, t.ask(SOLICIT, WEB).ia(IA_NA, 1, &[]).option(20, &[]));
        })
        .differs(&["preference"]),
        Scenario::new("a client of another vendor and class", |t| {
            let ask = t.ask(SOLICIT, WEB).ia(IA_NA, 1, &[]).option(15, b"\0\x03lab");
            t.say(WEB, ask.option(16, b"\0\0\x01\x57\0\x03lab"));
        })
        .differs(&["preference"]),
        Scenario::new("an Information-request without a DUID", |t| {
            t.say(A, Ask::new(INFORMATION_REQUEST).wants(&[23, 24, 32]));
        }),
        Scenario::new("an Information-request that asks for addresses", |t| {
            t.say(A, t.ask(INFORMATION_REQUEST, A).ia(IA_NA, 1, &[]));
        })
        .differs(&["information-ia"]),
        Scenario::new("an Information-request to another server", |t| {
            t.say(A, t.ask(INFORMATION_REQUEST, A).server(&[0, 3, 0, 1, 9, 9, 9, 9, 9, 9]));
        }),
        Scenario::new("a Solicit without a DUID", |t| {
            t.say(A, Ask::new(SOLICIT).ia(IA_NA, 1, &[]));
        }),
        Scenario::new("a Solicit that names a server", |t| {
            t.say(A, t.named(t.ask(SOLICIT, A)).ia(IA_NA, 1, &[]));
        }),
        Scenario::new("a Solicit that wants nothing", |t| {
            t.say(A, t.ask(SOLICIT, A));
        }),
        Scenario::new("a Request that names no server", |t| {
            t.say(A, t.ask(REQUEST, A).ia(IA_NA, 1, &[]));
        }),
        Scenario::new("a Renew that names no server", |t| {
            t.say(A, t.ask(RENEW, A).ia(IA_NA, 1, &[]));
        }),
        Scenario::new("a Rebind that names a server", |t| {
            t.say(A, t.named(t.ask(REBIND, A)).ia(IA_NA, 1, &[t.near(0x101)]));
        }),
        Scenario::new("a Confirm that names a server", |t| {
            t.say(A, t.named(t.ask(CONFIRM, A)).ia(IA_NA, 1, &[t.near(0x101)]));
        }),
        Scenario::new("a message of a type that servers send", |t| {
            t.say(A, t.ask(REPLY, A).ia(IA_NA, 1, &[]));
        }),
        Scenario::new("a message of a type that is not known", |t| {
            t.say(A, t.ask(200, A).ia(IA_NA, 1, &[]));
        }),
        Scenario::new("a Solicit to the server alone", |t| {
            t.say_by(Way::Unicast(t.mac(A)), t.ask(SOLICIT, A).ia(IA_NA, 1, &[]));
        }),
        Scenario::new("a Renew to the server alone", |t| {
            let own = t.join(WEB, &[(IA_NA, 1)]);
            t.say_by(Way::Unicast(t.mac(WEB)), t.named(t.ask(RENEW, WEB)).ia(IA_NA, 1, &own));
        })
        .differs(&["preference", "unicast"]),
        Scenario::new("a machine whose address does not tell its card, but whose DUID does", |t| {
            let way = Way::From(t.mac(A), "fe80::1:2:3:4".parse().unwrap());
            t.say_by(way, t.ask(SOLICIT, WEB).ia(IA_NA, 1, &[]));
        })
        .differs(&["preference"]),
        Scenario::new("a release of a host's address by a stranger", |t| {
            t.join(WEB, &[(IA_NA, 1)]);
            t.say(A, t.named(t.ask(RELEASE, A)).ia(IA_NA, 1, &[t.near(0x11)]));
        })
        .differs(&["preference", "release-status"]),
    ]
}
