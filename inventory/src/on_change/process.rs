//! One run of one hook, bounded in time and in what it may print.

use std::fs::File;
use std::io::{self, PipeReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

/// How often a running hook is looked at.
const POLL: Duration = Duration::from_millis(20);
/// How long a hook may take to end once it was asked to.
const GRACE: Duration = Duration::from_secs(2);
/// How long what a hook printed is waited for once it has ended: somebody else may hold its output open.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Octets that are kept of what a hook prints, the last ones.
const OUTPUT_MAX: usize = 4096;
/// Where a hook finds its programs.
const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How a run ended.
#[derive(Debug)]
pub(super) struct Ran {
    /// `None`: with exit code 0. Otherwise in words, such as `exit code 3`.
    pub(super) trouble: Option<String>,
    /// The end of what it printed.
    pub(super) output: String,
    /// How long it took.
    pub(super) time: Duration,
}

/// Runs `program` with `input` as standard input, for `limit` at most, or until `stop`.
///
/// It has a process group of its own; what is left of that when the program has ended is killed.
pub(super) fn run(program: &Path, input: File, limit: Duration, stop: &AtomicBool) -> Ran {
    let started = Instant::now();
    let (trouble, output) = match start(program, input) {
        Ok((child, output)) => {
            let trouble = attend(child, started + limit, limit, stop);
            (trouble, output.recv_timeout(LAST_WORDS).unwrap_or_default())
        }
        Err(error) => (Some(format!("it cannot be started: {error}")), Vec::new()),
    };
    Ran { trouble, output: String::from_utf8_lossy(&output).trim_end().to_owned(), time: started.elapsed() }
}

fn start(program: &Path, input: File) -> io::Result<(Child, Receiver<Vec<u8>>)> {
    let (reader, writer) = io::pipe()?;
    let mut command = Command::new(program);
    command.env_clear().env("PATH", SEARCH_PATH).env("LANG", "C.UTF-8").current_dir("/");
    command.stdin(input).stdout(writer.try_clone()?).stderr(writer).process_group(0);
    let child = command.spawn()?;
    // Its ends of the pipe belong to the child alone from here on.
    drop(command);
    let (tell, output) = channel();
    std::thread::Builder::new().name("hook output".to_owned()).spawn(move || {
        // Nobody listens any more when the hook took too long.
        let _ = tell.send(last_octets(reader));
    })?;
    Ok((child, output))
}

/// Reads to the end; the last octets of it.
fn last_octets(mut reader: PipeReader) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut buffer = [0; OUTPUT_MAX];
    while let Ok(count @ 1..) = reader.read(&mut buffer) {
        kept.extend_from_slice(&buffer[..count]);
        kept.drain(..kept.len().saturating_sub(OUTPUT_MAX));
    }
    kept
}

/// Waits for the end, and makes it. Returns what went wrong.
fn attend(mut child: Child, deadline: Instant, limit: Duration, stop: &AtomicBool) -> Option<String> {
    let group = Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX));
    let why = loop {
        if has_ended(group) {
            break None;
        }
        if stop.load(Ordering::Relaxed) {
            break Some("it was ended, since `hostbook hook follow` ends".to_owned());
        }
        if Instant::now() >= deadline {
            let limit = inventory_core::units::show_duration(limit.as_secs());
            break Some(format!("it took longer than {limit}, and was ended"));
        }
        std::thread::sleep(POLL);
    };
    if why.is_some() {
        let _ = killpg(group, Signal::SIGTERM);
        let patience = Instant::now() + GRACE;
        while !has_ended(group) && Instant::now() < patience {
            std::thread::sleep(POLL);
        }
    }
    // The program is not reaped yet, so the number of the group is still its own.
    let _ = killpg(group, Signal::SIGKILL);
    let status = child.wait();
    why.or_else(|| match status {
        Ok(status) if status.success() => None,
        Ok(status) => Some(match (status.code(), status.signal()) {
            (Some(code), _) => format!("exit code {code}"),
            (None, signal) => format!("signal {}", signal.unwrap_or(0)),
        }),
        Err(error) => Some(error.to_string()),
    })
}

/// Whether the program has ended; it is not reaped.
fn has_ended(child: Pid) -> bool {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    !matches!(waitid(Id::Pid(child), flags), Ok(WaitStatus::StillAlive))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    /// Runs a shell with `script`, which is its standard input.
    fn shell(name: &str, script: &str, limit: Duration, stop: bool) -> Ran {
        let path = std::env::temp_dir().join(format!("hostbook-hook-{}-{name}", std::process::id()));
        std::fs::write(&path, script).unwrap();
        let input = File::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        run(Path::new("/bin/sh"), input, limit, &AtomicBool::new(stop))
    }

    #[test]
    fn a_hook_reads_its_input_and_what_it_prints_last_is_kept() {
        let ran = shell("fine", "echo first; yes | head -c 10000; echo; echo last >&2\n", LONG, false);
        assert_eq!(ran.trouble, None);
        assert!(ran.output.ends_with("last") && ran.output.len() <= OUTPUT_MAX, "{}", ran.output);
        assert!(!ran.output.contains("first"));
    }

    #[test]
    fn a_hook_gets_nothing_of_our_environment() {
        let ran = shell("env", "echo ${HOME-none} ${CARGO_PKG_NAME-none} $PATH; pwd\n", LONG, false);
        assert_eq!(ran.output, format!("none none {SEARCH_PATH}\n/"));
    }

    #[test]
    fn a_failure_is_told_in_words() {
        assert_eq!(shell("code", "exit 3\n", LONG, false).trouble.as_deref(), Some("exit code 3"));
        assert_eq!(shell("signal", "kill -9 $$\n", LONG, false).trouble.as_deref(), Some("signal 9"));
        let none =
            run(Path::new("/nowhere"), File::open("/dev/null").unwrap(), LONG, &AtomicBool::new(false));
        assert!(none.trouble.unwrap().starts_with("it cannot be started"));
    }

    #[test]
    fn a_hook_that_goes_on_is_ended_with_all_that_it_started() {
        let script = "trap '' TERM\nsleep 1000 & echo $!\nwait\nsleep 1000\n";
        let ran = shell("long", script, Duration::from_millis(300), false);
        assert!(ran.trouble.unwrap().starts_with("it took longer than"));
        let child: i32 = ran.output.trim().parse().unwrap();
        // It may be a zombie that nobody has reaped yet.
        let gone = || {
            let stat = std::fs::read_to_string(format!("/proc/{child}/stat"));
            stat.map_or(true, |stat| {
                stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z')
            })
        };
        while !gone() {
            std::thread::sleep(POLL);
        }
        let stopped = shell("stop", "sleep 1000\n", LONG, true);
        assert!(stopped.trouble.unwrap().contains("hook follow"));
    }
}
