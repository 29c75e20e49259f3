//! Clients on the server's link, in all states of RFC 2131, sections 4.3 and 4.4.

use std::net::Ipv4Addr;

use integration_tests::message::{Ask, INFORM};

use super::scenarios::{Scenario, WANTS, typical};
use super::servers::Site;
use super::talk::Talk;

/// Numbers of hardware addresses: hosts of the inventory, then strangers.
const WEB: u8 = 1;
const FLOAT: u8 = 4;
const OFF: u8 = 5;
const BRIEF: u8 = 6;
const WORDY: u8 = 7;
const A: u8 = 0x21;
const B: u8 = 0x22;

fn discover(t: &mut Talk<'_>, number: u8) {
    t.say(typical(Ask::discover(t.mac(number))));
}

fn reboot(t: &mut Talk<'_>, number: u8, address: Ipv4Addr) {
    t.say(typical(Ask::init_reboot(t.mac(number), address)));
}

fn renew(t: &mut Talk<'_>, number: u8, address: Ipv4Addr) {
    t.say(typical(Ask::renewing(t.mac(number), address, t.own())));
}

fn rebind(t: &mut Talk<'_>, number: u8, address: Ipv4Addr) {
    t.say(typical(Ask::rebinding(t.mac(number), address)));
}

fn select(t: &mut Talk<'_>, number: u8, address: Ipv4Addr) {
    t.say(typical(Ask::selecting(t.mac(number), address, t.own())));
}

/// Hosts of the inventory.
pub(super) fn reserved() -> Vec<Scenario> {
    vec![
        Scenario::new("a host is offered its address", |t| discover(t, WEB)),
        Scenario::new("a host that wants another address is offered its own", |t| {
            t.say(typical(Ask::discover(t.mac(WEB))).address(50, t.near(77)));
        }),
        Scenario::new("a host accepts its offer", |t| {
            t.join(Ask::discover(t.mac(WEB)), WANTS);
        }),
        Scenario::new("a host that says everything again hears everything again", |t| {
            for _ in 0..2 {
                discover(t, WEB);
            }
            for _ in 0..2 {
                select(t, WEB, t.near(11));
            }
        }),
        Scenario::new("a host accepts the offer of another server", |t| {
            t.say(typical(Ask::selecting(t.mac(WEB), t.near(11), t.near(2))));
        }),
        Scenario::new("a host accepts what it was not offered", |t| select(t, WEB, t.near(77)))
            .differs(&["frame", "nak-message"]),
        Scenario::new("a host starts again", |t| {
            t.lease(WEB);
            reboot(t, WEB, t.near(11));
        }),
        Scenario::new("a host starts again that this server has not seen", |t| reboot(t, WEB, t.near(11)))
            .differs(&["known-host"]),
        Scenario::new("a host starts again with another address", |t| reboot(t, WEB, t.near(77)))
            .differs(&["frame", "nak-message"]),
        Scenario::new("a host starts again with an address of the pool", |t| reboot(t, WEB, t.near(100)))
            .differs(&["frame", "nak-message"]),
        Scenario::new("a host starts again on another network", |t| {
            reboot(t, WEB, Ipv4Addr::new(172, 16, 0, 5));
        })
        .differs(&["frame", "nak-message"]),
        Scenario::new("a host renews", |t| {
            t.lease(WEB);
            renew(t, WEB, t.near(11));
        }),
        Scenario::new("a host renews that this server has not seen", |t| renew(t, WEB, t.near(11))),
        Scenario::new("a host renews another address", |t| renew(t, WEB, t.near(77))).differs(&[
            "frame",
            "nak-message",
            "nak-to",
        ]),
        Scenario::new("a host rebinds", |t| {
            t.lease(WEB);
            rebind(t, WEB, t.near(11));
        })
        .differs(&["frame"]),
        Scenario::new("a host rebinds another address", |t| rebind(t, WEB, t.near(77))).differs(&[
            "frame",
            "nak-message",
            "nak-to",
        ]),
        Scenario::new("a host gives its address back and asks again", |t| {
            t.lease(WEB);
            t.say(Ask::releasing(t.mac(WEB), t.near(11), t.own()));
            discover(t, WEB);
        }),
        Scenario::new("a host finds its address in use and asks again", |t| {
            t.lease(WEB);
            t.say(Ask::declining(t.mac(WEB), t.near(11), t.own()));
            discover(t, WEB);
        })
        .differs(&["declined-host"]),
        Scenario::new("a host with an address of its own wants options", |t| {
            t.say(typical(Ask::new(INFORM, t.mac(WEB)).ciaddr(t.near(11))));
        })
        .differs(&["frame", "inform"]),
        Scenario::new("a host is known by its client identifier", |t| {
            let id = format!("plc{}", t.n);
            t.join(Ask::discover(t.mac(A)), &[WANTS[0], (61, id.as_bytes())]);
        }),
        Scenario::new("a host is known by the DUID in its client identifier", |t| {
            let mut id = vec![255, 9, 9, 9, 9, 0, 3, 0, 1];
            id.extend(t.mac(3));
            t.join(Ask::discover(t.mac(A)), &[WANTS[0], (61, &id)]);
        }),
        Scenario::new("a host is known by its card whatever its client identifier is", |t| {
            let id = format!("plc{}", t.n);
            t.say(typical(Ask::discover(t.mac(WEB))).option(61, id.as_bytes()));
        }),
        Scenario::new("a host without an address gets one of the pool, with its name", |t| {
            t.join(Ask::discover(t.mac(FLOAT)), WANTS);
        }),
        Scenario::new("a host for which DHCP is off", |t| discover(t, OFF)),
        Scenario::new("a host with a lease time of its own", |t| {
            t.join(Ask::discover(t.mac(BRIEF)), WANTS);
        }),
        Scenario::new("a host with an option of 300 octets", |t| {
            t.say(Ask::discover(t.mac(WORDY)).option(55, &[1, 3, 224]).option(57, &1400_u16.to_be_bytes()));
        })
        .differs(&["unasked"]),
        Scenario::new("a host with an option that does not fit into what it takes", |t| {
            t.say(Ask::discover(t.mac(WORDY)).option(55, &[1, 3, 224]).option(57, &576_u16.to_be_bytes()));
        })
        .differs(&["size", "unasked"]),
    ]
}

/// Machines that nobody has written down.
pub(super) fn leased() -> Vec<Scenario> {
    vec![
        Scenario::new("a stranger is offered the first address", |t| discover(t, A)),
        Scenario::new("a stranger asks twice", |t| {
            discover(t, A);
            discover(t, A);
        })
        .differs(&["same-again"]),
        Scenario::new("a stranger leases an address", |t| {
            t.join(Ask::discover(t.mac(A)), WANTS);
        }),
        Scenario::new("two strangers lease an address each", |t| {
            t.join(Ask::discover(t.mac(A)), WANTS);
            t.join(Ask::discover(t.mac(B)), WANTS);
        }),
        Scenario::new("a stranger asks for a free address of the pool", |t| {
            t.say(typical(Ask::discover(t.mac(A))).address(50, t.near(102)));
        }),
        Scenario::new("a stranger asks for an address that is leased", |t| {
            let taken = t.lease(A);
            t.say(typical(Ask::discover(t.mac(B))).address(50, taken));
        }),
        Scenario::new("a stranger asks for an address outside the pool", |t| {
            t.say(typical(Ask::discover(t.mac(A))).address(50, t.near(77)));
        }),
        Scenario::new("a stranger asks for a host's address", |t| {
            t.say(typical(Ask::discover(t.mac(A))).address(50, t.near(11)));
        }),
        Scenario::new("a stranger repeats its request", |t| {
            let address = t.join(Ask::discover(t.mac(A)), WANTS);
            select(t, A, address);
        }),
        Scenario::new("a stranger accepts what it was not offered", |t| select(t, A, t.near(101)))
            .differs(&["not-offered"]),
        Scenario::new("a stranger accepts an address outside the pool", |t| select(t, A, t.near(77)))
            .differs(&["not-offered"]),
        Scenario::new("a stranger accepts a host's address", |t| select(t, A, t.near(11)))
            .differs(&["frame", "nak-message"]),
        Scenario::new("a stranger accepts another client's lease", |t| {
            let taken = t.lease(A);
            select(t, B, taken);
        })
        .differs(&["frame", "nak-message"]),
        Scenario::new("a client starts again", |t| {
            let own = t.lease(A);
            reboot(t, A, own);
        }),
        Scenario::new("a client starts again that has no lease here", |t| reboot(t, A, t.near(101)))
            .differs(&["frame", "nak-message"]),
        Scenario::new("a client starts again without a lease where the server is not the only one", |t| {
            reboot(t, A, t.near(101));
        })
        .at(Site::Shared),
        Scenario::new("a client starts again with another client's lease", |t| {
            let taken = t.lease(A);
            reboot(t, B, taken);
        })
        .differs(&["frame", "nak-message"]),
        Scenario::new("a client starts again on another network", |t| {
            reboot(t, A, Ipv4Addr::new(172, 16, 0, 5));
        })
        .differs(&["frame", "nak-message"]),
        Scenario::new("a client starts again on another network where the server is not the only one", |t| {
            reboot(t, A, Ipv4Addr::new(172, 16, 0, 5));
        })
        .at(Site::Shared),
        Scenario::new("a client renews", |t| {
            let own = t.lease(A);
            renew(t, A, own);
        }),
        Scenario::new("a client renews that has no lease here", |t| renew(t, A, t.near(101)))
            .differs(&["unknown-lease"]),
        Scenario::new("a client renews another client's lease", |t| {
            let taken = t.lease(A);
            renew(t, B, taken);
        })
        .differs(&["frame", "nak-message", "nak-to"]),
        Scenario::new("a client rebinds", |t| {
            let own = t.lease(A);
            rebind(t, A, own);
        })
        .differs(&["frame"]),
        Scenario::new("a client rebinds that has no lease here", |t| rebind(t, A, t.near(101)))
            .differs(&["unknown-lease"]),
        Scenario::new("a client rebinds without a lease where the server is not the only one", |t| {
            rebind(t, A, t.near(101));
        })
        .differs(&["unknown-lease"])
        .at(Site::Shared),
        Scenario::new("a client gives its lease back and gets the same address again", |t| {
            let own = t.lease(A);
            t.say(Ask::releasing(t.mac(A), own, t.own()));
            discover(t, A);
        })
        .differs(&["same-again"]),
        Scenario::new("a client gives its lease back and another one asks for the address", |t| {
            let own = t.lease(A);
            t.say(Ask::releasing(t.mac(A), own, t.own()));
            t.say(typical(Ask::discover(t.mac(B))).address(50, own));
        }),
        Scenario::new("a client gives back what another one leases", |t| {
            let own = t.lease(A);
            t.say(Ask::releasing(t.mac(B), own, t.own()));
            renew(t, A, own);
        }),
        Scenario::new("a client finds its address in use and gets another one", |t| {
            let own = t.lease(A);
            t.say(Ask::declining(t.mac(A), own, t.own()));
            discover(t, A);
            reboot(t, A, own);
        })
        .differs(&["frame", "nak-message"]),
        Scenario::new("a client declines what another one leases", |t| {
            let own = t.lease(A);
            t.say(Ask::declining(t.mac(B), own, t.own()));
            renew(t, A, own);
        }),
        Scenario::new("a full pool", |t| {
            for number in 0..4 {
                t.lease(A + number);
            }
            discover(t, A + 4);
            renew(t, A, t.near(100));
        }),
        Scenario::new("a stranger where only known machines are served", |t| discover(t, A)).at(Site::Known),
        Scenario::new("a stranger renews where only known machines are served", |t| {
            renew(t, A, t.near(101));
        })
        .differs(&["asked-itself"])
        .at(Site::Known),
        Scenario::new("a stranger wants options", |t| {
            t.say(typical(Ask::new(INFORM, t.mac(A)).ciaddr(t.near(40))));
        })
        .differs(&["frame", "inform"]),
        Scenario::new("two stages of a boot with one client identifier are one client", |t| {
            let id = [0, b'x', 1];
            t.join(Ask::discover(t.mac(A)), &[WANTS[0], (61, &id)]);
            t.join(Ask::discover(t.mac(B)), &[WANTS[0], (61, &id)]);
        }),
        Scenario::new("one card with two client identifiers is two clients", |t| {
            t.join(Ask::discover(t.mac(A)), &[WANTS[0], (61, &[0, b'x', 1])]);
            t.join(Ask::discover(t.mac(A)), &[WANTS[0], (61, &[0, b'x', 2])]);
        }),
        Scenario::new(
            "firmware without and a loader with the card as client identifier are one client",
            |t| {
                let id = [&[1][..], &t.mac(A)].concat();
                t.lease(A);
                t.join(Ask::discover(t.mac(A)), &[WANTS[0], (61, &id)]);
            },
        ),
    ]
}
