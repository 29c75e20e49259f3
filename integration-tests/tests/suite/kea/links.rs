//! Two networks on one link: here the near and the far one, as Kea's shared network.

use integration_tests::message::Ask;

use super::scenarios::{Scenario, WANTS, typical};
use super::servers::Site;
use super::talk::Talk;

const WEB: u8 = 1;
const FAR: u8 = 8;
const A: u8 = 0x21;
const B: u8 = 0x22;

/// A lease of the far network, on the server's link.
fn lease_far(t: &mut Talk<'_>, number: u8) {
    t.say(typical(Ask::discover(t.mac(number))).address(50, t.far(102)));
    t.say(typical(Ask::selecting(t.mac(number), t.far(102), t.own())));
}

fn host(t: &mut Talk<'_>) {
    t.join(Ask::discover(t.mac(FAR)), WANTS);
    t.say(typical(Ask::init_reboot(t.mac(FAR), t.far(18))));
    t.say(typical(Ask::renewing(t.mac(FAR), t.far(18), t.own())));
    t.say(typical(Ask::rebinding(t.mac(FAR), t.far(18))));
}

fn host_behind_agent(t: &mut Talk<'_>) {
    let discover = t.relay(typical(Ask::discover(t.mac(WEB))));
    let offered = t.say(discover).unwrap().yiaddr();
    let request = t.relay(typical(Ask::selecting(t.mac(WEB), offered, t.own())));
    t.say(request);
}

fn full(t: &mut Talk<'_>) {
    for number in 0..8 {
        t.lease(A + number);
    }
    t.say(typical(Ask::discover(t.mac(A + 8))));
}

/// The scenarios.
pub(super) fn links() -> Vec<Scenario> {
    let all = vec![
        Scenario::new("a host of the other network on the link", host).differs(&["frame"]),
        Scenario::new("a host of the other network behind an agent", host_behind_agent).differs(&["hops"]),
        Scenario::new("a stranger asks for an address of the other network", |t| lease_far(t, A)),
        Scenario::new("strangers fill the pools of a link", full),
        Scenario::new("a client renews, rebinds and starts again in the other network", |t| {
            lease_far(t, A);
            t.say(typical(Ask::init_reboot(t.mac(A), t.far(102))));
            t.say(typical(Ask::renewing(t.mac(A), t.far(102), t.own())));
            t.say(typical(Ask::rebinding(t.mac(A), t.far(102))));
            t.say(typical(Ask::discover(t.mac(A))));
        })
        .differs(&["frame"]),
        Scenario::new("a client starts again with another client's lease of the other network", |t| {
            lease_far(t, A);
            t.say(typical(Ask::init_reboot(t.mac(B), t.far(102))));
        })
        .differs(&["frame", "nak-message"]),
        Scenario::new("a client starts again with an address that is not of the link", |t| {
            t.say(typical(Ask::init_reboot(t.mac(A), [172, 16, 0, 5].into())));
        })
        .differs(&["frame", "nak-message"]),
        Scenario::new("a client gives a lease of the other network back", |t| {
            lease_far(t, A);
            t.say(Ask::releasing(t.mac(A), t.far(102), t.own()));
            t.say(typical(Ask::discover(t.mac(B))).address(50, t.far(102)));
        }),
    ];
    all.into_iter().map(|scenario| scenario.at(Site::Link)).collect()
}
