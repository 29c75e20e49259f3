//! What became of the hooks, for status and metrics.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use inventory_core::units::show_duration;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use serde_json::{Value, json};

use super::process::Ran;
use super::programs;
use crate::moment;

/// A daemon that does not serve a change after this time has a problem.
const PATIENCE: Duration = Duration::from_secs(60);

/// The outcomes so far. Shared by the thread that runs hooks and by whoever asks.
#[derive(Debug)]
pub(super) struct Board {
    directory: PathBuf,
    outcomes: Mutex<Outcomes>,
}

#[derive(Debug, Default)]
struct Outcomes {
    /// By name of the hook.
    hooks: BTreeMap<String, Outcome>,
    /// What is waited for before hooks are run, and since when.
    waiting: Option<(String, SystemTime)>,
    /// Why what was done cannot be written down.
    trouble: Option<String>,
}

/// How the last run of a hook ended, and how many ended how.
#[derive(Clone, Debug, Default)]
struct Outcome {
    trouble: Option<String>,
    output: String,
    ended: i64,
    seconds: f64,
    fine: u64,
    failed: u64,
}

impl Board {
    /// Nothing has been run of the programs in `directory`.
    pub(super) fn new(directory: &Path) -> Arc<Board> {
        Arc::new(Board { directory: directory.to_owned(), outcomes: Mutex::default() })
    }

    /// Says what is waited for; `None`: nothing.
    pub(super) fn wait(&self, what: Option<String>) {
        let mut outcomes = self.lock();
        let since = outcomes.waiting.take().map_or_else(SystemTime::now, |(_, since)| since);
        outcomes.waiting = what.map(|what| (what, since));
    }

    /// Says how a run of the hook `name` ended.
    pub(super) fn ran(&self, name: &str, ran: &Ran) {
        let mut outcomes = self.lock();
        let outcome = outcomes.hooks.entry(name.to_owned()).or_default();
        let count = if ran.trouble.is_none() { &mut outcome.fine } else { &mut outcome.failed };
        *count += 1;
        outcome.trouble.clone_from(&ran.trouble);
        outcome.output.clone_from(&ran.output);
        outcome.seconds = ran.time.as_secs_f64();
        outcome.ended = moment::now();
    }

    /// Says why what was done cannot be written down; `None`: it can. Returns whether that is news.
    pub(super) fn kept(&self, trouble: Option<String>) -> bool {
        let mut outcomes = self.lock();
        let is_news = outcomes.trouble != trouble;
        outcomes.trouble = trouble;
        is_news
    }

    /// The hooks that are there and what became of each, and what is wrong.
    pub(super) fn to_json(&self) -> (Value, Vec<String>) {
        let there = programs::look(&self.directory);
        let outcomes = self.lock();
        let mut problems = there.refused;
        let hooks = there.trusted.iter().map(|path| {
            let name = programs::name(path);
            let Some(outcome) = outcomes.hooks.get(&name) else { return json!({ "name": name, "runs": 0 }) };
            problems.extend(outcome.trouble.as_ref().map(|why| {
                let words = outcome.output.lines().last().map(|line| format!("; it said: {line}"));
                format!("hook `{name}` failed: {why}{}", words.unwrap_or_default())
            }));
            json!({
                "name": name,
                "runs": outcome.fine + outcome.failed,
                "failed": outcome.failed,
                "ok": outcome.trouble.is_none(),
                "trouble": outcome.trouble,
                "output": outcome.output,
                "ended": outcome.ended,
                "seconds": outcome.seconds,
            })
        });
        let hooks: Vec<Value> = hooks.collect();
        if let Some((what, since)) = &outcomes.waiting {
            let waited = since.elapsed().unwrap_or_default();
            if waited > PATIENCE {
                problems
                    .push(format!("hooks wait for {what}, for {} by now", show_duration(waited.as_secs())));
            }
        }
        problems.extend(outcomes.trouble.clone());
        (hooks.into(), problems)
    }

    fn lock(&self) -> MutexGuard<'_, Outcomes> {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The runs of each hook, as Prometheus scrapes them.
#[derive(Debug)]
pub(super) struct Figures(pub(super) Arc<Board>);

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let hooks = self.0.lock().hooks.clone();
        let help = "Runs of hooks, by hook and how they ended";
        let mut runs = encoder.encode_descriptor("hostbook_hooks_runs", help, None, MetricType::Counter)?;
        for (name, outcome) in &hooks {
            for (word, count) in [("ok", outcome.fine), ("failed", outcome.failed)] {
                let labels = [("hook", name.as_str()), ("result", word)];
                ConstCounter::new(count).encode(runs.encode_family(&labels)?)?;
            }
        }
        let help = "1 if the last run of a hook failed";
        let mut failing =
            encoder.encode_descriptor("hostbook_hooks_failing", help, None, MetricType::Gauge)?;
        for (name, outcome) in &hooks {
            let is_failing = i64::from(outcome.trouble.is_some());
            ConstGauge::new(is_failing).encode(failing.encode_family(&[("hook", name.as_str())])?)?;
        }
        Ok(())
    }
}
