//! What the tests of the whole workspace stand on: rules of the source text, a generator of inventories.
//!
//! Nothing here is part of a program that an operator runs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "all of this is test code")]

pub mod generate;
pub mod rules;
pub mod temp;
