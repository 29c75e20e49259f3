//! Clients behind a relay agent (RFC 1542, RFC 3046, RFC 3527, RFC 5107).

use std::net::Ipv4Addr;

use integration_tests::message::{Ask, INFORM};

use super::scenarios::{Scenario, typical};
use super::servers::Site;
use super::talk::Talk;

const FAR: u8 = 8;
const WEB: u8 = 1;
const A: u8 = 0x21;
/// Circuit-id and remote-id.
const INFORMATION: &[u8] = b"\x01\x06port-1\x02\x03sw9";
/// Circuit-id of the host `plug`.
const PLUG: &[u8] = b"\x01\x06port-7\x02\x03sw9";

fn say(t: &mut Talk<'_>, ask: Ask) {
    let ask = t.relay(typical(ask));
    t.say(ask);
}

fn select(t: &Talk<'_>, number: u8, address: Ipv4Addr) -> Ask {
    Ask::selecting(t.mac(number), address, t.own())
}

/// Discover and request through the agent, with what it adds.
fn join(t: &mut Talk<'_>, number: u8, information: &[u8]) -> Ipv4Addr {
    let with = |ask: Ask| if information.is_empty() { ask } else { ask.option(82, information) };
    let discover = t.relay(with(typical(Ask::discover(t.mac(number)))));
    let offered = t.say(discover).unwrap().yiaddr();
    let request = t.relay(with(typical(select(t, number, offered))));
    t.say(request).unwrap().yiaddr()
}

/// The scenarios.
pub(super) fn relayed() -> Vec<Scenario> {
    vec![
        Scenario::new("a host behind an agent gets its address", |t| {
            join(t, FAR, &[]);
        })
        .differs(&["hops"]),
        Scenario::new("a stranger behind an agent leases an address of that network", |t| {
            join(t, A, &[]);
        })
        .differs(&["hops"]),
        Scenario::new("a host of the near network is a stranger behind the agent", |t| {
            join(t, WEB, &[]);
        })
        .differs(&["hops"]),
        Scenario::new("the agent's information comes back", |t| {
            join(t, A, INFORMATION);
        })
        .differs(&["hops"]),
        Scenario::new("whatever is plugged into a port gets the port's address", |t| {
            join(t, A, PLUG);
        })
        .differs(&["hops"]),
        Scenario::new("the agent's information comes back with a refusal", |t| {
            say(t, Ask::init_reboot(t.mac(A), t.near(101)).option(82, INFORMATION));
        })
        .differs(&["hops", "nak-flag", "nak-message"]),
        Scenario::new("a client behind an agent that has moved is refused", |t| {
            say(t, Ask::init_reboot(t.mac(A), t.near(101)));
        })
        .differs(&["hops", "nak-flag", "nak-message"]),
        Scenario::new("a client behind an agent that wants a broadcast", |t| {
            say(t, Ask::discover(t.mac(FAR)).broadcast());
        })
        .differs(&["hops"]),
        Scenario::new("a client behind an agent rebinds", |t| {
            let own = join(t, A, INFORMATION);
            say(t, Ask::rebinding(t.mac(A), own).option(82, INFORMATION));
        })
        .differs(&["hops"]),
        Scenario::new("a client behind an agent renews directly", |t| {
            let own = join(t, A, INFORMATION);
            t.say(typical(Ask::renewing(t.mac(A), own, t.own())));
        })
        .differs(&["hops"]),
        Scenario::new("a client behind an agent renews directly another client's lease", |t| {
            let own = join(t, A, &[]);
            t.say(typical(Ask::renewing(t.mac(A + 1), own, t.own())));
        })
        .differs(&["hops", "nak-message"]),
        Scenario::new("a client behind an agent gives its lease back directly", |t| {
            let own = join(t, A, &[]);
            t.say(Ask::releasing(t.mac(A), own, t.own()));
            join(t, A, &[]);
        })
        .differs(&["hops", "same-again"]),
        Scenario::new("a client behind an agent wants options", |t| {
            say(t, Ask::new(INFORM, t.mac(A)).ciaddr(t.far(40)));
        })
        .differs(&["inform"]),
        Scenario::new("an agent that nobody knows", |t| {
            let ask = typical(Ask::discover(t.mac(A)));
            t.say(ask.relayed(Ipv4Addr::new(172, 16, 0, 1), t.own()));
        }),
        Scenario::new("an agent names the client's link apart from its own address", |t| {
            let link = [&[5, 4][..], &t.far(0).octets()].concat();
            let ask = typical(Ask::discover(t.mac(A))).option(82, &link);
            t.say(ask.relayed(t.near(254), t.own()));
        })
        .differs(&["hops"]),
        Scenario::new("an agent names itself as the server", |t| {
            let server = [&[11, 4][..], &t.far(254).octets()].concat();
            let discover = t.relay(typical(Ask::discover(t.mac(A))).option(82, &server));
            let offer = t.say(discover).unwrap();
            let request = Ask::selecting(t.mac(A), offer.yiaddr(), t.far(254)).option(82, &server);
            let request = t.relay(typical(request));
            t.say(request);
        })
        .differs(&["hops", "override"]),
        Scenario::new("a second agent on the way", |t| {
            let ask = t.relay(typical(Ask::discover(t.mac(FAR)))).field(3, &[2]);
            t.say(ask);
        })
        .differs(&["hops"]),
        Scenario::new("a stranger behind an agent where only known machines are served", |t| {
            say(t, Ask::discover(t.mac(A)));
        })
        .at(Site::Known),
        Scenario::new("a host behind an agent where only known machines are served", |t| {
            join(t, FAR, &[]);
        })
        .differs(&["hops"])
        .at(Site::Known),
    ]
}
