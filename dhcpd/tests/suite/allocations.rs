//! What a packet's way does not allocate.

use std::borrow::Cow;

use daemon::CountingAllocator;
use dhcpd::core::{Input, Outputs, Packet};

use super::lab::{INTERFACE, Lab, SERVER, WEB, WEB_HOST};
use super::packet::Ask;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// What one card says, directly and through a relay agent.
fn exchanges() -> Vec<Ask> {
    let address = [10, 77, 0, 11];
    let duid = [&[255, 0, 0, 0, 4, 0, 4][..], &[7; 16]].concat();
    let asked = |ask: Ask| ask.option(55, &[1, 3, 6, 12, 15, 42]);
    let agent = |ask: Ask| ask.relayed([10, 77, 0, 254], SERVER).option(82, &[1, 2, 0, 7, 2, 1, 9]);
    let direct =
        [Ask::discover(WEB), Ask::selecting(WEB, address, SERVER), Ask::renewing(WEB, address, SERVER)];
    let relayed = [Ask::discover(WEB), Ask::selecting(WEB, address, SERVER)].map(agent);
    let plain = direct.into_iter().chain(relayed).map(asked);
    plain
        .flat_map(|ask| [ask.clone().option(61, &duid), ask.clone().option(60, b"PXEClient:Arch:00000"), ask])
        .collect()
}

#[test]
fn answering_a_machine_of_the_inventory_allocates_nothing() {
    let mut lab = Lab::new(WEB_HOST);
    let mut out = Outputs::default();
    // The first time, the outputs get their memory.
    for round in ["first", "again"] {
        for ask in exchanges() {
            let octets = ask.octets();
            let (bytes, destination) = (Cow::Borrowed(&*octets), Some(ask.to));
            let input = Input::Packet(Packet { bytes, interface: INTERFACE, from: ask.from, destination });
            let before = CountingAllocator::count();
            lab.core.look_ahead([&*octets].into_iter(), INTERFACE, &lab.view);
            lab.core.handle(&input, lab.now, &lab.view, &mut out);
            let allocated = CountingAllocator::count() - before;
            assert_eq!(out.replies().count(), 1, "{ask:?}");
            assert!(before > 0 && (round == "first" || allocated == 0), "{allocated} for {ask:?}");
            out.clear();
        }
    }
}
