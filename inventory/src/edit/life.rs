//! The life of a host as verbs: install, activate, retire.

use super::args::{Install, Life};
use super::change::Change;
use super::finish::{Done, check, conclude};
use super::session::Session;
use super::text::Literal;
use super::{target, verbs};
use crate::args::State;
use crate::exit::{Failure, Outcome};

pub(super) fn install(args: &Install) -> Outcome {
    let mut session = Session::open(&args.how.inventory.inventory)?;
    let target = target::host(&mut session, &args.host)?;
    let mut changes = vec![Change::Set(vec!["state".to_owned()], Literal::text(State::Install.word()))];
    changes
        .extend(args.boot.as_deref().map(|boot| Change::Set(vec!["boot".to_owned()], Literal::text(boot))));
    let mut done = Vec::new();
    for change in &changes {
        done.push(verbs::apply(&mut session, &target, change, &args.how)?);
    }
    end(session, &args.how, &done, args.yes)
}

pub(super) fn change(args: &Life, state: &str) -> Outcome {
    let mut session = Session::open(&args.how.inventory.inventory)?;
    let mut done: Vec<Done> = Vec::new();
    for host in &args.hosts {
        let target = target::host(&mut session, host)?;
        let is =
            session.before().and_then(|before| verbs::host_of(before, &target)).map(|host| host.state.word());
        if is == Some(state) {
            eprintln!("{} is {state} already", target.label());
            continue;
        }
        let change = Change::Set(vec!["state".to_owned()], Literal::text(state));
        done.push(verbs::apply(&mut session, &target, &change, &args.how)?);
    }
    end(session, &args.how, &done, args.yes)
}

/// Shows what changes, asks on a terminal, writes.
fn end(session: Session, how: &super::args::How, done: &[Done], yes: bool) -> Outcome {
    let checked = check(session, how, done)?;
    if let Some(before) = &checked.before
        && !how.json
        && !checked.is_empty()
    {
        let changes = crate::plan::between(before, &checked.after);
        crate::plan::print(&changes);
        if !yes && !how.dry_run && !crate::output::confirm("Go on?")? {
            return Err(Failure::new("nothing is written"));
        }
    }
    conclude(checked, how, done)
}
