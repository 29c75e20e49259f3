//! Addresses and prefixes from pools: who gets which, for how long, and what ends it.

use std::net::Ipv6Addr;

use dhcpd::core::Changed;
use dhcpd::core::v6::{Event, Input, Outcome, Reason};
use ipnet::Ipv6Net;

use super::lab::{Answer, Lab, SERVER, SITE, STRANGER, WEB, link};
use super::packet::{Ask, address, duid_ll, prefix};

const SOLICIT: u8 = 1;
const REQUEST: u8 = 3;
const CONFIRM: u8 = 4;
const RENEW: u8 = 5;
const REBIND: u8 = 6;
const RELEASE: u8 = 8;
const DECLINE: u8 = 9;

/// A site whose network has two pools of three.
fn pools() -> String {
    let keys = "pool = [\"2001:db8:77::100-2001:db8:77::102\"]\npd-pool = [\"2001:db8:8000::/54\"]\nlease =";
    SITE.replace("lease =", keys)
}

fn lab(hosts: &str) -> Lab {
    Lab::on(&format!("{}{hosts}", pools()), vec![link()])
}

fn machine(n: u8) -> [u8; 6] {
    [2, 0, 0, 0, 5, n]
}

/// A message of this machine, to us where that is to be said.
fn ask(kind: u8, n: u8) -> Ask {
    let ask = Ask::new(kind, &duid_ll(machine(n)));
    if [REQUEST, RENEW, RELEASE, DECLINE].contains(&kind) { ask.with(2, SERVER) } else { ask }
}

fn ip(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

fn item(text: &str) -> Ipv6Net {
    text.parse().unwrap()
}

/// What is given, withdrawn and said in the identity associations of a reply, in their order.
fn told(answer: &Answer) -> Vec<String> {
    let ias = answer.one().ias().into_iter();
    ias.map(|ia| {
        let leases = ia.leases.iter().map(|(net, _, valid)| format!("{net}={valid}"));
        leases.chain(ia.status.map(|status| format!("status {status}"))).collect::<Vec<_>>().join(" ")
    })
    .collect()
}

#[test]
fn an_address_and_a_prefix_of_the_pools_are_offered_given_extended_and_given_back() {
    let mut lab = lab("");
    let offer = lab.ask(machine(1), &ask(SOLICIT, 1).na(1, &[]).pd(2, &[]).oro(&[23]));
    assert_eq!(told(&offer), ["2001:db8:77::100/128=3600", "2001:db8:8000::/56=3600"]);
    assert_eq!(offer.one().codes(), [1, 2, 3, 25, 23], "no preference: another server may know the machine");
    assert_eq!((offer.way().after, lab.journal.len()), (None, 0), "an offer needs no record");

    let had = |ask: Ask| ask.na(1, &[address("2001:db8:77::100")]).pd(2, &[prefix("2001:db8:8000::", 56)]);
    let given = lab.ask(machine(1), &had(ask(REQUEST, 1)));
    assert_eq!(told(&given), told(&offer));
    assert_eq!((given.way().after, lab.journal.len()), (Some(2), 2), "the reply waits for both records");
    assert_eq!(given.events.iter().filter(|event| **event == Event::LeaseGranted).count(), 2);
    let text = serde_json::to_string(&lab.journal[1].1).unwrap();
    assert!(
        text.starts_with(
            r#"{"address":"2001:db8:8000::/56","client":"pd:00:00:00:02:00:03:00:01:02:00:00:00:05:01","#
        ),
        "{text}"
    );

    lab.pass(600);
    let renewed = lab.ask(machine(1), &had(ask(RENEW, 1)));
    assert_eq!(told(&renewed), told(&offer));
    assert_eq!((renewed.way().after, lab.journal.len()), (None, 2), "what is written lies ahead");

    let released = lab.ask(machine(1), &had(ask(RELEASE, 1)));
    assert_eq!((released.outcome, released.one().codes()), (Outcome::Acknowledged, vec![1, 2, 13]));
    assert_eq!(released.changes.iter().map(|change| change.what).collect::<Vec<_>>(), [Changed::Released; 2]);
    let again = lab.ask(machine(1), &had(ask(RELEASE, 1)));
    assert_eq!(told(&again), ["status 3", "status 3"], "no binding");
}

#[test]
fn each_identity_association_of_a_stranger_has_a_lease_of_its_own_and_keeps_it() {
    let mut lab = lab("");
    let several = |kind: u8| ask(kind, 1).na(1, &[]).na(2, &[]).pd(1, &[]).with(4, &[0, 0, 0, 1]);
    let given = told(&lab.ask(machine(1), &several(REQUEST)));
    assert_eq!(
        given,
        [
            "2001:db8:77::100/128=3600",
            "2001:db8:77::101/128=3600",
            "2001:db8:8000::/56=3600",
            "2001:db8:77::102/128=3600"
        ]
    );
    lab.restart();
    assert_eq!(told(&lab.ask(machine(1), &several(REQUEST))), given, "over a restart");
    let other = lab.ask(machine(2), &ask(SOLICIT, 2).na(1, &[]).pd(1, &[]));
    assert_eq!(told(&other), ["status 2", "2001:db8:8000:100::/56=3600"], "no address is left");
}

#[test]
fn a_rapid_commit_gives_at_once_and_nothing_is_committed_where_there_is_nothing() {
    let mut lab = lab("");
    for n in 1..=3 {
        let answer = lab.ask(machine(n), &ask(SOLICIT, n).na(1, &[]).with(14, &[]));
        assert_eq!((answer.one().kind(), answer.one().codes()), (7, vec![1, 2, 14, 3]));
        assert_eq!(answer.way().after, Some(n.into()));
    }
    let answer = lab.ask(machine(4), &ask(SOLICIT, 4).na(1, &[]).with(14, &[]));
    assert_eq!((answer.one().kind(), told(&answer)), (2, vec!["status 2".to_owned()]));
}

#[test]
fn a_hint_is_followed_where_it_is_free_and_of_the_pool() {
    let mut lab = lab("");
    let hint = |lab: &mut Lab, n, text| told(&lab.ask(machine(n), &ask(REQUEST, n).na(1, &[address(text)])));
    assert_eq!(hint(&mut lab, 1, "2001:db8:77::102"), ["2001:db8:77::102/128=3600"]);
    assert_eq!(hint(&mut lab, 2, "2001:db8:77::102"), ["2001:db8:77::100/128=3600"], "it is another's");
    assert_eq!(hint(&mut lab, 3, "2001:db8:77::7"), ["2001:db8:77::101/128=3600"], "not of the pool");
    let ask =
        ask(REQUEST, 1).pd(1, &[prefix("2001:db8:8000:200::", 56)]).pd(2, &[prefix("2001:db8:8000::", 60)]);
    let prefixes = told(&lab.ask(machine(1), &ask));
    assert_eq!(prefixes, ["2001:db8:8000:200::/56=3600", "2001:db8:8000::/56=3600"], "the length is ours");
}

#[test]
fn a_lease_ends_and_goes_to_another_only_when_no_fresh_one_is_left() {
    let mut lab = lab("");
    for n in 1..=3 {
        lab.ask(machine(n), &ask(REQUEST, n).na(1, &[]));
    }
    lab.ask(machine(2), &ask(RELEASE, 2).na(1, &[address("2001:db8:77::101")]));
    let answer = lab.ask(machine(4), &ask(REQUEST, 4).na(1, &[]));
    assert_eq!(told(&answer), ["2001:db8:77::101/128=3600"]);
    let ended = lab.pass(3601);
    assert_eq!(ended.iter().filter(|change| change.what == Changed::Ended).count(), 3);
}

#[test]
fn an_edit_that_reserves_an_address_takes_the_leased_one_away_at_the_next_renew() {
    let host = "[host.c1]\nnetwork = \"lab\"\nmac = \"02:00:00:00:05:01\"\nip = \"2001:db8:77::11\"\npd = \"2001:db8:40::/56\"\n";
    for kind in [RENEW, REBIND] {
        let mut lab = lab("");
        lab.ask(machine(1), &ask(REQUEST, 1).na(1, &[]).pd(2, &[]));
        lab.view = super::lab::view_of(&format!("{}{host}", pools()));
        let had = ask(kind, 1).na(1, &[address("2001:db8:77::100")]).pd(2, &[prefix("2001:db8:8000::", 56)]);
        let answer = lab.ask(machine(1), &had);
        assert_eq!(
            told(&answer),
            ["2001:db8:77::11/128=3600 2001:db8:77::100/128=0", "2001:db8:40::/56=3600 2001:db8:8000::/56=0"]
        );
        let ended: Vec<_> = answer.changes.iter().map(|change| (change.what, change.address)).collect();
        assert_eq!(
            ended,
            [
                (Changed::Withdrawn, item("2001:db8:77::100/128")),
                (Changed::Withdrawn, item("2001:db8:8000::/56"))
            ]
        );
    }
}

#[test]
fn a_pool_that_has_moved_takes_the_lease_away_and_gives_another() {
    let mut lab = lab("");
    lab.ask(machine(1), &ask(REQUEST, 1).na(1, &[]).pd(1, &[]));
    let moved = pools()
        .replace("77::100-2001:db8:77::102", "77::200-2001:db8:77::202")
        .replace("8000::/54", "9000::/54");
    lab.view = super::lab::view_of(&moved);
    let had = ask(RENEW, 1).na(1, &[address("2001:db8:77::100")]).pd(1, &[prefix("2001:db8:8000::", 56)]);
    assert_eq!(
        told(&lab.ask(machine(1), &had)),
        ["2001:db8:77::200/128=3600 2001:db8:77::100/128=0", "2001:db8:9000::/56=3600 2001:db8:8000::/56=0"]
    );
}

#[test]
fn a_reserved_address_that_another_still_leases_is_waited_for() {
    let mut lab = lab("");
    lab.ask(machine(1), &ask(REQUEST, 1).na(1, &[]));
    let host = "[host.web]\nnetwork = \"lab\"\nmac = \"02:00:00:00:00:01\"\nip = \"2001:db8:77::100\"\n";
    let narrowed = pools().replace("77::100-", "77::101-");
    lab.view = super::lab::view_of(&format!("{narrowed}{host}"));
    let web = Ask::new(SOLICIT, &duid_ll(WEB)).na(1, &[]);
    assert_eq!(told(&lab.ask(WEB, &web)), ["2001:db8:77::101/128=300"], "for some minutes");
    lab.pass(3601);
    assert_eq!(told(&lab.ask(WEB, &web)), ["2001:db8:77::100/128=3600"]);
}

#[test]
fn a_host_without_an_address_has_one_of_the_pool_whatever_identity_association_asks() {
    let mut lab = lab("[host.web]\nnetwork = \"lab\"\nmac = \"02:00:00:00:00:01\"\n");
    let first = lab.ask(WEB, &Ask::new(REQUEST, b"\0\x04firmware-firmware").with(2, SERVER).na(1, &[]));
    assert_eq!(told(&first), ["2001:db8:77::100/128=3600"]);
    let second = lab.ask(WEB, &Ask::new(REQUEST, &duid_ll(WEB)).with(2, SERVER).na(7, &[]).na(8, &[]));
    assert_eq!(told(&second), ["2001:db8:77::100/128=3600", "status 2"]);
}

#[test]
fn a_host_gets_its_prefixes_in_their_order_and_keeps_the_one_that_it_has() {
    let host = "[host.cpe]\nnetwork = \"lab\"\nmac = \"02:00:00:00:00:01\"\nip = \"2001:db8:77::11\"\n\
                pd = [\"2001:db8:40::/56\", \"2001:db8:50::/48\"]\n";
    let mut lab = lab(host);
    let web = || Ask::new(REQUEST, &duid_ll(WEB)).with(2, SERVER);
    let answer = lab.ask(WEB, &web().pd(1, &[]).pd(2, &[]).pd(3, &[]));
    assert_eq!(told(&answer), ["2001:db8:40::/56=3600", "2001:db8:50::/48=3600", "status 6"]);
    let answer = lab.ask(WEB, &web().pd(1, &[prefix("2001:db8:50::", 48)]).pd(2, &[]));
    assert_eq!(told(&answer), ["2001:db8:50::/48=3600", "2001:db8:40::/56=3600"]);
    assert_eq!((answer.way().after, lab.journal.len()), (None, 0), "the inventory needs no record");
}

#[test]
fn a_confirm_is_good_for_a_lease_and_for_no_address_that_is_not_the_clients() {
    let mut lab = lab("");
    lab.ask(machine(1), &ask(REQUEST, 1).na(1, &[]));
    let confirm = |lab: &mut Lab, n: u8, text| lab.ask(machine(n), &ask(CONFIRM, n).na(1, &[address(text)]));
    assert_eq!(confirm(&mut lab, 1, "2001:db8:77::100").one().status(), Some(0));
    assert_eq!(confirm(&mut lab, 2, "2001:db8:77::100").one().status(), Some(4), "another's");
    assert_eq!(confirm(&mut lab, 1, "2001:db8:77::101").one().status(), Some(4), "ours, and not given");
    assert_eq!(confirm(&mut lab, 1, "2001:db8:1::1").one().status(), Some(4), "of another link");
    assert_eq!(confirm(&mut lab, 1, "2001:db8:77::7").silence(), Reason::UnknownLease, "another server's");
}

#[test]
fn a_declined_address_is_on_probation_and_nobody_gets_it() {
    let mut lab = lab("");
    lab.ask(machine(1), &ask(REQUEST, 1).na(1, &[]));
    let answer = lab.ask(machine(1), &ask(DECLINE, 1).na(1, &[address("2001:db8:77::100")]));
    assert_eq!(answer.one().codes(), [1, 2, 13]);
    assert!(answer.events.contains(&Event::AddressInUse));
    let got: Vec<_> =
        (1..=3).map(|n| told(&lab.ask(machine(n), &ask(REQUEST, n).na(1, &[]))).concat()).collect();
    assert_eq!(got, ["2001:db8:77::101/128=3600", "2001:db8:77::102/128=3600", "status 2"]);
    let stranger =
        Ask::new(DECLINE, &duid_ll(STRANGER)).with(2, SERVER).na(1, &[address("2001:db8:77::101")]);
    assert_eq!(told(&lab.ask(STRANGER, &stranger)), ["status 3"], "nobody declines for another");
}

#[test]
fn while_the_store_fails_no_lease_is_given_and_what_the_inventory_says_goes_on() {
    let host = "[host.web]\nnetwork = \"lab\"\nmac = \"02:00:00:00:00:01\"\nip = \"2001:db8:77::11\"\n";
    let mut lab = lab(host);
    lab.ask(machine(1), &ask(REQUEST, 1).na(1, &[]));
    lab.give(&Input::StoreFailing);
    assert_eq!(lab.ask(machine(2), &ask(SOLICIT, 2).na(1, &[])).silence(), Reason::StoreFailing);
    lab.give(&Input::StoreFailing);
    assert_eq!(lab.ask(machine(2), &ask(REQUEST, 2).na(1, &[])).silence(), Reason::StoreFailing);
    lab.give(&Input::StoreFailing);
    let renew = ask(REBIND, 2).na(1, &[address("2001:db8:77::101")]);
    assert_eq!(
        lab.ask(machine(2), &renew).silence(),
        Reason::StoreFailing,
        "it may be one that was not read"
    );
    lab.give(&Input::StoreFailing);
    let web = Ask::new(REQUEST, &duid_ll(WEB)).with(2, SERVER).na(1, &[]).pd(2, &[]);
    assert_eq!(told(&lab.ask(WEB, &web)), ["2001:db8:77::11/128=3600", "status 6"]);
    lab.give(&Input::StoreFailing);
    let renew = ask(RENEW, 1).na(1, &[address("2001:db8:77::100")]);
    assert_eq!(lab.ask(machine(1), &renew).address(), ip("2001:db8:77::100"), "that is written already");
}
