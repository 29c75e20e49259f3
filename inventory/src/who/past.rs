//! Who had an address when, from the records of its leases.

use dhcpd::core::{Record, State};
use serde_json::{Value, json};

/// A time during which one client had the address, without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// The last record of it: whose it was, and by what name.
    pub(super) record: Record,
    /// Its first second, and the one after its last.
    pub(super) since: i64,
    pub(super) until: i64,
    /// Whether the client gave it back, or its time was over.
    pub(super) released: bool,
}

/// The spans of `records`, which are of one address, in order.
pub(super) fn spans(records: &[Record]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for record in records {
        let ends = record.written.saturating_add(record.seconds.into());
        let last = spans.last_mut().filter(|last| record.written < last.until);
        match (last, record.state) {
            (Some(last), State::Bound) if goes_on(&last.record, record) => {
                last.record = record.clone();
                last.until = ends;
                continue;
            }
            (Some(last), state) => {
                last.until = record.written;
                last.released = state == State::Released;
            }
            (None, _) => {}
        }
        if matches!(record.state, State::Bound | State::Declined) {
            spans.push(Span { record: record.clone(), since: record.written, until: ends, released: false });
        }
    }
    spans
}

fn goes_on(before: &Record, after: &Record) -> bool {
    before.state == State::Bound && before.client == after.client
}

/// The span at a moment; else the one that was over before it.
pub(super) fn at(spans: &[Span], moment: i64) -> (Option<&Span>, Option<&Span>) {
    let begun = || spans.iter().rev().filter(|span| span.since <= moment);
    (begun().find(|span| moment < span.until), begun().find(|span| span.until <= moment))
}

impl Span {
    /// The machine, in words.
    pub(super) fn client(&self) -> String {
        let id = self.record.client.to_string();
        let who = self.record.mac.map_or(id, |mac| mac.to_string());
        match &self.record.name {
            Some(name) => format!("{who}, which calls itself {name}"),
            None => who,
        }
    }

    /// For programs.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "address": self.record.address.to_string(),
            "client": self.record.client.to_string(),
            "mac": self.record.mac.map(|mac| mac.to_string()),
            "name": self.record.name,
            "declined": self.record.state == State::Declined,
            "since": self.since,
            "until": self.until,
            "released": self.released,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(client: u8, state: &str, written: i64, seconds: u32) -> Record {
        let text = format!(
            r#"{{"address":"10.0.0.5","client":"hw:01:02:00:00:00:00:{client:02x}","state":"{state}","written":{written},"seconds":{seconds}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn found(records: &[Record], moment: i64) -> Option<(u8, i64, i64)> {
        let spans = spans(records);
        let (span, _) = at(&spans, moment);
        let last_digit = |span: &Span| span.record.client.to_string().chars().last()?.to_digit(10);
        span.map(|span| (u8::try_from(last_digit(span).unwrap()).unwrap(), span.since, span.until))
    }

    #[test]
    fn renewals_are_one_span_and_a_lease_that_ran_out_ends_it() {
        let records = [record(1, "bound", 100, 60), record(1, "bound", 130, 60), record(1, "bound", 400, 60)];
        assert_eq!(found(&records, 99), None);
        assert_eq!(found(&records, 100), Some((1, 100, 190)));
        assert_eq!(found(&records, 189), Some((1, 100, 190)));
        assert_eq!(found(&records, 190), None);
        assert_eq!(at(&spans(&records), 300).1.unwrap().until, 190);
        assert_eq!(found(&records, 401), Some((1, 400, 460)));
    }

    #[test]
    fn a_release_and_another_client_end_a_span_at_once() {
        let records = [
            record(1, "bound", 100, 600),
            record(1, "released", 200, 0),
            record(2, "bound", 250, 600),
            record(3, "bound", 300, 600),
            record(3, "declined", 350, 100),
            record(3, "forgotten", 360, 0),
        ];
        assert_eq!(found(&records, 199), Some((1, 100, 200)));
        assert!(spans(&records)[0].released);
        assert_eq!(found(&records, 220), None);
        assert_eq!(found(&records, 299), Some((2, 250, 300)));
        assert_eq!(found(&records, 349), Some((3, 300, 350)));
        let spans = spans(&records);
        assert_eq!(at(&spans, 355).0.unwrap().record.state, State::Declined);
        assert_eq!(at(&spans, 360).0, None);
    }
}
