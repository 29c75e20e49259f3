//! `hostbook`: the operator's tool.

use std::process::ExitCode;

mod args;
mod check;
mod demo;
mod exit;
mod external;
mod inventory;
mod list;
mod output;
mod serve;
mod show;
mod status;

fn main() -> ExitCode {
    let args = args::parse();
    let result = match args.command {
        args::Command::Check(check) => check::run(&check),
        args::Command::List(list) => list::run(&list),
        args::Command::Show(show) => show::run(&show),
        args::Command::Status(status) => status::run(&status),
        args::Command::Serve(serve) => serve::run(&serve),
        args::Command::Demo(demo) => demo::run(&demo),
        args::Command::Other(words) => external::run(&words),
    };
    result.unwrap_or_else(exit::Failure::report)
}
