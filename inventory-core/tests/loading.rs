//! Loading: from any octets, in any order, bit by bit, and from directories as they are in real life.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "loading/directory.rs"]
mod directory;
#[path = "loading/edits.rs"]
mod edits;
#[path = "loading/mutation.rs"]
mod mutation;
#[path = "loading/octets.rs"]
mod octets;
#[path = "loading/slips.rs"]
mod slips;
#[path = "loading/support.rs"]
mod support;
#[path = "loading/watching.rs"]
mod watching;
