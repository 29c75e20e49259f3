//! Clocks that step, stop and begin anew: no address is given away too early, and no lease is immortal.

use std::net::Ipv4Addr;

use dhcpd::core::{Changed, Input, Notice, Reason};

use super::lab::{Lab, SERVER, SITE};
use super::packet::Ask;

const HOUR: i64 = 3_600_000;
const YEARS: i64 = 10 * 365 * 24 * HOUR;
const STEPS: [i64; 4] = [HOUR, -HOUR, YEARS, -YEARS];
const HOLDER: [u8; 6] = [2, 0, 0, 0, 1, 1];
const OTHER: [u8; 6] = [2, 0, 0, 0, 1, 2];
const ONLY: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 100);

/// A pool of one address, leased to `HOLDER` for an hour by a machine in its boot 1.
fn lab() -> Lab {
    let mut lab =
        Lab::of(&SITE.replace("lease = \"1h\"", "lease = \"1h\"\npool = [\"10.77.0.100\"]\nprobe = false"));
    lab.restart(Some(1));
    assert_eq!(lab.join(HOLDER), ONLY);
    lab
}

/// The address is taken for another `left` milliseconds and free soon after.
fn is_taken_for(lab: &mut Lab, left: i64) {
    assert_eq!(lab.ask(&Ask::discover(OTHER)).silence(), Reason::PoolFull);
    lab.pass(left - 1);
    assert_eq!(lab.ask(&Ask::discover(OTHER)).silence(), Reason::PoolFull, "too early");
    // What was written lies ahead by at most a quarter.
    lab.pass(HOUR / 4 + 2000);
    assert_eq!(lab.ask(&Ask::discover(OTHER)).offered(), ONLY, "immortal");
}

#[test]
fn a_stepped_wall_clock_changes_no_lease_of_a_running_server() {
    for by in STEPS {
        let mut lab = lab();
        lab.pass(HOUR / 2);
        lab.now.unix_ms += by;
        let answer = lab.pass(1);
        assert_eq!(answer.notices, [Notice::ClockStepped { by }]);
        assert_eq!(answer.records.len(), 1, "written anew for another boot");
        assert!(lab.pass(1).records.is_empty(), "once");
        is_taken_for(&mut lab, HOUR / 2 - 2);
    }
}

#[test]
fn a_clock_that_drifts_by_less_than_a_minute_is_not_worth_a_word() {
    let mut lab = lab();
    lab.now.unix_ms += 59_000;
    let answer = lab.pass(1);
    assert!(answer.notices.is_empty() && answer.records.is_empty());
}

#[test]
fn a_wall_clock_stepped_while_the_server_was_down_changes_no_lease() {
    for by in STEPS {
        let mut lab = lab();
        lab.now.unix_ms += by;
        lab.restart(Some(1));
        is_taken_for(&mut lab, HOUR);
    }
}

#[test]
fn suspended_time_counts() {
    let mut lab = lab();
    let woken = lab.pass(3 * HOUR);
    assert_eq!(woken.changed(), [(ONLY, Changed::Ended)]);
    assert_eq!(lab.ask(&Ask::discover(OTHER)).offered(), ONLY);
}

#[test]
fn leases_survive_a_reboot_of_the_machine_with_the_time_that_is_left() {
    let mut lab = lab();
    lab.pass(HOUR / 4);
    lab.now.monotonic_ms = 3_000;
    lab.restart(Some(2));
    is_taken_for(&mut lab, 3 * HOUR / 4);
}

#[test]
fn a_step_before_a_reboot_does_no_harm_after_it() {
    for by in STEPS {
        let mut lab = lab();
        lab.now.unix_ms += by;
        lab.pass(1000);
        lab.now.monotonic_ms = 3_000;
        lab.restart(Some(2));
        is_taken_for(&mut lab, HOUR - 2000);
    }
}

#[test]
fn a_step_while_the_server_was_down_does_no_harm_after_a_reboot() {
    for by in STEPS {
        let mut lab = lab();
        lab.now.unix_ms += by;
        lab.restart(Some(1));
        let answer = lab.pass(1000);
        assert!(answer.records.is_empty() && answer.notices.is_empty(), "told and written at once");
        assert_eq!(lab.journal.last().unwrap().1.written, lab.now.unix_ms.div_euclid(1000) - 1);
        lab.now.monotonic_ms = 3_000;
        lab.restart(Some(2));
        is_taken_for(&mut lab, HOUR - 2000);
    }
}

#[test]
fn a_step_that_could_not_be_written_before_the_server_ended_is_found_by_the_next_one() {
    for by in STEPS {
        let mut lab = lab();
        lab.commits = false;
        lab.input(&Input::StoreFailing);
        lab.now.unix_ms += by;
        assert!(lab.pass(1000).records.is_empty());
        lab.commits = true;
        lab.restart(Some(1));
        lab.now.monotonic_ms = 3_000;
        lab.restart(Some(2));
        is_taken_for(&mut lab, HOUR - 2000);
    }
}

#[test]
fn a_machine_that_wakes_up_in_the_past_keeps_leases_for_their_time_and_no_longer() {
    // A real-time clock without battery says 1970.
    let mut lab = lab();
    lab.now.monotonic_ms = 3_000;
    lab.now.unix_ms = 3_000;
    lab.restart(Some(2));
    is_taken_for(&mut lab, HOUR);
    // The right time comes later, from the network.
    let mut lab = self::lab();
    let right = lab.now.unix_ms;
    lab.now.monotonic_ms = 3_000;
    lab.now.unix_ms = 3_000;
    lab.restart(Some(2));
    lab.now.unix_ms = right + 60_000;
    lab.pass(60_000);
    lab.restart(Some(2));
    is_taken_for(&mut lab, HOUR - 60_000);
}

#[test]
fn the_holder_renews_across_any_of_it() {
    for by in STEPS {
        let mut lab = lab();
        lab.now.unix_ms += by;
        lab.restart(Some(1));
        assert_eq!(lab.ask(&Ask::renewing(HOLDER, ONLY, SERVER)).acknowledged(), ONLY);
        lab.now.monotonic_ms = 1;
        lab.restart(Some(2));
        assert_eq!(lab.ask(&Ask::init_reboot(HOLDER, ONLY)).acknowledged(), ONLY);
    }
}
