//! Clients on the server's link, in all states of RFC 8415, section 18.2.

use integration_tests::message6::{
    CONFIRM, DECLINE, IA_NA, IA_PD, IA_TA, INFORMATION_REQUEST, REBIND, RELEASE, RENEW, REQUEST, SOLICIT,
};
use ipnet::Ipv6Net;

use super::scenarios::Scenario;
use super::talk::Talk;

/// Numbers of hardware addresses: hosts of the inventory, then strangers.
const WEB: u8 = 1;
const ROUTER: u8 = 4;
const OFF: u8 = 5;
const FLOAT: u8 = 6;
const A: u8 = 0x21;
const B: u8 = 0x22;

fn solicit(t: &mut Talk<'_>, number: u8) {
    t.say(number, t.ask(SOLICIT, number).ia(IA_NA, 1, &[]));
}

/// A message about what a client has, to this server.
fn about(t: &mut Talk<'_>, kind: u8, number: u8, leases: &[Ipv6Net]) {
    t.say(number, t.named(t.ask(kind, number)).ia(IA_NA, 1, leases));
}

/// The same to all servers.
fn about_to_all(t: &mut Talk<'_>, kind: u8, number: u8, leases: &[Ipv6Net]) {
    t.say(number, t.ask(kind, number).ia(IA_NA, 1, leases));
}

fn lease(t: &mut Talk<'_>, number: u8) -> Vec<Ipv6Net> {
    t.join(number, &[(IA_NA, 1)])
}

/// Hosts of the inventory.
pub(super) fn reserved() -> Vec<Scenario> {
    vec![
        Scenario::new("a host is told of its address", |t| solicit(t, WEB)).differs(&["preference"]),
        Scenario::new("a host that would like another address is told of its own", |t| {
            t.say(WEB, t.ask(SOLICIT, WEB).ia(IA_NA, 1, &[t.near(0x77)]));
        })
        .differs(&["preference"]),
        Scenario::new("a host gets its address", |t| {
            lease(t, WEB);
        })
        .differs(&["preference"]),
        Scenario::new("a host gets its address in two messages", |t| {
            t.say(WEB, t.ask(SOLICIT, WEB).option(14, &[]).ia(IA_NA, 1, &[]));
        }),
        Scenario::new("a host that says everything again hears everything again", |t| {
            for _ in 0..2 {
                solicit(t, WEB);
            }
            for _ in 0..2 {
                about(t, REQUEST, WEB, &[t.near(0x11)]);
            }
        })
        .differs(&["preference"]),
        Scenario::new("a host requests of another server", |t| {
            t.say(WEB, t.ask(REQUEST, WEB).server(&[0, 3, 0, 1, 9, 9, 9, 9, 9, 9]).ia(IA_NA, 1, &[]));
        }),
        Scenario::new("a host requests another address", |t| about(t, REQUEST, WEB, &[t.near(0x77)])),
        Scenario::new("a host requests an address of another link", |t| {
            about(t, REQUEST, WEB, &[t.far(0x11)]);
        })
        .differs(&["not-on-link"]),
        Scenario::new("a host renews", |t| {
            let own = lease(t, WEB);
            about(t, RENEW, WEB, &own);
        })
        .differs(&["preference"]),
        Scenario::new("a host renews that this server has not seen", |t| {
            about(t, RENEW, WEB, &[t.near(0x11)]);
        }),
        Scenario::new("a host renews another address", |t| {
            lease(t, WEB);
            about(t, RENEW, WEB, &[t.near(0x77)]);
        })
        .differs(&["preference"]),
        Scenario::new("a host rebinds", |t| {
            let own = lease(t, WEB);
            about_to_all(t, REBIND, WEB, &own);
        })
        .differs(&["preference"]),
        Scenario::new("a host confirms", |t| {
            let own = lease(t, WEB);
            about_to_all(t, CONFIRM, WEB, &own);
        })
        .differs(&["confirm-options", "preference"]),
        Scenario::new("a host confirms an address of another link", |t| {
            lease(t, WEB);
            about_to_all(t, CONFIRM, WEB, &[t.far(0x11)]);
        })
        .differs(&["confirm-options", "preference"]),
        Scenario::new("a host releases its address and asks again", |t| {
            let own = lease(t, WEB);
            about(t, RELEASE, WEB, &own);
            solicit(t, WEB);
        })
        .differs(&["preference", "release-ia"]),
        Scenario::new("a host finds its address in use and asks again", |t| {
            let own = lease(t, WEB);
            about(t, DECLINE, WEB, &own);
            solicit(t, WEB);
        })
        .differs(&["declined-host", "preference", "release-ia", "release-status"]),
        Scenario::new("a host wants options", |t| {
            t.say(WEB, t.ask(INFORMATION_REQUEST, WEB));
        }),
        Scenario::new("a host is known by its DUID", |t| {
            let duid = [0, 2, 0, 0, 0, 9, t.n, 3];
            let ask = integration_tests::message6::Ask::from(SOLICIT, &duid).wants(&[23, 24, 31]);
            t.say(A, ask.ia(IA_NA, 1, &[]));
        })
        .differs(&["preference"]),
        Scenario::new("a host gets its address and its prefix", |t| {
            t.join(ROUTER, &[(IA_NA, 1), (IA_PD, 1)]);
        })
        .differs(&["preference"]),
        Scenario::new("a host gets its prefix alone", |t| {
            t.join(ROUTER, &[(IA_PD, 7)]);
        })
        .differs(&["preference"]),
        Scenario::new("a host renews its prefix", |t| {
            let own = t.join(ROUTER, &[(IA_PD, 7)]);
            t.say(ROUTER, t.named(t.ask(RENEW, ROUTER)).ia(IA_PD, 7, &own));
        })
        .differs(&["preference"]),
        Scenario::new("a host without a prefix of its own is delegated one", |t| {
            t.join(WEB, &[(IA_NA, 1), (IA_PD, 1)]);
        })
        .differs(&["preference"]),
        Scenario::new("a host with two identity associations at once", |t| {
            t.say(WEB, t.ask(SOLICIT, WEB).ia(IA_NA, 1, &[]).ia(IA_NA, 2, &[]));
        })
        .differs(&["preference", "second-ia"]),
        Scenario::new("a host with another identity association than before", |t| {
            lease(t, WEB);
            t.say(WEB, t.ask(SOLICIT, WEB).ia(IA_NA, 2, &[]));
        })
        .differs(&["any-iaid", "preference"]),
        Scenario::new("a host without an address takes one of the pool", |t| {
            lease(t, FLOAT);
        }),
        Scenario::new("a host that DHCP does not serve", |t| solicit(t, OFF)),
    ]
}

/// Machines that nobody has written down.
pub(super) fn leased() -> Vec<Scenario> {
    vec![
        Scenario::new("a stranger leases an address", |t| {
            lease(t, A);
        }),
        Scenario::new("a stranger leases an address in two messages", |t| {
            t.say(A, t.ask(SOLICIT, A).option(14, &[]).ia(IA_NA, 1, &[]));
        }),
        Scenario::new("a stranger asks twice before it accepts", |t| {
            solicit(t, A);
            lease(t, A);
        })
        .differs(&["same-again"]),
        Scenario::new("two strangers lease an address each", |t| {
            lease(t, A);
            lease(t, B);
        }),
        Scenario::new("a stranger would like an address of the pool", |t| {
            t.say(A, t.ask(SOLICIT, A).ia(IA_NA, 1, &[t.near(0x102)]));
        }),
        Scenario::new("a stranger would like the address of a host", |t| {
            t.say(A, t.ask(SOLICIT, A).ia(IA_NA, 1, &[t.near(0x11)]));
        }),
        Scenario::new("a stranger requests without having asked", |t| {
            about(t, REQUEST, A, &[t.near(0x101)]);
        }),
        Scenario::new("a stranger requests an address of another link", |t| {
            about(t, REQUEST, A, &[t.far(0x101)]);
        })
        .differs(&["not-on-link"]),
        Scenario::new("a stranger renews", |t| {
            let own = lease(t, A);
            about(t, RENEW, A, &own);
        }),
        Scenario::new("a stranger renews what it has not", |t| about(t, RENEW, A, &[t.near(0x101)])),
        Scenario::new("a stranger renews what another one has", |t| {
            let own = lease(t, A);
            about(t, RENEW, B, &own);
        }),
        Scenario::new("a stranger rebinds", |t| {
            let own = lease(t, A);
            about_to_all(t, REBIND, A, &own);
        }),
        Scenario::new("a stranger rebinds what it has not", |t| {
            about_to_all(t, REBIND, A, &[t.near(0x101)]);
        })
        .differs(&["rebind-unknown"]),
        Scenario::new("a stranger rebinds an address of another link", |t| {
            about_to_all(t, REBIND, A, &[t.far(0x101)]);
        })
        .differs(&["rebind-unknown"]),
        Scenario::new("a stranger confirms", |t| {
            let own = lease(t, A);
            about_to_all(t, CONFIRM, A, &own);
        })
        .differs(&["confirm-options"]),
        Scenario::new("a stranger confirms an address of another link", |t| {
            about_to_all(t, CONFIRM, A, &[t.far(0x101)]);
        })
        .differs(&["confirm-options"]),
        Scenario::new("a stranger confirms nothing", |t| about_to_all(t, CONFIRM, A, &[])),
        Scenario::new("a stranger releases its address and asks again", |t| {
            let own = lease(t, A);
            about(t, RELEASE, A, &own);
            solicit(t, A);
        })
        .differs(&["release-ia", "same-again"]),
        Scenario::new("a stranger releases what it has not", |t| about(t, RELEASE, A, &[t.near(0x101)]))
            .differs(&["release-status"]),
        Scenario::new("a stranger finds its address in use and asks again", |t| {
            let own = lease(t, A);
            about(t, DECLINE, A, &own);
            solicit(t, A);
        })
        .differs(&["release-ia", "release-status"]),
        Scenario::new("a stranger declines what it has not", |t| about(t, DECLINE, A, &[t.near(0x101)]))
            .differs(&["release-status"]),
        Scenario::new("a stranger is delegated a prefix", |t| {
            t.join(A, &[(IA_PD, 1)]);
        }),
        Scenario::new("a stranger renews its prefix", |t| {
            let own = t.join(A, &[(IA_PD, 1)]);
            t.say(A, t.named(t.ask(RENEW, A)).ia(IA_PD, 1, &own));
        }),
        Scenario::new("a stranger would like a prefix of the pool", |t| {
            t.say(A, t.ask(SOLICIT, A).ia(IA_PD, 1, &[t.prefix(0x1002, 64)]));
        }),
        Scenario::new("a stranger would like a longer prefix", |t| {
            t.say(A, t.ask(SOLICIT, A).ia(IA_PD, 1, &[t.prefix(0, 80)]));
        }),
        Scenario::new("a stranger leases an address and a prefix", |t| {
            t.join(A, &[(IA_NA, 1), (IA_PD, 1)]);
        }),
        Scenario::new("a stranger with two identity associations leases two addresses", |t| {
            t.join(A, &[(IA_NA, 1), (IA_NA, 2)]);
        }),
        Scenario::new("a stranger renews one that it has and one that it has not", |t| {
            let own = lease(t, A);
            t.say(A, t.named(t.ask(RENEW, A)).ia(IA_NA, 1, &own).ia(IA_NA, 2, &[]));
        }),
        Scenario::new("a stranger wants a temporary address", |t| {
            t.say(A, t.ask(SOLICIT, A).ia(IA_TA, 1, &[]));
        })
        .differs(&["temporary"]),
        Scenario::new("a pool that is used up", |t| {
            for number in 0x31..=0x34 {
                lease(t, number);
            }
            solicit(t, A);
            about(t, REQUEST, A, &[]);
        }),
        Scenario::new("a stranger wants options", |t| {
            t.say(A, t.ask(INFORMATION_REQUEST, A));
        }),
    ]
}
