//! `hostbook status`: what the daemons serve.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use daemon::control;
use inventory_core::diag::{self, Diagnostic};
use inventory_core::units::show_duration;
use serde_json::{Value, json};

use crate::args::Status;
use crate::exit::{Failure, Outcome};
use crate::{installed, lease_list, output, seen};

/// Where the daemons listen unless they are told otherwise.
const USUAL: [&str; 2] = [control::DHCPD, control::DNSD];
/// Where `hostbook hook follow` listens, where it runs.
pub(crate) const HOOKS: &str = "/run/hostbook-hooks/hooks.sock";
/// Pools that are shown, the fullest.
const POOLS_SHOWN: usize = 20;

/// Asks each daemon. Exit code 1 if one does not answer, serves something else than the inventory says, or
/// has a problem.
pub(crate) fn run(args: &Status) -> Outcome {
    if args.leases {
        return lease_list::run(args);
    }
    if args.seen {
        return seen::run(args);
    }
    if args.installed {
        return installed::run(args);
    }
    let sockets = sockets(&args.control);
    let answers: Vec<(&PathBuf, Result<Value, String>)> =
        sockets.iter().map(|path| (path, ask(path))).collect();
    if args.format.is_json() {
        let all = answers.iter().map(|(path, answer)| match answer {
            Ok(status) => json!({ "control": path, "status": status }),
            Err(error) => json!({ "control": path, "error": error }),
        });
        output::line(&Value::from_iter(all).to_string());
    } else {
        for (index, (path, answer)) in answers.iter().enumerate() {
            if index > 0 {
                output::line("");
            }
            match answer {
                Ok(status) => print(status),
                Err(error) => output::line(&format!("{}: {error}", path.display())),
            }
        }
        note_differences(&answers);
    }
    let healthy = |answer: &Result<Value, String>| {
        answer.as_ref().is_ok_and(|status| status["inventory"]["ok"] == true && problems(status).is_empty())
    };
    if answers.iter().all(|(_, answer)| healthy(answer)) {
        Ok(ExitCode::SUCCESS)
    } else {
        Err(Failure::silent())
    }
}

/// The sockets of the daemons: those that are named, else the usual ones.
pub(crate) fn daemons(named: &[PathBuf]) -> Vec<PathBuf> {
    if named.is_empty() { USUAL.map(PathBuf::from).to_vec() } else { named.to_vec() }
}

/// The sockets of dhcpd: those that are named, else the usual one.
pub(crate) fn dhcpd(named: &[PathBuf]) -> Vec<PathBuf> {
    if named.is_empty() { vec![PathBuf::from(control::DHCPD)] } else { named.to_vec() }
}

/// The sockets to ask: those that are named, else the usual ones, with that of the hooks where they run.
pub(crate) fn sockets(named: &[PathBuf]) -> Vec<PathBuf> {
    let hooks = Path::new(HOOKS);
    let hooks = (named.is_empty() && hooks.exists()).then(|| hooks.to_owned());
    daemons(named).into_iter().chain(hooks).collect()
}

pub(crate) fn ask(path: &Path) -> Result<Value, String> {
    let request = control::Request::new("status");
    control::ask(path, &request, control::PATIENCE).map_err(|error| error.to_string())
}

fn print(status: &Value) {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let inventory = &status["inventory"];
    let field = |name: &str, value: String| output::line(&format!("  {name:<12} {value}"));
    output::line(&format!(
        "{} {} (pid {})",
        text(&status["daemon"]),
        text(&status["version"]),
        status["pid"]
    ));
    field("up for", age_of(&status["started"]));
    let hash: String = text(&inventory["hash"]).chars().take(12).collect();
    let served = format!(
        "generation {}, content {hash}, for {}",
        inventory["generation"],
        age_of(&inventory["served_since"])
    );
    field("serves", served);
    sources(inventory);
    field(
        "inventory",
        format!(
            "{} hosts, {} networks, {} zones",
            inventory["hosts"], inventory["networks"], inventory["zones"]
        ),
    );
    if let Some(octets) = status["resident_bytes"].as_u64() {
        field("memory", format!("{} MiB", octets >> 20));
    }
    let listeners: Vec<String> = status["listeners"].as_array().into_iter().flatten().map(text).collect();
    if !listeners.is_empty() {
        field("listens on", listeners.join(", "));
    }
    field("health", health(inventory));
    for problem in problems(status) {
        field("PROBLEM", problem);
    }
    let errors: Vec<Diagnostic> =
        serde_json::from_value(inventory["errors"]["first"].clone()).unwrap_or_default();
    for error in &errors {
        output::line(&format!("    {}", diag::short(error)));
    }
    if let Some(trouble) = inventory["last_good_trouble"].as_str() {
        field("warning", format!("the last good state could not be kept: {trouble}"));
    }
    hooks(&status["hooks"]);
    pools(&status["networks"]);
    lease_names(&status["lease_names"]);
    counters(&status["counters"]);
}

/// What keeps a daemon from doing all of its work.
fn problems(status: &Value) -> Vec<String> {
    let problems = status["problems"].as_array().into_iter().flatten();
    problems.map(|problem| problem.as_str().map_or_else(|| problem.to_string(), str::to_owned)).collect()
}

/// What became of each hook.
fn hooks(hooks: &Value) {
    for hook in hooks.as_array().into_iter().flatten() {
        let words = match (hook["runs"].as_u64(), hook["ok"] == true) {
            (None | Some(0), _) => "not run yet".to_owned(),
            (Some(_), true) => format!("fine, {} ago", age_of(&hook["ended"])),
            (Some(_), false) => format!("FAILED, {} ago", age_of(&hook["ended"])),
        };
        let name = hook["name"].as_str().unwrap_or_default();
        output::line(&format!("  {:<12} {name}: {words}", "hook"));
    }
}

/// How many names leases have in the DNS, where there are any.
fn lease_names(names: &Value) {
    let known = names["names"].as_u64().or(names["told"].as_u64()).unwrap_or(0);
    let waiting = names["waiting"].as_u64().unwrap_or(0);
    if known + waiting > 0 {
        let waiting = if waiting > 0 { format!(", {waiting} addresses wait") } else { String::new() };
        output::line(&format!("  {:<12} {known} of leases{waiting}", "names"));
    }
    if let Some(trouble) = names["trouble"].as_str() {
        output::line(&format!("  {:<12} names of leases cannot be changed: {trouble}", "PROBLEM"));
    }
}

/// Use of the pools, the fullest first.
fn pools(networks: &Value) {
    let number = |value: &Value| value.as_u64().unwrap_or(0);
    let of_pool =
        |network: &&Value| number(&network["pool"]["addresses"]) > 0 || number(&network["outside"]) > 0;
    let mut networks: Vec<&Value> = networks.as_array().into_iter().flatten().filter(of_pool).collect();
    let free = |network: &Value| {
        let pool = &network["pool"];
        number(&pool["addresses"]).saturating_sub(number(&pool["bound"]) + number(&pool["probation"]))
    };
    networks.sort_by_key(|network| free(network));
    for network in networks.iter().take(POOLS_SHOWN) {
        let pool = &network["pool"];
        let name = network["name"].as_str().unwrap_or_default();
        let mut text =
            format!("{name}: {} of {} addresses leased", number(&pool["bound"]), number(&pool["addresses"]));
        for (count, what) in [
            (&pool["probation"], "on probation"),
            (&network["ended"], "ended"),
            (&network["outside"], "outside the pool, until they renew"),
        ] {
            if number(count) > 0 {
                text.push_str(&format!(", {count} {what}"));
            }
        }
        if free(network) == 0 {
            text.push_str(" (FULL)");
        }
        output::line(&format!("  {:<12} {text}", "pool"));
    }
    if networks.len() > POOLS_SHOWN {
        output::line(&format!("  {:<12} {} more, less used", "", networks.len() - POOLS_SHOWN));
    }
}

/// The commit; or each inventory, where there are several.
fn sources(inventory: &Value) {
    let sources = inventory["sources"].as_array().map_or(&[][..], Vec::as_slice);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for source in sources {
        let commit: String = text(&source["commit"]).chars().take(12).collect();
        let words = match (commit.as_str(), source["in_service"] == true) {
            (_, false) => "nothing of it".to_owned(),
            ("", _) if sources.len() == 1 => continue,
            ("", _) => format!("content {:.12}", text(&source["hash"])),
            (commit, _) => format!("commit {commit}"),
        };
        let health = if source["ok"] == true { "" } else { ", and NOT what it says now" };
        output::line(&format!("  {:<12} {words} of {}{health}", "", text(&source["place"])));
    }
}

fn health(inventory: &Value) -> String {
    let errors = &inventory["errors"]["count"];
    if inventory["ok"] == true {
        return "good".to_owned();
    }
    if inventory["from_last_good"] == true {
        return format!(
            "BROKEN INVENTORY ({errors} errors): started on the last good state, which stays in service"
        );
    }
    format!("BROKEN INVENTORY ({errors} errors): the last good generation stays in service")
}

/// Counters that are not zero, by group.
fn counters(counters: &Value) {
    for (group, counted) in counters.as_object().into_iter().flatten() {
        let words: Vec<String> = counted
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, count)| count.as_u64() != Some(0))
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        if !words.is_empty() {
            output::line(&format!("  {group:<12} {}", words.join(", ")));
        }
    }
}

/// Says so when the daemons serve different content: one of them may be behind, or follow another place.
fn note_differences(answers: &[(&PathBuf, Result<Value, String>)]) {
    let hashes: Vec<&str> = answers
        .iter()
        .filter_map(|(_, answer)| answer.as_ref().ok()?["inventory"]["hash"].as_str())
        .collect();
    if hashes.windows(2).any(|pair| pair[0] != pair[1]) {
        output::line("");
        output::line("The daemons serve different content: one follows another inventory, or is behind.");
    }
}

/// How long ago `since` (seconds since 1970) was.
pub(crate) fn age_of(since: &Value) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |now| now.as_secs_f64());
    let passed = since.as_f64().map_or(0.0, |since| (now - since).max(0.0));
    show_duration(Duration::from_secs_f64(passed).as_secs())
}
