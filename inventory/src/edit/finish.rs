//! The end of every edit: shown, or checked and written.

use std::process::ExitCode;

use inventory_core::diag::{self, Diagnostic};
use serde_json::json;

use super::args::How;
use super::session::{Checked, Session};
use super::{editor, text};
use crate::exit::{Failure, Outcome};
use crate::output;

/// What an edit did, for people, with the place to point to.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    /// `added web3.lab.example.org`
    pub(crate) what: String,
    /// File, and keys from the root; no keys for what is gone.
    pub(crate) at: (String, Vec<String>),
}

impl Done {
    pub(crate) fn new(what: impl Into<String>, file: &str, path: &[&str]) -> Done {
        let keys = path.iter().map(|key| (*key).to_owned()).collect();
        Done { what: what.into(), at: (file.to_owned(), keys) }
    }
}

/// Checks and writes, or shows the difference.
pub(crate) fn finish(session: Session, how: &How, done: &[Done]) -> Outcome {
    let checked = check(session, how, done)?;
    conclude(checked, how, done)
}

/// Opens the editor if that is asked for, then checks.
pub(crate) fn check(mut session: Session, how: &How, done: &[Done]) -> Result<Checked, Failure> {
    if let Some(first) = done.first().filter(|_| how.edit) {
        let (file, keys) = &first.at;
        let path: Vec<&str> = keys.iter().map(String::as_str).collect();
        let line = session.doc(file)?.line_of(&path).unwrap_or(1);
        session = editor::edit(session, file, line)?;
    }
    session.check()
}

/// Writes what passed the check, and says what was done.
pub(crate) fn conclude(checked: Checked, how: &How, done: &[Done]) -> Outcome {
    let diff = checked.diff();
    let places: Vec<String> = done.iter().map(|done| place(&checked, done)).collect();
    let warnings: Vec<Diagnostic> = new_warnings(&checked);
    let nothing = checked.is_empty();
    let files = if how.dry_run { Vec::new() } else { checked.write()? };
    if how.json {
        let done: Vec<_> = done
            .iter()
            .zip(&places)
            .map(|(done, place)| json!({ "what": done.what, "place": place }))
            .collect();
        let answer = json!({ "done": if nothing { Vec::new() } else { done }, "diff": diff, "files": files,
            "warnings": warnings });
        output::line(&answer.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    if nothing {
        output::line("nothing to do: the files say so already");
        return Ok(ExitCode::SUCCESS);
    }
    if how.dry_run {
        show(&diff);
    } else {
        for (done, place) in done.iter().zip(&places) {
            output::line(&format!("{place}: {}", done.what));
        }
    }
    for warning in &warnings {
        eprintln!("{}", diag::short(warning));
    }
    Ok(ExitCode::SUCCESS)
}

/// `hosts/web.toml:20`
fn place(checked: &Checked, done: &Done) -> String {
    let (file, keys) = &done.at;
    let path: Vec<&str> = keys.iter().map(String::as_str).collect();
    match checked.line_of(file, &path) {
        Some(line) => format!("{file}:{line}"),
        None => file.clone(),
    }
}

/// Warnings that the inventory did not have before: what this edit made odd.
fn new_warnings(checked: &Checked) -> Vec<Diagnostic> {
    let known = checked.warnings_before();
    let same = |a: &Diagnostic, b: &Diagnostic| a.code == b.code && a.message == b.message;
    checked.warnings.iter().filter(|new| !known.iter().any(|old| same(old, new))).cloned().collect()
}

/// Prints a difference, coloured on a terminal.
fn show(diff: &str) {
    for line in diff.lines() {
        let colour = match line.as_bytes().first() {
            Some(b'+') => "\x1b[32m",
            Some(b'-') => "\x1b[31m",
            Some(b'@') => "\x1b[36m",
            _ => "",
        };
        if output::colour() && !colour.is_empty() {
            output::line(&format!("{colour}{line}\x1b[0m"));
        } else {
            output::line(line);
        }
    }
}

/// The texts of TOML strings, joined for a message.
pub(crate) fn listed(items: &[String]) -> String {
    items.iter().map(|item| text::quote(item)).collect::<Vec<_>>().join(", ")
}
