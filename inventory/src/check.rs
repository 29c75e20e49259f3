//! `hostbook check`.

use std::io::IsTerminal;
use std::process::ExitCode;

use inventory_core::diag::{self, Diagnostic};

use crate::args::{Check, CheckFormat};
use crate::exit::{Failure, Outcome};
use crate::{inventory, output};

/// Prints every mistake to standard output, sorted by place, and a summary to standard error.
pub(crate) fn run(args: &Check) -> Outcome {
    let format = match args.format {
        Some(format) => format,
        None if args.json => CheckFormat::Json,
        None if std::io::stdout().is_terminal() => CheckFormat::Human,
        None => CheckFormat::Short,
    };
    let (diagnostics, fine) = match inventory::load(&args.inventory.inventory) {
        Ok((snapshot, warnings)) => (warnings, Some(snapshot)),
        Err(diagnostics) => (diagnostics, None),
    };
    print(&diagnostics, format);
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    let warnings = diagnostics.len() - errors;
    let mut summary = Vec::new();
    match &fine {
        Some(snapshot) => {
            let globals = &snapshot.inventory.globals;
            let hosts = count(snapshot.inventory.host_count(), "host");
            let networks = count(globals.networks.len(), "network");
            let zones = count(globals.zones.len(), "zone");
            summary.push(format!("fine: {hosts}, {networks}, {zones}, content {:.12}", snapshot.hash));
        }
        None => summary.push(count(errors, "error")),
    }
    if warnings > 0 {
        summary.push(count(warnings, "warning"));
    }
    if format != CheckFormat::Json {
        eprintln!("{}", summary.join("; "));
    }
    if fine.is_some() { Ok(ExitCode::SUCCESS) } else { Err(Failure::inventory()) }
}

fn print(diagnostics: &[Diagnostic], format: CheckFormat) {
    for diagnostic in diagnostics {
        match format {
            CheckFormat::Human => {
                output::line(&diag::terminal(diagnostic, output::colour()));
                output::line("");
            }
            CheckFormat::Short => output::line(&diag::short(diagnostic)),
            CheckFormat::Json => output::line(&diag::json(diagnostic)),
        }
    }
}

/// `1 host`, `2 hosts`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
