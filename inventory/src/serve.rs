//! `hostbook serve`: both daemons, as children, for a LAN or a trial.

use std::ffi::OsStr;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;

use crate::args::Serve;
use crate::exit::{Failure, Outcome};
use crate::external::program;

/// How long a daemon may take to end before it is killed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs both daemons until a signal comes or one of them ends. SIGHUP is passed on.
pub(crate) fn run(args: &Serve) -> Outcome {
    // Children inherit the mask of this thread, so they are started before signals are blocked.
    let mut children = vec![start("dhcpd", dhcpd(args))?];
    match start("dnsd", dnsd(args)) {
        Ok(child) => children.push(child),
        Err(failure) => {
            stop(&mut children);
            return Err(failure);
        }
    }
    let ended = wait(&mut children);
    stop(&mut children);
    match ended {
        None => Ok(ExitCode::SUCCESS),
        Some((name, status)) => {
            let message = format!("hostbook-{name} ended ({}), so the other was stopped", describe(status));
            eprintln!("hostbook: {message}");
            Ok(ExitCode::from(
                status.code().and_then(|code| u8::try_from(code).ok()).filter(|code| *code != 0).unwrap_or(1),
            ))
        }
    }
}

struct Daemon {
    name: &'static str,
    child: Child,
}

fn dhcpd(args: &Serve) -> Command {
    let mut command = Command::new(program(OsStr::new("dhcpd")));
    for interface in &args.interface {
        command.arg("--interface").arg(interface);
    }
    if let Some(root) = &args.boot_root {
        command.arg("--boot-root").arg(root);
    }
    if let Some(port) = args.boot_port {
        command.arg("--boot-port").arg(port.to_string());
    }
    common(&mut command, args, "dhcpd");
    command
}

fn dnsd(args: &Serve) -> Command {
    let mut command = Command::new(program(OsStr::new("dnsd")));
    for listen in &args.listen {
        command.arg("--listen").arg(listen);
    }
    common(&mut command, args, "dnsd");
    command
}

fn common(command: &mut Command, args: &Serve, name: &str) {
    for inventory in &args.inventory {
        command.arg("--inventory").arg(inventory);
    }
    command.arg("--state").arg(args.state.join(name));
    command.arg("--control").arg(args.run.join(format!("{name}.sock")));
}

fn start(name: &'static str, mut command: Command) -> Result<Daemon, Failure> {
    let child = command.spawn().map_err(|error| {
        let program = command.get_program().to_string_lossy().into_owned();
        Failure::new(format!(
            "cannot start `{program}`: {error}; it belongs beside `hostbook` or on the search path"
        ))
    })?;
    Ok(Daemon { name, child })
}

/// Waits for SIGINT or SIGTERM (`None`), or for a daemon to end.
fn wait(children: &mut [Daemon]) -> Option<(&'static str, ExitStatus)> {
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGCHLD] {
        signals.add(signal);
    }
    if signals.thread_block().is_err() {
        return None;
    }
    loop {
        // A child may have ended before the signals were blocked.
        for daemon in children.iter_mut() {
            if let Ok(Some(status)) = daemon.child.try_wait() {
                return Some((daemon.name, status));
            }
        }
        match signals.wait() {
            Ok(Signal::SIGHUP) => send(children, Signal::SIGHUP),
            Ok(Signal::SIGCHLD) => {}
            Ok(_) | Err(_) => return None,
        }
    }
}

fn send(children: &[Daemon], signal: Signal) {
    for daemon in children {
        if let Ok(pid) = i32::try_from(daemon.child.id()) {
            // It may have ended just now; `try_wait` tells.
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }
}

/// Ends what still runs: asks first, kills what does not end in time.
fn stop(children: &mut [Daemon]) {
    let running = |daemon: &mut Daemon| matches!(daemon.child.try_wait(), Ok(None));
    let mut left: Vec<&mut Daemon> =
        children.iter_mut().filter_map(|daemon| running(daemon).then_some(daemon)).collect();
    for daemon in &left {
        if let Ok(pid) = i32::try_from(daemon.child.id()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
    }
    let deadline = Instant::now() + PATIENCE;
    while left.iter_mut().any(|daemon| running(daemon)) {
        if Instant::now() > deadline {
            for daemon in &mut left {
                let _ = daemon.child.kill();
                let _ = daemon.child.wait();
            }
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "for no known reason".to_owned(),
    }
}
