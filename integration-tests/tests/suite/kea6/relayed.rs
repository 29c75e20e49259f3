//! Clients behind relay agents (RFC 8415, section 19; RFC 4649, RFC 6939, RFC 4994, RFC 8357).

use integration_tests::message6::{
    CONFIRM, IA_NA, INFORMATION_REQUEST, RELEASE, RENEW, REQUEST, SOLICIT, link_local,
};
use ipnet::Ipv6Net;

use super::scenarios::Scenario;
use super::talk::{Talk, Way};

const WEB: u8 = 1;
const FAR: u8 = 8;
const A: u8 = 0x21;

fn port() -> Vec<(u16, Vec<u8>)> {
    vec![(18, b"port-1".to_vec())]
}

/// Solicit and Request through the agent.
fn join(t: &mut Talk<'_>, number: u8, options: Vec<(u16, Vec<u8>)>) -> Vec<Ipv6Net> {
    let solicit = t.ask(SOLICIT, number).ia(IA_NA, 1, &[]);
    let offered = t.relay(number, options.clone(), solicit).map(|offer| offer.given()).unwrap_or_default();
    let request = t.named(t.ask(REQUEST, number)).ia(IA_NA, 1, &offered);
    t.relay(number, options, request).map(|reply| reply.given()).unwrap_or_default()
}

/// The scenarios.
pub(super) fn relayed() -> Vec<Scenario> {
    vec![
        Scenario::new("a host behind an agent gets its address", |t| {
            join(t, FAR, Vec::new());
        })
        .differs(&["preference"]),
        Scenario::new("a stranger behind an agent leases an address of that network", |t| {
            join(t, A, Vec::new());
        }),
        Scenario::new("a host of the near network is a stranger behind the agent", |t| {
            join(t, WEB, Vec::new());
        }),
        Scenario::new("the agent's interface comes back", |t| {
            join(t, A, port());
        }),
        Scenario::new("the agent's remote identifier does not", |t| {
            let options = [port(), vec![(37, b"\0\0\0\x09line".to_vec())]].concat();
            t.relay(A, options, t.ask(SOLICIT, A).ia(IA_NA, 1, &[]));
        }),
        Scenario::new("the hardware address that the agent saw makes the host", |t| {
            let seen = [&[0, 1][..], &t.mac(FAR)].concat();
            let ask = t.ask(SOLICIT, A).ia(IA_NA, 1, &[]);
            let (link, peer) = (t.far(0xfe).addr(), "fe80::9".parse().unwrap());
            t.say_by(Way::Agent, ask.relayed(link, peer, vec![(79, seen)]));
        })
        .differs(&["preference"]),
        Scenario::new("an agent asks for what it has said", |t| {
            let options = vec![(37, b"\0\0\0\x09line".to_vec()), (43, vec![0, 37])];
            t.relay(A, options, t.ask(SOLICIT, A).ia(IA_NA, 1, &[]));
        })
        .differs(&["echo"]),
        Scenario::new("a stranger renews through the agent", |t| {
            let own = join(t, A, port());
            t.relay(A, port(), t.named(t.ask(RENEW, A)).ia(IA_NA, 1, &own));
        }),
        Scenario::new("a stranger releases through the agent", |t| {
            let own = join(t, A, port());
            t.relay(A, port(), t.named(t.ask(RELEASE, A)).ia(IA_NA, 1, &own));
        })
        .differs(&["release-ia"]),
        Scenario::new("a stranger has come from the near network", |t| {
            let own = t.join(A, &[(IA_NA, 1)]);
            t.relay(A, port(), t.ask(CONFIRM, A).ia(IA_NA, 1, &own));
        })
        .differs(&["confirm-options"]),
        Scenario::new("a client behind the agent wants options", |t| {
            t.relay(A, port(), t.ask(INFORMATION_REQUEST, A));
        }),
        Scenario::new("a client behind two agents, of which the outer one names no link", |t| {
            let ask = t.ask(SOLICIT, A).ia(IA_NA, 1, &[]);
            let ask = ask.relayed(t.far(0xfe).addr(), link_local(t.mac(A)), port());
            t.say_by(Way::Agent, ask.relayed("::".parse().unwrap(), t.far(0xfe).addr(), Vec::new()));
        }),
        Scenario::new("a client behind two agents, of which the inner one names no link", |t| {
            let ask = t.ask(SOLICIT, A).ia(IA_NA, 1, &[]);
            let ask = ask.relayed("::".parse().unwrap(), link_local(t.mac(A)), port());
            t.say_by(Way::Agent, ask.relayed(t.far(0xfe).addr(), "fe80::5".parse().unwrap(), port()));
        }),
        Scenario::new("an agent of a network that nobody knows", |t| {
            let ask = t.ask(SOLICIT, A).ia(IA_NA, 1, &[]);
            let link = "2001:db8:ffff::1".parse().unwrap();
            t.say_by(Way::Agent, ask.relayed(link, link_local(t.mac(A)), port()));
        })
        .differs(&["unknown-relay"]),
    ]
}
