//! `hostbook demo`: the suite at work, with real packets, without touching the machine's network.
//!
//! The demo starts itself again inside new namespaces (network, mounts, processes; a user namespace when
//! it is not run by root), where nothing of the machine's network exists. Two little networks are made
//! there: one for the daemons, one for a client, with a cable between them.

mod client;
mod edit;
mod lab;
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
    if args.inside { story::tell(&args.inventory) } else { enter(args) }
}

/// Starts the demo again inside new namespaces and waits for it.
fn enter(args: &Demo) -> Outcome {
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount", "--pid", "--fork", "--kill-child"]);
    if !nix::unistd::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.arg(std::env::current_exe()?).args(["demo", "--inside", "-i"]).arg(&args.inventory);
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
