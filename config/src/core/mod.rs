//! What decides: the object model, arguments, dependency rules, what may run next, and the texts that
//! go to and come from a target. Nothing here touches files, sockets, processes or clocks; see `shell`.

pub mod args;
pub mod batch;
pub mod cycle;
pub mod engine;
pub mod foresight;
pub mod hex;
pub mod model;
pub mod name;
pub mod quote;
pub mod reply;
pub mod types;
pub mod value;

#[cfg(test)]
mod scheduling_tests;
