//! What must hold for any octets that reach us: one function per way in. Each panics where a promise is
//! broken.
//!
//! The fuzz targets call them with what libFuzzer thinks of (`make fuzz`), the tests with captures, all
//! their mutilations, and the corpus that fuzzing left: `captures/`, `corpus/`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is the finding")]

pub mod captures;
pub mod master;
pub mod query;
