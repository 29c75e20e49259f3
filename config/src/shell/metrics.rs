//! A run's outcome as metrics: a file for the textfile collector of Prometheus' node exporter.
//!
//! A timer that plans all hosts leaves such a file; how far hosts have drifted is then seen where everything
//! else is.

use std::fs;
use std::io;
use std::path::Path;

use super::report::{HostReport, Result as Outcome};

const RESULTS: [(Outcome, &str); 5] = [
    (Outcome::Unchanged, "unchanged"),
    (Outcome::MayChange, "may-change"),
    (Outcome::Changed, "changed"),
    (Outcome::Blocked, "blocked"),
    (Outcome::Failed, "failed"),
];

/// Writes them; a reader sees the old file or the new one. `end`: seconds since 1970 when the run ended.
///
/// # Errors
/// The file system refuses.
pub fn write(file: &Path, reports: &[HostReport], dry: bool, end: u64) -> io::Result<()> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    fs::write(&beside, text(reports, dry, end))?;
    // This program's files are for its user alone, and another one reads this.
    fs::set_permissions(&beside, std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
    fs::rename(&beside, file)
}

fn text(reports: &[HostReport], dry: bool, end: u64) -> String {
    let run = if dry { "plan" } else { "push" };
    let hosts = RESULTS.map(|(result, word)| {
        let count = reports.iter().filter(|report| report.result == result).count();
        format!("hostbook_config_hosts{{run=\"{run}\",result=\"{word}\"}} {count}\n")
    });
    let of_host = |report: &HostReport| {
        RESULTS.map(|(result, word)| {
            let (host, count) = (&report.host, report.count(result));
            format!("hostbook_config_objects{{host=\"{host}\",run=\"{run}\",result=\"{word}\"}} {count}\n")
        })
    };
    let objects: Vec<String> = reports.iter().flat_map(of_host).collect();
    let when = format!("hostbook_config_last_run_timestamp_seconds{{run=\"{run}\"}} {end}\n");
    [
        family("hosts", "Hosts of the last run by what came out."),
        hosts.concat(),
        family("objects", "Objects of a host in the last run by what came out."),
        objects.concat(),
        family("last_run_timestamp_seconds", "When the last run ended."),
        when,
    ]
    .concat()
}

fn family(name: &str, help: &str) -> String {
    format!("# HELP hostbook_config_{name} {help}\n# TYPE hostbook_config_{name} gauge\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::report::ObjectReport;
    use crate::shell::transport::Cost;

    #[test]
    fn hosts_and_objects_are_counted_by_what_came_out() {
        let object = |result| ObjectReport {
            object: "__file/a".to_owned(),
            result,
            reason: None,
            parents: Vec::new(),
            requires: Vec::new(),
            code_local: None,
            code_remote: None,
            output: Vec::new(),
            diff: None,
        };
        let objects = vec![object(Outcome::Changed), object(Outcome::Unchanged), object(Outcome::Changed)];
        let drifted = HostReport::new("web1", None, objects, Vec::new(), 0.1, Cost::default());
        let dead =
            HostReport::new("db1", Some("no".to_owned()), Vec::new(), Vec::new(), 0.1, Cost::default());
        let text = text(&[drifted, dead], true, 1_700_000_000);
        for line in [
            "# TYPE hostbook_config_hosts gauge",
            "hostbook_config_hosts{run=\"plan\",result=\"changed\"} 1",
            "hostbook_config_hosts{run=\"plan\",result=\"failed\"} 1",
            "hostbook_config_objects{host=\"web1\",run=\"plan\",result=\"changed\"} 2",
            "hostbook_config_objects{host=\"db1\",run=\"plan\",result=\"changed\"} 0",
            "hostbook_config_last_run_timestamp_seconds{run=\"plan\"} 1700000000",
        ] {
            assert!(text.lines().any(|have| have == line), "`{line}` is not in\n{text}");
        }
    }
}
