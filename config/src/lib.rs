//! `hostbook-config`: pushes configuration over ssh, in the language of cdist.
//!
//! `core` decides: objects, requirements, what may run next, the texts exchanged with a target. `shell`
//! acts: run directories, scripts, the emulator's socket, ssh.

pub mod core;
pub mod shell;
