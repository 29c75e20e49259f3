//! What acts: run directories, local scripts, the emulator's socket, connections to targets, the program.

pub mod args;
pub mod cdistcfg;
pub mod client;
pub mod commands;
pub mod confdir;
pub mod env;
pub mod fleet;
pub mod host;
pub mod inventory;
pub mod metrics;
pub mod output;
pub mod own;
pub mod pins;
pub mod programs;
pub mod progress;
pub mod report;
pub mod reported;
pub mod rundir;
pub mod script;
pub mod secrets;
pub mod select;
pub mod server;
pub mod ssh;
pub mod stop;
pub mod transport;
pub mod wire;
