//! `hostbook-dnsd`: see the library.

use std::process::ExitCode;

use clap::Parser;
use dnsd::shell::{Options, run};

fn main() -> ExitCode {
    run(Options::parse())
}
