//! `hostbook-generate HOSTS DIR [SEED]`: writes an inventory of that many hosts.

use std::path::Path;
use std::process::ExitCode;

use integration_tests::generate::Plan;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let plan = match &words[..] {
        [hosts, _] => hosts.parse().ok().map(|hosts| Plan { hosts, seed: 1 }),
        [hosts, _, seed] => {
            hosts.parse().ok().zip(seed.parse().ok()).map(|(hosts, seed)| Plan { hosts, seed })
        }
        _ => None,
    };
    let Some(plan) = plan.filter(|plan| (1..=10_000_000).contains(&plan.hosts)) else {
        eprintln!("usage: hostbook-generate HOSTS DIR [SEED], at most 10000000 hosts");
        return ExitCode::from(2);
    };
    match plan.write(Path::new(&words[1])) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hostbook-generate: `{}`: {error}", words[1]);
            ExitCode::FAILURE
        }
    }
}
