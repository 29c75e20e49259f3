//! Questions that somebody wants to see: one of so many, in the log or for `hostbook queries`.
//!
//! A worker counts down; the rest is done for a question that is taken. What is kept for `hostbook queries` is bounded,
//! and is taken only while somebody looks; lines in the log are so many a second at most.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use daemon::control::refuse;
use daemon::metrics::CountedReason;
use inventory_core::name::Name;
use inventory_core::records::RecordType;
use serde::Serialize;
use serde_json::{Value, json};
use tracing::info;

use super::counters::Carrier;
use super::status::lock;
use crate::core::{Asked, Outcome, rcode};
use crate::view::DnsView;

/// Questions that are kept for who looks.
const KEPT: usize = 4096;
/// Questions that one look brings at most.
const SHOWN: usize = 1024;
/// How long a look lasts: who goes on looking looks again before.
const LOOK: Duration = Duration::from_secs(5);
/// Lines in the log, in a second.
const LINES: u32 = 100;

/// What is taken, and where it goes.
#[derive(Debug, Default)]
pub(super) struct QueryLog {
    /// One of so many is written to the log; 0: none.
    logged: AtomicU32,
    /// One of so many is kept for who looks; 0: none.
    looked: AtomicU32,
    /// When the look is over, in milliseconds since [`QueryLog::begin`]'s clock began.
    look_ends: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    kept: VecDeque<Entry>,
    /// Number of the first that is kept.
    first: u64,
    /// The second that lines are counted in, and how many were written and left out in it.
    second: u64,
    lines: u32,
    left_out: u64,
}

/// A question, and what became of it.
#[derive(Clone, Debug, Serialize)]
struct Entry {
    /// When, in milliseconds since 1970.
    at: u64,
    client: IpAddr,
    transport: &'static str,
    /// `?`, where there is no question that can be read.
    name: String,
    #[serde(rename = "type")]
    rtype: String,
    recursion: bool,
    dnssec: bool,
    zone: Option<String>,
    said: &'static str,
    /// None: it was not answered.
    rcode: Option<&'static str>,
    octets: usize,
}

/// One worker's countdown.
#[derive(Debug, Default)]
pub(super) struct Sampler {
    /// The same as in [`QueryLog`], as of the last batch.
    logged: u32,
    looked: u32,
    /// Questions since the last one that was taken.
    since_logged: u32,
    since_looked: u32,
}

impl QueryLog {
    /// Has one of `every` questions written to the log; 0: none.
    pub(super) fn log_one_of(&self, every: u32) {
        self.logged.store(every, Ordering::Relaxed);
    }

    /// Answers `hostbook queries`: what was taken since number `after`, and has one of `every` taken for a while.
    pub(super) fn look(&self, args: &Value, now: Duration) -> Value {
        let every = args["every"].as_u64().unwrap_or(1);
        let Some(every) = u32::try_from(every).ok().filter(|every| *every > 0) else {
            return refuse("`every` is a number from 1 to 4294967295");
        };
        let mut state = lock(&self.state);
        if self.looked.load(Ordering::Relaxed) == 0 {
            // What was kept is of an earlier look.
            state.first += state.kept.len() as u64;
            state.kept.clear();
        }
        self.look_ends.store(milliseconds(now + LOOK), Ordering::Relaxed);
        self.looked.store(every, Ordering::Relaxed);
        let end = state.first + state.kept.len() as u64;
        let after = args["after"].as_u64().unwrap_or(end);
        let skipped = usize::try_from(after.saturating_sub(state.first)).unwrap_or(usize::MAX);
        let shown: Vec<&Entry> = state.kept.iter().skip(skipped).take(SHOWN).collect();
        let begins = after.clamp(state.first, end);
        let next = begins + shown.len() as u64;
        json!({ "queries": shown, "next": next, "lost": begins.saturating_sub(after) })
    }

    fn is_over(&self, now: Duration) -> bool {
        milliseconds(now) >= self.look_ends.load(Ordering::Relaxed)
    }

    /// Keeps a question, writes it, or both.
    #[cold]
    fn take(&self, entry: Entry, kept: bool, logged: bool) {
        let mut state = lock(&self.state);
        if logged && let Some(left_out) = state.line(entry.at / 1000) {
            let Entry { client, transport, name, rtype, said, octets, .. } = &entry;
            let (zone, rcode) = (entry.zone.as_deref().unwrap_or("-"), entry.rcode.unwrap_or("-"));
            info!(%client, transport, %name, r#type = %rtype, zone, said, rcode, octets, left_out, "query");
        }
        if kept {
            if state.kept.len() >= KEPT {
                state.kept.pop_front();
                state.first += 1;
            }
            state.kept.push_back(entry);
        }
    }
}

impl State {
    /// Whether another line may be written in this second; if so, how many were left out before.
    fn line(&mut self, second: u64) -> Option<u64> {
        if self.second != second {
            (self.second, self.lines) = (second, 0);
        }
        if self.lines >= LINES {
            self.left_out += 1;
            return None;
        }
        self.lines += 1;
        Some(std::mem::take(&mut self.left_out))
    }
}

impl Sampler {
    /// Takes up what is wanted; `now` is the time since the daemon began. Call it once per batch.
    #[inline]
    pub(super) fn follow(&mut self, log: &QueryLog, now: Duration) {
        self.logged = log.logged.load(Ordering::Relaxed);
        self.looked = log.looked.load(Ordering::Relaxed);
        if self.looked != 0 && log.is_over(now) {
            log.looked.store(0, Ordering::Relaxed);
            self.looked = 0;
        }
    }

    /// Counts a question, and takes it if it is its turn.
    #[inline]
    pub(super) fn hear(&mut self, log: &QueryLog, view: &DnsView, asked: &Asked, heard: Heard) {
        if self.logged | self.looked != 0 {
            self.turn(log, view, asked, heard);
        }
    }

    fn turn(&mut self, log: &QueryLog, view: &DnsView, asked: &Asked, heard: Heard) {
        let kept = is_due(&mut self.since_looked, self.looked);
        let logged = is_due(&mut self.since_logged, self.logged);
        if kept || logged {
            log.take(heard.entry(view, asked), kept, logged);
        }
    }
}

fn is_due(since: &mut u32, every: u32) -> bool {
    *since = since.saturating_add(1);
    let due = every > 0 && *since >= every;
    if due {
        *since = 0;
    }
    due
}

/// What is known of a question beside itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    pub(super) client: IpAddr,
    pub(super) carrier: Carrier,
    /// What became of it; none: the reply is made later, elsewhere.
    pub(super) outcome: Option<Outcome>,
}

impl Heard {
    fn entry(self, view: &DnsView, asked: &Asked) -> Entry {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let question = asked.question();
        let name = question.and_then(|question| Name::from_wire(question.name.as_wire()));
        let (said, code) = match self.outcome {
            None => ("later", None),
            Some(Outcome::Answered { answer, .. }) => (answer.label(), Some(answer.rcode())),
            Some(Outcome::Failed { reason, .. }) => (reason.label(), reason.rcode()),
            Some(Outcome::Dropped(reason)) => (reason.label(), None),
        };
        Entry {
            at: milliseconds(at),
            client: self.client.to_canonical(),
            transport: self.carrier.label(),
            name: name.map_or_else(|| "?".to_owned(), |name| name.to_string()),
            rtype: question.map_or_else(|| "?".to_owned(), |asked| RecordType(asked.qtype).to_string()),
            recursion: asked.wants_recursion(),
            dnssec: question.and_then(|question| question.edns).is_some_and(|edns| edns.dnssec_ok),
            zone: asked.zone(view).map(|zone| view.zones().zone(zone).name.to_string()),
            said,
            rcode: code
                .and_then(|code| rcode::NAMES.iter().find(|(number, _)| *number == code))
                .map(|(_, name)| *name),
            octets: self.outcome.and_then(Outcome::octets).unwrap_or(0),
        }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Answer;
    use crate::testing::{Ask, view};
    use crate::view::rtype;

    const SECOND: Duration = Duration::from_secs(1);

    fn ask(sampler: &mut Sampler, log: &QueryLog, view: &DnsView, name: &str, times: usize) {
        let asked = Asked::read(&Ask::new(name, rtype::A).octets());
        let outcome = Some(Outcome::Answered { octets: 50, answer: Answer::NoName, truncated: false });
        let heard = Heard { client: [10, 20, 0, 9].into(), carrier: Carrier::Udp, outcome };
        (0..times).for_each(|_| sampler.hear(log, view, &asked, heard));
    }

    #[test]
    fn who_looks_sees_one_of_so_many_from_then_on_until_nobody_looks() {
        let (log, view, mut sampler) =
            (QueryLog::default(), view("[zone.\"lab.example\"]\n"), Sampler::default());
        sampler.follow(&log, SECOND);
        ask(&mut sampler, &log, &view, "before.lab.example", 3);
        let first = log.look(&json!({ "every": 2 }), SECOND);
        assert_eq!(first, json!({ "queries": [], "next": 0, "lost": 0 }));
        sampler.follow(&log, SECOND);
        ask(&mut sampler, &log, &view, "a\\032b.lab.example", 5);
        let second = log.look(&json!({ "every": 2, "after": 0 }), 2 * SECOND);
        assert_eq!((&second["next"], &second["lost"]), (&json!(2), &json!(0)));
        let mut entry = second["queries"][0].clone();
        entry["at"].take();
        let expected = json!({
            "at": null, "client": "10.20.0.9", "transport": "udp", "name": "a\\032b.lab.example", "type": "A",
            "recursion": false, "dnssec": false, "zone": "lab.example", "said": "no-name", "rcode": "NXDOMAIN",
            "octets": 50,
        });
        assert_eq!(entry, expected);
        sampler.follow(&log, 7 * SECOND);
        ask(&mut sampler, &log, &view, "late.lab.example", 9);
        assert_eq!(log.look(&json!({}), 8 * SECOND), json!({ "queries": [], "next": 2, "lost": 0 }));
    }

    #[test]
    fn what_is_kept_is_bounded_and_what_was_missed_is_said() {
        let (log, view, mut sampler) =
            (QueryLog::default(), view("[zone.\"lab.example\"]\n"), Sampler::default());
        log.look(&json!({}), SECOND);
        sampler.follow(&log, SECOND);
        ask(&mut sampler, &log, &view, "x.lab.example", KEPT + 10);
        let seen = log.look(&json!({ "after": 0 }), SECOND);
        assert_eq!((seen["queries"].as_array().unwrap().len(), &seen["lost"]), (SHOWN, &json!(10)));
        assert_eq!(seen["next"], json!(SHOWN + 10));
        assert!(log.look(&json!({ "every": 0 }), SECOND)["error"].is_string());
    }

    #[test]
    fn lines_in_the_log_are_so_many_a_second() {
        let mut state = State::default();
        let written = (0..LINES + 5).filter(|_| state.line(7) == Some(0)).count();
        assert_eq!((written, state.line(8), state.line(8)), (LINES as usize, Some(5), Some(0)));
    }
}
