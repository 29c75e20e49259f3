//! `hostbook demo`: the suite at work, with real packets, without touching the machine's network.
//!
//! The demo starts itself again inside new namespaces (network, mounts, processes; a user namespace when
//! it is not run by root), where nothing of the machine's network exists. Two little networks are made
//! there: one for the daemons, one for a client, with a cable between them. In the second act a machine
//! that QEMU makes is plugged in beside that client.

mod client;
mod edit;
mod lab;
mod machine;
mod push;
mod second;
mod story;

use std::process::{Command, ExitCode};

use crate::args::Demo;
use crate::exit::{Failure, Outcome};

/// Tells the story. Needs `unshare`, `nsenter`, `ip` and a DHCP client.
pub(crate) fn run(args: &Demo) -> Outcome {
    if !args.inventory.is_dir() {
        let place = args.inventory.display();
        return Err(Failure::new(format!(
            "there is no inventory `{place}`: name one with `-i`, such as examples/lab"
        )));
    }
    lab::require_tools()?;
    let Some(outside) = &args.inside else { return enter(args) };
    require_private(&network_namespace()?, outside)?;
    story::tell(&args.inventory, outside)
}

/// Starts the demo again inside new namespaces and waits for it.
fn enter(args: &Demo) -> Outcome {
    let mut command = Command::new("unshare");
    // A `/proc` of its own: that of the machine would show other processes under the same numbers, and
    // so name other namespaces.
    command.args(["--net", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child"]);
    if !nix::unistd::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.arg(std::env::current_exe()?).args(["demo", "--inside", &network_namespace()?, "-i"]);
    command.arg(&args.inventory);
    let status = command.status().map_err(|error| Failure::new(format!("cannot run `unshare`: {error}")))?;
    match status.code() {
        Some(0) => Ok(ExitCode::SUCCESS),
        Some(code) => {
            if !nix::unistd::geteuid().is_root() {
                eprintln!(
                    "hostbook: the demo makes namespaces; where users may not (see `sysctl kernel.unprivileged_userns_clone user.max_user_namespaces`), run it with sudo"
                );
            }
            Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
        }
        None => Err(Failure::new("the demo was ended by a signal")),
    }
}

/// Refuses to go on in the namespace `outside`: everything from here on changes networks and mounts, and
/// those of the machine are never touched.
fn require_private(namespace: &str, outside: &str) -> Result<(), Failure> {
    if namespace.trim() == outside {
        let message =
            "no private network namespace was made, and the demo does not touch the machine's network";
        return Err(Failure::new(message));
    }
    Ok(())
}

/// The network namespace that this process is in.
fn network_namespace() -> Result<String, Failure> {
    Ok(std::fs::read_link("/proc/self/ns/net")?.to_string_lossy().into_owned())
}
