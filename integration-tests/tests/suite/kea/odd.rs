//! Options, flags, old protocols and mistakes.

use integration_tests::message::{Ask, INFORM};

use super::scenarios::{Scenario, typical};

const WEB: u8 = 1;
const A: u8 = 0x21;

/// The scenarios.
pub(super) fn odd() -> Vec<Scenario> {
    vec![
        Scenario::new("a client that wants a broadcast", |t| {
            t.say(typical(Ask::discover(t.mac(WEB))).broadcast());
        })
        .differs(&["frame"]),
        Scenario::new("a client that names an address as its own when it begins", |t| {
            t.say(typical(Ask::discover(t.mac(WEB))).field(12, &t.near(40).octets()));
        })
        .differs(&["ciaddr"]),
        Scenario::new("a client that asks for nothing", |t| {
            t.say(Ask::discover(t.mac(WEB)));
        })
        .differs(&["no-list"]),
        Scenario::new("a client that asks for little", |t| {
            t.say(Ask::discover(t.mac(WEB)).option(55, &[42]));
        })
        .differs(&["unasked"]),
        Scenario::new("a client that asks for an option twice, and for what servers say anyhow", |t| {
            t.say(Ask::discover(t.mac(WEB)).option(55, &[3, 6, 15, 3, 51, 54, 53, 58, 59, 42, 42]));
        })
        .differs(&["unasked"]),
        Scenario::new("a client that wants another lease time", |t| {
            t.say(typical(Ask::discover(t.mac(A))).option(51, &60_u32.to_be_bytes()));
        }),
        Scenario::new("a client that says its name", |t| {
            t.join(Ask::discover(t.mac(A)), &[(55, &[1, 3, 6, 12, 15]), (12, b"laptop")]);
        })
        .differs(&["own-name"]),
        Scenario::new("a host that says another name", |t| {
            t.join(Ask::discover(t.mac(WEB)), &[(55, &[1, 3, 6, 12, 15]), (12, b"laptop")]);
        }),
        Scenario::new("a host that wants its name kept in the DNS by the server", |t| {
            let fqdn = [&[5, 0, 0][..], b"\x06laptop\x03lab\x04test\0"].concat();
            t.say(typical(Ask::discover(t.mac(WEB))).option(81, &fqdn));
        })
        .differs(&["fqdn"]),
        Scenario::new("a client that says its vendor and user class", |t| {
            t.say(typical(Ask::discover(t.mac(WEB))).option(60, b"MSFT 5.0").option(77, b"\x03lab"));
        }),
        Scenario::new("a client that would take a lease in two messages", |t| {
            t.say(typical(Ask::discover(t.mac(WEB))).option(80, &[]));
        })
        .differs(&["rapid-commit"]),
        Scenario::new("a client identifier in two parts", |t| {
            let id = format!("plc{}", t.n);
            let (one, two) = id.as_bytes().split_at(2);
            t.say(typical(Ask::discover(t.mac(A))).option(61, one).option(61, two));
        }),
        Scenario::new("options in the field of the boot file", |t| {
            let id = format!("plc{}", t.n);
            let field = [&[61, u8::try_from(id.len()).unwrap()], id.as_bytes(), &[255]].concat();
            t.say(typical(Ask::discover(t.mac(A))).option(52, &[1]).field(108, &field));
        })
        .differs(&["overload"]),
        Scenario::new("an accepting client that names its address in the other field", |t| {
            t.lease(WEB);
            t.say(typical(Ask::new(3, t.mac(WEB)).ciaddr(t.near(11)).address(54, t.own())));
        })
        .differs(&["frame"]),
        Scenario::new("a request that names no address", |t| {
            t.say(typical(Ask::new(3, t.mac(WEB))));
        })
        .differs(&["no-address"]),
        Scenario::new("a message of a type that servers send", |t| {
            t.say(typical(Ask::new(2, t.mac(WEB))));
        }),
        Scenario::new("a message of a type that is not known", |t| {
            t.say(typical(Ask::new(200, t.mac(WEB))));
        }),
        Scenario::new("a hardware address of too many octets", |t| {
            t.say(typical(Ask::discover(t.mac(WEB))).field(2, &[17]));
        })
        .differs(&["hardware"]),
        Scenario::new("a card that is no Ethernet and is known by its client identifier", |t| {
            let ask =
                typical(Ask::discover([0; 6])).field(1, &[32, 0]).option(61, &[0xff, 1, 2, 3, 4, 0, 2, 7]);
            t.say(ask.broadcast());
        })
        .differs(&["frame"]),
        Scenario::new("a BOOTP host", |t| {
            t.say(Ask::bootp(t.mac(WEB)));
        })
        .differs(&["no-list"]),
        Scenario::new("a BOOTP stranger", |t| {
            t.say(Ask::bootp(t.mac(A)));
        })
        .differs(&["bootp"]),
        Scenario::new("an INFORM that names no address", |t| {
            t.say(typical(Ask::new(INFORM, t.mac(A))));
        }),
        Scenario::new("a release of a host's address by a stranger", |t| {
            t.say(Ask::releasing(t.mac(A), t.near(11), t.own()));
            t.say(typical(Ask::discover(t.mac(WEB))));
        }),
    ]
}
