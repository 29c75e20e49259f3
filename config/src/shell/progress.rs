//! What is seen while a run lasts: on a terminal a line for the whole and one for each of the hosts that have been
//! at it longest; elsewhere nothing but the reports. Reports are printed as hosts are finished.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::fleet::Observer;
use super::output::{self, Style};
use super::report::HostReport;

/// Hosts that have a line of their own.
const SHOWN_MAX: usize = 12;

/// Shows a run.
pub struct Progress {
    lines: MultiProgress,
    total: ProgressBar,
    hosts: Mutex<HashMap<String, ProgressBar>>,
    json: bool,
    style: Style,
}

impl Progress {
    /// For a run over `hosts` hosts. With `json`, no reports are printed here.
    pub fn new(hosts: usize, json: bool, style: Style) -> Progress {
        let shown = std::io::stderr().is_terminal();
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let lines = MultiProgress::with_draw_target(target);
        let total = lines.add(ProgressBar::new(hosts as u64));
        if let Ok(template) = ProgressStyle::with_template("{pos}/{len} hosts, {elapsed}") {
            total.set_style(template);
        }
        total.tick();
        Progress { lines, total, hosts: Mutex::default(), json, style }
    }
}

impl Observer for Progress {
    fn step(&self, host: &str, what: &str) {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if !hosts.contains_key(host) && hosts.len() < SHOWN_MAX {
            let line = self.lines.add(ProgressBar::new_spinner());
            if let Ok(template) = ProgressStyle::with_template("  {prefix}: {wide_msg} {elapsed}") {
                line.set_style(template);
            }
            line.set_prefix(host.to_owned());
            hosts.insert(host.to_owned(), line);
        }
        if let Some(line) = hosts.get(host) {
            line.set_message(what.replace('\n', " "));
        }
    }

    fn end(&self, report: &HostReport) {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = hosts.remove(&report.host) {
            line.finish_and_clear();
            self.lines.remove(&line);
        }
        self.total.inc(1);
        if !self.json {
            self.lines.suspend(|| output::print(&output::host(report, self.style)));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.total.finish_and_clear();
    }
}
