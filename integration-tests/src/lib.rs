//! What the tests of the whole workspace stand on: namespaces with machines in them, the programs under
//! test, a generator of inventories, rules of the source text.
//!
//! Nothing here is part of a program that an operator runs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "all of this is test code")]

pub mod bad_cable;
pub mod bench;
pub mod dhcp;
pub mod dhcp6;
pub mod dns;
pub mod faults;
pub mod generate;
pub mod isolated;
pub mod load;
pub mod message;
pub mod message6;
pub mod net;
pub mod place;
pub mod programs;
pub mod random;
pub mod relay;
pub mod rules;
pub mod run;
pub mod temp;
pub mod vm;
pub mod wire;
pub mod wire6;
