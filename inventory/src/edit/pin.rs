//! `pin`: host keys that installers reported, written down.

use std::path::Path;

use daemon::control;

use super::args::Pin;
use super::change::{Change, list};
use super::finish::finish;
use super::session::Session;
use super::{target, verbs};
use crate::exit::{Failure, Outcome};
use crate::installed;

pub(super) fn pin(args: &Pin) -> Outcome {
    let mut session = Session::open(&args.how.inventory.inventory)?;
    let known = installed::ask(args.how.control.as_deref().unwrap_or(Path::new(control::DHCPD)))?;
    let mut done = Vec::new();
    for host in &args.hosts {
        let target = target::host(&mut session, host)?;
        let keys = installed::host_keys(&known, &target.label());
        if keys.is_empty() {
            return Err(Failure::new(format!(
                "dhcpd knows no host key of {}: its installer has reported none; write down the line of its \
                 `/etc/ssh/ssh_host_ed25519_key.pub` as `ssh-host-key`",
                target.label()
            )));
        }
        let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        let change = Change::Set(vec!["ssh-host-key".to_owned()], list("ssh-host-key", &keys));
        done.push(verbs::apply(&mut session, &target, &change, &args.how)?);
    }
    finish(session, &args.how, &done)
}
