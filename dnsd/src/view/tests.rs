//! Views against each other: built anew, and followed through edits.

use std::sync::Arc;

use super::*;
use crate::testing::random::RandomSite;
use crate::testing::{Edited, SITE, name, snapshot};

/// Key, flags and number of RRsets, children, RRsets.
type Whole<'v> = (Key<'v>, (u8, u8), u32, &'v [u8]);

/// Everything that nodes hold, by key.
fn nodes(view: &DnsView) -> Vec<Whole<'_>> {
    let nodes = view.shards.iter().flat_map(Shard::nodes);
    let mut all: Vec<_> = nodes.map(|node| (node.key(), node.head(), node.children(), node.body())).collect();
    all.sort_unstable();
    all
}

#[track_caller]
fn same(followed: &DnsView, anew: &DnsView, what: &str) {
    assert_eq!(nodes(followed), nodes(anew), "{what}");
    for (number, zone) in anew.zones.iter() {
        assert_eq!(followed.content(number), anew.content(number), "{what}: {}", zone.name);
        assert_eq!(followed.names_of(number), anew.names_of(number), "{what}: {}", zone.name);
        if anew.pools.iter().next().is_none() {
            assert_eq!(anew.names_of(number), names_in(anew, number), "{what}: {}", zone.name);
        }
    }
    assert_eq!((followed.generation, followed.hash), (anew.generation, anew.hash), "{what}");
    assert_eq!(followed.records(), anew.records(), "{what}");
    let all = [Block::V4(0, u32::MAX), Block::V6(0, u128::MAX)];
    for block in all.into_iter().chain(crate::testing::random::blocks()) {
        assert_eq!(followed.any_address(block), anew.any_address(block), "{what}: {block:?}");
    }
}

/// Names of a zone with other data than the SOA record, or with NS records beside it.
fn names_in(view: &DnsView, zone: ZoneNumber) -> usize {
    let records = view.records_of(zone);
    let names = records.iter().filter(|record| record.rtype != rtype::SOA).map(|record| &record.owner);
    names.collect::<std::collections::BTreeSet<_>>().len()
}

#[test]
fn a_view_that_follows_edits_is_node_for_node_the_one_built_anew() {
    for seed in 0..60 {
        let (mut site, mut before) = RandomSite::new(seed);
        let mut view = DnsView::build(&before);
        for step in 0..12 {
            let after = site.edit();
            view = view.updated(&before.inventory, &after);
            same(&view, &DnsView::build(&after), &format!("seed {seed}, edit {step}"));
            before = after;
        }
    }
}

#[test]
fn the_number_of_a_zones_content_changes_when_its_records_do_and_only_then() {
    let mut changed = [0, 0];
    for seed in 0..40 {
        let (mut site, mut before) = RandomSite::new(500 + seed);
        let mut view = DnsView::build(&before);
        for step in 0..8 {
            let after = site.edit();
            let next = view.updated(&before.inventory, &after);
            for (number, zone) in next.zones.iter() {
                let Some(old) =
                    view.zone_of(&zone.name).filter(|old| view.zones.zone(*old).name == zone.name)
                else {
                    continue;
                };
                let equal = view.records_of(old) == next.records_of(number);
                let numbers = view.content(old) == next.content(number);
                // A pool counts as a whole, also where somebody else's records hide its names.
                let hidden_pool = equal && !view.pools.iter().eq(next.pools.iter());
                assert!(equal == numbers || hidden_pool, "seed {seed}, edit {step}: {}", zone.name);
                changed[usize::from(equal)] += 1;
            }
            (view, before) = (next, after);
        }
    }
    assert!(changed.iter().all(|count| *count > 200), "{changed:?}");
}

fn hosts(range: std::ops::Range<u32>) -> String {
    let host = |n: u32| format!("[host.h{n}]\nnetwork = \"lan\"\nip = \"10.20.0.{}\"\n", n % 256);
    range.map(host).collect()
}

#[test]
fn content_does_not_depend_on_files_and_their_order() {
    let zones = format!("{SITE}[zone.\"lab.example\"]\n");
    let one = snapshot(&[("a.toml", &zones), ("b.toml", &hosts(10..40))]);
    let two = snapshot(&[("z.toml", &zones), ("b.toml", &hosts(25..40)), ("y/c.toml", &hosts(10..25))]);
    let (one, two) = (DnsView::build(&one), DnsView::build(&two));
    for (number, _) in one.zones.iter() {
        assert_eq!(one.content(number), two.content(number));
    }
    assert_ne!(one.hash, two.hash);
}

#[test]
fn an_edit_of_one_host_leaves_nearly_everything_where_it_is() {
    let mut inventory = Edited::new();
    inventory.write(
        "zones.toml",
        &format!("{SITE}[zone.\"lab.example\"]\n").replace("10.20.0.0/24", "10.20.0.0/16"),
    );
    for file in 0..40_u32 {
        let text: String = (0..100)
            .map(|n| format!("[host.f{file}n{n}]\nnetwork = \"lan\"\nip = \"10.20.{}.{n}\"\n", file + 1))
            .collect();
        inventory.write(&format!("h{file}.toml"), &text);
    }
    let before = inventory.load().unwrap();
    let view = DnsView::build(&before);
    inventory.write("h0.toml", "[host.new]\nnetwork = \"lan\"\nip = \"10.20.77.7\"\n");
    let after = inventory.load().unwrap();
    let next = view.updated(&before.inventory, &after);
    assert_eq!(next.node_count(), view.node_count() - 198);
    assert!(Arc::ptr_eq(&view.zones, &next.zones));
    let shared = view.shards.iter().zip(&next.shards).filter(|(a, b)| a.is_same(b)).count();
    assert!(shared < view.shards.len() && view.shards.len() >= 128, "{shared} of {}", view.shards.len());
    assert!(next.zone_of(&name("new.lab.example")).is_some());
}

#[test]
fn growing_far_beyond_its_shards_makes_a_view_anew() {
    let mut inventory = Edited::new();
    inventory.write(
        "zones.toml",
        &format!("{SITE}[zone.\"lab.example\"]\n").replace("10.20.0.0/24", "10.20.0.0/16"),
    );
    let mut before = inventory.load().unwrap();
    let mut view = DnsView::build(&before);
    let few = view.shards.len();
    for file in 0..50_u32 {
        let text: String = (0..100)
            .map(|n| format!("[host.f{file}n{n}]\nnetwork = \"lan\"\nip = \"10.20.{}.{n}\"\n", file + 1))
            .collect();
        inventory.write(&format!("h{file}.toml"), &text);
        let after = inventory.load().unwrap();
        view = view.updated(&before.inventory, &after);
        before = after;
    }
    assert!(view.shards.len() > few);
    same(&view, &DnsView::build(&before), "after growing");
}

#[test]
fn what_no_message_could_hold_is_left_out_and_said() {
    let lines: String = (0..5_000).map(|n| format!("big A 10.1.{}.{}\n", n / 250, n % 250)).collect();
    let types: String = (0..300).map(|n| format!("types TYPE{} \\# 1 00\n", 40_000 + n)).collect();
    let view = crate::testing::view(&format!("[zone.\"lab.example\"]\nrecords = '''\n{lines}{types}'''\n"));
    let reasons: Vec<(String, LeftOut)> = view
        .problems()
        .iter()
        .map(|problem| match problem {
            Problem::LeftOut { owner, reason, .. } => (owner.to_string(), *reason),
            other @ Problem::SerialBehind { .. } => panic!("{other}"),
        })
        .collect();
    assert_eq!(
        reasons.iter().filter(|(owner, why)| owner == "big.lab.example" && *why == LeftOut::TooLarge).count(),
        1
    );
    assert_eq!(reasons.iter().filter(|(_, why)| *why == LeftOut::TooManyTypes).count(), 45);
}
