//! Authoritative DNS, served directly from the inventory.
//!
//! [`view`] lays a snapshot out for looking up, [`core`] answers single messages from a view as a pure
//! function, [`shell`] owns sockets, threads, files and clocks. See `ARCHITECTURE.md`.

pub mod core;
pub mod shell;
#[cfg(test)]
mod testing;
pub mod view;
