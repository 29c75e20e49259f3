//! Processor time of processes, to the nanosecond.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

/// Processor time (user and system) that the process and all that descend from it have used so far, those that
/// have ended left out.
pub fn processor_time(pid: u32) -> Duration {
    family(pid).into_iter().filter_map(of_process).sum()
}

/// Resident memory of the process and all that descend from it, in MiB. What several of them share counts once.
pub fn resident_mebibytes(pid: u32) -> f64 {
    family(pid).into_iter().filter_map(proportional_kibibytes).sum::<f64>() / 1024.0
}

/// Most resident memory that one process has had so far, in MiB.
pub fn peak_mebibytes(pid: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    Some(kibibytes(&status, "VmHWM:")? / 1024.0)
}

/// Processor time of the process alone; none if it has ended.
pub fn of_process(pid: u32) -> Option<Duration> {
    let clock = clock_getcpuclockid(Pid::from_raw(i32::try_from(pid).ok()?)).ok()?;
    Some(Duration::from(clock_gettime(clock).ok()?))
}

fn proportional_kibibytes(pid: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    kibibytes(&text, "Pss:")
}

fn kibibytes(text: &str, field: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(field)?.split_whitespace().next()?.parse().ok())
}

/// The process and all that descend from it.
fn family(pid: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(child) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // The name before it may hold spaces; then come the state and the parent.
        let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)?.parse().ok());
        children.entry(parent.unwrap_or(0)).or_default().push(child);
    }
    let mut family = vec![pid];
    let mut next = 0;
    while let Some(parent) = family.get(next) {
        family.extend(children.remove(parent).unwrap_or_default());
        next += 1;
    }
    family
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_process_uses_time_and_a_child_counts() {
        let own = std::process::id();
        let before = processor_time(own);
        let mut sum = 0_u64;
        while processor_time(own) < before + Duration::from_millis(20) {
            sum = std::hint::black_box(sum + 1);
        }
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        assert!(family(own).contains(&child.id()));
        assert!(resident_mebibytes(own) > 0.1 && peak_mebibytes(own) > Some(0.1));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
