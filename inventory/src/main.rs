//! `hostbook`: the operator's tool.

use std::process::ExitCode;

mod apply;
mod args;
mod check;
mod complete;
mod demo;
mod dnssec;
mod edit;
mod exit;
mod explain;
mod export;
mod external;
mod free;
mod hook;
mod import;
mod init;
mod installed;
mod inventory;
mod lease_list;
mod leases;
mod list;
mod man;
mod moment;
mod on_change;
mod output;
mod packet;
mod packet6;
mod plan;
mod probe;
mod queries;
mod seen;
mod serve;
mod show;
mod status;
mod vm;
mod who;

fn main() -> ExitCode {
    let args = args::parse();
    let result = match args.command {
        args::Command::Check(check) => check::run(&check),
        args::Command::List(list) => list::run(&list),
        args::Command::Show(show) => show::run(&show),
        args::Command::Status(status) => status::run(&status),
        args::Command::Serve(serve) => serve::run(&serve),
        args::Command::Demo(demo) => demo::run(&demo),
        args::Command::Free(free) => free::run(&free),
        args::Command::Plan(plan) => plan::run(&plan),
        args::Command::Vm(vm) => vm::run(&vm),
        args::Command::Import(import) => import::run(&import),
        args::Command::ImportLeases(files) => import::leases::run(&files),
        args::Command::Export(export) => export::run(&export),
        args::Command::Init(init) => init::run(&init),
        args::Command::Completions(shell) => complete::script(&shell),
        args::Command::Complete(words) => complete::run(&words),
        args::Command::Man(pages) => man::run(&pages),
        args::Command::Hook(hook) => hook::run(&hook),
        args::Command::Dnssec(verb) => dnssec::run(&verb),
        args::Command::Queries(queries) => queries::run(&queries),
        args::Command::Apply(apply) => apply::run(&apply),
        args::Command::Who(who) => who::run(&who),
        args::Command::Explain(explain) => explain::run(&explain),
        args::Command::Edit(verb) => edit::run(&verb),
        args::Command::Other(words) => external::run(&words),
    };
    result.unwrap_or_else(exit::Failure::report)
}
