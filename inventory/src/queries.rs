//! `hostbook queries`: what dnsd is asked at present, and what it says.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use daemon::control::{self, Request};
use inventory_core::units::parse_duration;
use serde_json::{Value, json};

use crate::args::FormatArg;
use crate::exit::{Failure, Outcome};
use crate::output;

/// How often dnsd is asked for more.
const POLL: Duration = Duration::from_millis(250);

#[derive(Debug, Args)]
pub(crate) struct Queries {
    /// Show one of N questions: with every one of a busy server, some are lost.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    every: u32,
    /// Look for this long, such as `30s`; without it, until Ctrl-C.
    #[arg(long = "for", value_name = "TIME", value_parser = |text: &str| parse_duration(text).map_err(|error| error.to_string()))]
    duration: Option<u64>,
    /// Control socket of dnsd.
    #[arg(long, value_name = "PATH", default_value = control::DNSD)]
    control: PathBuf,
    #[command(flatten)]
    format: FormatArg,
}

/// Prints a line for each question from now on.
pub(crate) fn run(args: &Queries) -> Outcome {
    let end = args.duration.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut after = Value::Null;
    loop {
        let request =
            Request { args: json!({ "every": args.every, "after": after }), ..Request::new("queries") };
        let said = control::ask(&args.control, &request, control::PATIENCE)
            .map_err(|error| Failure::new(format!("{}: {error}", args.control.display())))?;
        if let Some(why) = said["error"].as_str() {
            return Err(Failure::new(why.to_owned()));
        }
        if let Some(lost) = said["lost"].as_u64().filter(|lost| *lost > 0) {
            eprintln!("{lost} more were not shown: `--every N` shows one of N");
        }
        let queries = said["queries"].as_array().map_or(&[][..], Vec::as_slice);
        for query in queries {
            output::line(&if args.format.is_json() { query.to_string() } else { show(query) });
        }
        after = said["next"].clone();
        if end.is_some_and(|end| Instant::now() >= end) {
            return Ok(ExitCode::SUCCESS);
        }
        if queries.is_empty() {
            std::thread::sleep(POLL);
        }
    }
}

fn show(query: &Value) -> String {
    let text = |key: &str| query[key].as_str().unwrap_or("-");
    let flags: String = [("recursion", " +rd"), ("dnssec", " +do")]
        .into_iter()
        .filter(|(key, _)| query[*key] == true)
        .map(|(_, flag)| flag)
        .collect();
    let outcome = match query["rcode"].as_str() {
        Some(code) => format!("{code} {}, {} octets", text("said"), query["octets"]),
        None => text("said").to_owned(),
    };
    let zone = query["zone"].as_str().map(|zone| format!(" [{zone}]")).unwrap_or_default();
    let time = time_of_day(query["at"].as_u64().unwrap_or(0));
    let (client, transport, name, kind) = (text("client"), text("transport"), text("name"), text("type"));
    format!("{time} {client} {transport} {name} {kind}{flags}: {outcome}{zone}")
}

/// A moment's time of day, UTC, from its milliseconds since 1970.
fn time_of_day(milliseconds: u64) -> String {
    let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{hour:02}:{minute:02}:{second:02}.{rest:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_who_asked_what_and_what_was_said() {
        let mut query = json!({
            "at": 3_723_004, "client": "10.20.0.9", "transport": "udp", "name": "web1.lab.example", "type": "AAAA",
            "recursion": true, "dnssec": true, "zone": "lab.example", "said": "no-data", "rcode": "NOERROR",
            "octets": 91,
        });
        assert_eq!(
            show(&query),
            "01:02:03.004Z 10.20.0.9 udp web1.lab.example AAAA +rd +do: NOERROR no-data, 91 octets [lab.example]"
        );
        for (key, value) in
            [("rcode", Value::Null), ("said", json!("rate-drop")), ("recursion", json!(false))]
        {
            query[key] = value;
        }
        assert_eq!(
            show(&query),
            "01:02:03.004Z 10.20.0.9 udp web1.lab.example AAAA +do: rate-drop [lab.example]"
        );
    }
}
