//! `types`: which types there are, and how one is used.

use std::process::ExitCode;

use inventory_core::diag::did_you_mean;
use serde_json::{Value, json};

use super::args::Types;
use super::cdistcfg::CdistConfig;
use super::commands::{Failure, read_conf};
use super::confdir::Conf;
use super::output;
use super::rundir::RunDir;
use crate::core::types::{Arity, Type};

/// Lists the types, or tells about one.
///
/// # Errors
/// There is no such type, or the types cannot be read.
pub fn run(args: &Types) -> Result<ExitCode, Failure> {
    let name = args.name().map_err(Failure::usage)?;
    let dir = RunDir::create(None, false)?;
    let conf = read_conf(&args.conf, &CdistConfig::read(args.conf.config_file.as_deref())?, &dir)?;
    let wanted = |kind: &Type| name.is_none_or(|wanted| wanted == kind.name);
    let found: Vec<&Type> = conf.types.values().map(AsRef::as_ref).filter(|kind| wanted(kind)).collect();
    if let (Some(name), true) = (name, found.is_empty()) {
        return Err(Failure::new(no_such(name, &conf)));
    }
    if args.json {
        let all = found.iter().map(|kind| json(kind, &summary(&manual(&conf, &kind.name))));
        output::print(&format!("{}\n", Value::from_iter(all)));
        return Ok(ExitCode::SUCCESS);
    }
    for kind in found {
        let manual = manual(&conf, &kind.name);
        if name.is_none() {
            output::print(format!("{:<23} {}", kind.name, summary(&manual)).trim_end());
            output::print("\n");
            continue;
        }
        output::print(&format!("{}\n", kind.usage()));
        if !manual.is_empty() {
            output::print(&format!("\n{manual}"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// That there is no type of this name, and which one may be meant.
pub fn no_such(name: &str, conf: &Conf) -> String {
    let names = || conf.types.keys().map(String::as_str);
    let near =
        names().find(|known| known.strip_prefix("__") == Some(name)).or_else(|| did_you_mean(name, names()));
    let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    format!("there is no type `{name}`{hint}")
}

fn json(kind: &Type, summary: &str) -> Value {
    let parameters = kind.parameters.iter().map(|parameter| {
        let arity = match parameter.arity {
            Arity::Single => "single",
            Arity::Multiple => "multiple",
            Arity::Boolean => "boolean",
        };
        json!({ "name": parameter.name, "arity": arity, "required": parameter.required })
    });
    json!({
        "type": kind.name,
        "summary": summary,
        "singleton": kind.singleton,
        "install": kind.install,
        "parameters": parameters.collect::<Vec<_>>(),
    })
}

/// Text of a type's manual; empty if it has none.
fn manual(conf: &Conf, name: &str) -> String {
    let path = conf.part("type").get(name).map(|path| path.join("man.rst"));
    path.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default()
}

/// What a manual says first: its first clause, or in cdist's form what stands behind the dash below NAME.
fn summary(manual: &str) -> String {
    let paragraph: Vec<&str> = manual.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let text = paragraph.join(" ");
    if text.starts_with("cdist-type") {
        let name = manual.lines().skip_while(|line| line.trim() != "NAME").nth(2).unwrap_or_default();
        return name.split_once(" - ").map_or("", |(_, what)| what).trim().trim_end_matches('.').to_owned();
    }
    let end = ["; ", ". "].iter().filter_map(|mark| text.find(mark)).min().unwrap_or(text.len());
    text.get(..end).unwrap_or_default().trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::summary;

    #[test]
    fn a_summary_is_the_first_clause_of_a_manual_or_what_cdist_has_below_name() {
        assert_eq!(summary("A file; the object id\nis its path.\n\nMore.\n"), "A file");
        assert_eq!(summary("A setting of\nthe system. Message: x.\n"), "A setting of the system");
        let cdist =
            "cdist-type__file(7)\n===\n\nNAME\n----\ncdist-type__file - Manage files.\n\nDESCRIPTION\n";
        assert_eq!(summary(cdist), "Manage files");
        assert_eq!((summary(""), summary("cdist-type__x(7)\n")), (String::new(), String::new()));
    }
}
