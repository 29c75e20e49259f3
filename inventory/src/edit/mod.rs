//! Editing the operator's files, without taking them away: comments, order and style stay, the
//! difference is as small as it can be, and nothing is written that does not pass the check.

mod add;
mod args;
mod auto;
mod change;
mod editor;
mod finish;
mod life;
mod nic;
mod pin;
mod place;
mod rename;
mod session;
mod target;
mod text;
mod used;
mod verbs;
mod write;

pub(crate) use args::{How, Verb};
pub(crate) use finish::{Done, finish};
pub(crate) use session::Session;
pub(crate) use text::{Doc, key, quote};

use crate::exit::Outcome;

/// Runs a verb that edits.
pub(crate) fn run(verb: &Verb) -> Outcome {
    match verb {
        Verb::Add(args) => add::add(args),
        Verb::Set(args) => verbs::set(args),
        Verb::Unset(args) => verbs::unset(args),
        Verb::Rm(args) => verbs::rm(args),
        Verb::Rename(args) => rename::run(args),
        Verb::Adopt(args) => add::adopt(args),
        Verb::Edit(args) => verbs::edit(args),
        Verb::Nic(nic) => nic::run(nic),
        Verb::Disk(disk) => verbs::disk(disk),
        Verb::Tag(words) => verbs::tag(words),
        Verb::Alias(words) => verbs::alias(words),
        Verb::Pin(args) => pin::pin(args),
        Verb::Install(args) => life::install(args),
        Verb::Activate(args) => life::change(args, "active"),
        Verb::Retire(args) => life::change(args, "retired"),
    }
}
