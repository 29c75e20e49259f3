//! Names of leases: which networks have them, and where they go.

use crate::diag::{Finding, Rule};
use crate::model::Updates;
use crate::parse::{Field, GlobalDecls, NetworkDecl};

/// Where the names of leases of a network go, if it has any. What is missing for that is reported.
pub(super) fn of_network(
    decl: &NetworkDecl,
    files: &[&GlobalDecls],
    findings: &mut Vec<Finding>,
) -> Option<Updates> {
    let Field::Set(true, span) = decl.dynamic_names else { return None };
    let missing = |what: &str| {
        let message = format!("names of leases of network `{}` need {what}", decl.name);
        Finding::new(Rule::MissingKey, span, message)
    };
    if decl.zone.is_absent() && !decl.vague {
        findings
            .push(missing("a `zone`").help("name the zone of its names, as in `zone = \"lab.example.org\"`"));
    }
    let site = files.iter().find_map(|file| file.site.as_ref());
    let lost = files.iter().any(|file| file.lost_site) || site.is_some_and(|site| site.vague);
    match site.map(|site| &site.updates) {
        Some(Field::Set(updates, _)) => {
            Some(Updates { key: updates.key.value.clone(), server: updates.server })
        }
        None | Some(Field::Absent) if !lost => {
            let help = "say once where they go and how they are signed: `[site]` with `updates = { key = \"leases\" }`";
            findings.push(missing("`updates`").help(help));
            None
        }
        None | Some(Field::Absent | Field::Broken) => None,
    }
}
