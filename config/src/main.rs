//! `hostbook-config`: see `hostbook-config --help`.

use std::process::ExitCode;

use clap::Parser;

use config::shell::{args::Cli, client, commands};

fn main() -> ExitCode {
    if let Some(code) = client::dispatch() {
        return code;
    }
    commands::run(&Cli::parse().command).unwrap_or_else(|failure| failure.report())
}
