//! Profiles that use profiles: merged once, circles found.

use std::collections::{BTreeMap, BTreeSet};

use super::overlay::inherit;
use crate::diag::{Finding, Rule};
use crate::parse::HostDecl;

type Decls<'a> = BTreeMap<&'a str, &'a HostDecl>;

/// Every profile with those that it uses merged in; and the names of those that cannot be.
pub(super) fn flatten(
    decls: &Decls<'_>,
    findings: &mut Vec<Finding>,
) -> (BTreeMap<Box<str>, HostDecl>, BTreeSet<Box<str>>) {
    let mut flat = BTreeMap::new();
    let mut broken = BTreeSet::new();
    for name in decls.keys() {
        visit(name, decls, &mut Vec::new(), &mut flat, &mut broken, findings);
    }
    (flat, broken)
}

/// Merges `name` unless that is done. `path` holds the profiles being merged, the outermost first.
fn visit<'a>(
    name: &'a str,
    decls: &Decls<'a>,
    path: &mut Vec<&'a str>,
    flat: &mut BTreeMap<Box<str>, HostDecl>,
    broken: &mut BTreeSet<Box<str>>,
    findings: &mut Vec<Finding>,
) {
    let Some(decl) = decls.get(name).filter(|_| !flat.contains_key(name) && !broken.contains(name)) else {
        return;
    };
    path.push(name);
    let mut whole = (*decl).clone();
    let mut fine = !decl.profiles.is_broken();
    for used in decl.profiles.get().into_iter().flatten().rev() {
        let Some((known, _)) = decls.get_key_value(&*used.value) else {
            findings.push(unknown(&used.value, used.span, decls.keys().copied()));
            fine = false;
            continue;
        };
        if let Some(start) = path.iter().position(|on_path| on_path == known) {
            let circle = [&path[start..], &[known]].concat().join("` → `");
            let message = format!("profiles use each other in a circle: `{circle}`");
            let mut finding = Finding::new(Rule::ProfileCycle, used.span, message);
            for name in &path[start..path.len() - 1] {
                finding = finding.other(decls[name].key.span, format!("`{name}` leads here"));
            }
            findings.push(finding.help("take one `use` out of the circle"));
            broken.extend(path[start..].iter().map(|name| Box::from(*name)));
            fine = false;
            continue;
        }
        visit(known, decls, path, flat, broken, findings);
        match flat.get(*known) {
            Some(base) => inherit(&mut whole, base),
            None => fine = false,
        }
    }
    path.pop();
    if fine {
        flat.insert(name.into(), whole);
    } else {
        broken.insert(name.into());
    }
}

/// A reference to a profile that is not defined.
pub(super) fn unknown<'a>(
    name: &str,
    span: crate::span::Span,
    known: impl IntoIterator<Item = &'a str>,
) -> Finding {
    Finding::unknown(Rule::UnknownProfile, span, "profile", name, known, &format!("[profile.{name}]"))
}
