//! `hostbook-dhcpd`: see the library.

use std::process::ExitCode;

use clap::Parser;
use dhcpd::shell::{Options, run};

fn main() -> ExitCode {
    run(Options::parse())
}
