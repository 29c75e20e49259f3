//! Printing reports.

use std::io::Write;

use super::report::{HostReport, ObjectReport, Output, Result};

/// How reports are shown to people.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Whether it was a plan.
    pub dry: bool,
    /// Whether to show everything.
    pub verbose: bool,
}

/// One host's report as text.
pub fn host(report: &HostReport, style: Style) -> String {
    let mut text = format!("{}: {}\n", report.host, summary(report, style.dry));
    if let Some(error) = &report.error {
        text.push_str(&indented(&format!("failed: {error}"), 2));
    }
    for warning in &report.warnings {
        text.push_str(&indented(&format!("warning: {warning}"), 2));
    }
    if style.verbose {
        text.push_str(&said(&report.output, report.error.as_deref(), 2));
    }
    for object in &report.objects {
        // Where the run as a whole failed, nearly everything is blocked, and by that.
        let dull = matches!(object.result, Result::Unchanged | Result::Skipped)
            || object.result == Result::Blocked && report.error.is_some();
        if !dull || style.verbose {
            text.push_str(&self::object(object, style));
        }
    }
    text
}

/// What all hosts came to, if there are several.
pub fn total(reports: &[HostReport], dry: bool) -> String {
    let hosts = |result: Result| reports.iter().filter(|report| report.result == result).count();
    let all = [Result::Unchanged, Result::MayChange, Result::Changed, Result::Blocked, Result::Failed];
    let parts: Vec<String> = all
        .into_iter()
        .filter(|result| hosts(*result) > 0)
        .map(|result| format!("{} {}", hosts(result), result.word(dry)))
        .collect();
    format!("{} hosts: {}\n", reports.len(), parts.join(", "))
}

/// Prints to standard output. A reader that went away does not matter: the work is done all the same.
pub fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn summary(report: &HostReport, dry: bool) -> String {
    let all = [
        Result::Failed,
        Result::Blocked,
        Result::Changed,
        Result::MayChange,
        Result::Unchanged,
        Result::Skipped,
    ];
    let counts: Vec<String> = all
        .into_iter()
        .filter(|result| report.count(*result) > 0)
        .map(|result| format!("{} {}", report.count(result), result.word(dry)))
        .collect();
    let objects = if counts.is_empty() { "no objects".to_owned() } else { counts.join(", ") };
    let trips = if report.round_trips == 1 { "round trip" } else { "round trips" };
    format!("{objects} ({:.1} s, {} {trips})", report.seconds, report.round_trips)
}

fn object(object: &ObjectReport, style: Style) -> String {
    let mut text =
        format!("  {:<12} {}\n", object.result.word(style.dry), object.object.replace('\n', "\\n"));
    if let Some(reason) = &object.reason {
        text.push_str(&indented(reason, 15));
    }
    let shows_code = style.verbose || style.dry && object.diff.is_none();
    if let Some(diff) = &object.diff {
        text.push_str(&indented(diff, 4));
    }
    let code = [("local", &object.code_local), ("remote", &object.code_remote)];
    for (side, code) in code.into_iter().filter(|_| shows_code) {
        if let Some(code) = code {
            text.push_str(&format!("    {side} code:\n{}", indented(code, 6)));
        }
    }
    if style.verbose {
        text.push_str(&said(&object.output, object.reason.as_deref(), 4));
    }
    text
}

/// What scripts wrote, unless `shown` has it already.
fn said(all: &[Output], shown: Option<&str>, blanks: usize) -> String {
    let one = |output: &Output| {
        let new = |text: &&String| !text.is_empty() && shown.is_none_or(|shown| !shown.contains(&**text));
        let texts: String = [&output.stdout, &output.stderr]
            .into_iter()
            .filter(new)
            .map(|text| indented(text, blanks + 2))
            .collect();
        (!texts.is_empty()).then(|| format!("{:blanks$}{} wrote:\n{texts}", "", output.script))
    };
    all.iter().filter_map(one).collect()
}

fn indented(text: &str, blanks: usize) -> String {
    text.lines().map(|line| format!("{:blanks$}{line}\n", "")).collect()
}
