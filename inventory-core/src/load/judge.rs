//! Running the checks: as few as a change needs, with the result of all.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::Loader;
use super::file::FileState;
use crate::check::templates::{TemplateFile, Templates};
use crate::check::{self, claims::Shards, targets::Known};
use crate::diag::{Finding, Rule};
use crate::resolve;
use crate::span::{FileId, Span};
use crate::template::{Engine, Urls};

impl Loader {
    /// Every finding of the present files. Hosts of files that are not `touched` keep their findings,
    /// unless the few things changed.
    pub(super) fn judge(&mut self, few_changed: bool, touched: &HashSet<FileId>) -> Vec<Finding> {
        let context = Arc::clone(&self.context);
        let reverse = check::names::any_reverse_written(&context.globals);
        for state in self.files.values_mut().filter(|state| few_changed || touched.contains(&state.id)) {
            state.check_findings.clear();
            for host in state.shard.iter() {
                check::host::check(&host, &context, &mut state.check_findings);
                check::delegation::check_host(&host, &context, &mut state.check_findings);
                check::names::check(&host, &context.globals, reverse, &mut state.check_findings);
            }
        }
        let mut findings = self.context_findings.clone();
        findings.extend(self.masters.findings().cloned());
        for state in self.files.values() {
            findings.extend_from_slice(&state.parse_findings);
            findings.extend_from_slice(&state.resolve_findings);
            findings.extend_from_slice(&state.check_findings);
        }
        let networks: Vec<_> = self.files.values().flat_map(|state| &state.globals.networks).collect();
        check::network::check(&networks, &mut findings);
        check::delegation::check_pools(&networks, &mut findings);
        check::records::check(&context.globals, &mut findings);
        self.judge_together(&mut findings);
        self.judge_templates(few_changed, touched, &mut findings);
        self.judge_source(&mut findings);
        self.drop_uncertain(&mut findings);
        findings
    }

    /// What needs all hosts at once.
    fn judge_together(&self, findings: &mut Vec<Finding>) {
        let globals = &self.context.globals;
        let shards: Shards = self.files.values().map(|state| (state.id, Arc::clone(&state.shard))).collect();
        self.claims.conflicts(&shards, globals, findings);
        let known = Known { globals, claims: &self.claims, shards: &shards };
        check::targets::check(self.files.values().map(|state| &state.globals), known, findings);
        let files = self.files.values().map(|state| (&*state.shard, &*state.placements));
        check::installing::check(globals, files.clone().map(|(shard, _)| shard), findings);
        check::vm::check(files, known, findings);
        check::delegation::check_together(shards.values().map(|shard| &**shard), findings);
    }

    /// Templates, for hosts of touched files, or for all if what they are rendered from changed.
    fn judge_templates(&mut self, few_changed: bool, touched: &HashSet<FileId>, findings: &mut Vec<Finding>) {
        let paths: Vec<Arc<str>> = self.referenced.keys().cloned().collect();
        let ids: HashMap<&str, FileId> = paths.iter().map(|path| (&**path, self.id(path))).collect();
        let globals = Arc::clone(&self.context.globals);
        let texts = &self.referenced;
        let file = |path: &str| {
            let text = std::str::from_utf8(&texts.get(path)?.octets).ok();
            Some(TemplateFile { id: *ids.get(path)?, text })
        };
        let engine = Engine::new();
        let templates = Templates::read(&engine, &globals, file, findings);
        let all = few_changed || std::mem::take(&mut self.templates_changed);
        let urls = Arc::new(Urls::example());
        for state in self.files.values_mut().filter(|state| all || touched.contains(&state.id)) {
            state.template_faults = templates.render(&globals, &state.shard, &urls);
        }
        templates.render_unknown(&globals, &urls, findings);
        let faults = self.files.values().map(|state| &state.template_faults);
        check::templates::report(faults, &globals, findings);
    }

    /// What is wrong with the files as files.
    fn judge_source(&mut self, findings: &mut Vec<Finding>) {
        for (path, why) in self.unreadable.clone() {
            let id = self.id(&path);
            let what = if &*path == "." { self.source.describe() } else { path.to_string() };
            let message = format!("`{what}` cannot be read: {why}");
            let finding = Finding::new(Rule::UnreadableFile, Span::whole(id), message);
            findings.push(finding.help("the last good state stays in force until every file can be read"));
        }
        if self.files.is_empty() && self.unreadable.is_empty() {
            let id = self.id(&Arc::from("."));
            let message = format!("there is no `*.toml` file in `{}`", self.source.describe());
            let finding = Finding::new(Rule::EmptyInventory, Span::whole(id), message);
            findings
                .push(finding.help(
                    "an inventory is a directory of TOML files, or a branch as in `site.git#main`; is it mounted, and is the path right?",
                ));
        }
        for (path, span) in resolve::referenced(self.files.values().map(|state| &state.globals)) {
            if !self.referenced.contains_key(path) {
                let why = self
                    .source
                    .version(path)
                    .err()
                    .map_or_else(|| "cannot be read".to_owned(), |e| e.to_string());
                let finding = Finding::new(Rule::MissingFile, span, format!("file `{path}` {why}"));
                findings.push(finding.help("paths are relative to the inventory's root"));
            }
        }
    }

    /// Drops references to what an unreadable file or line, or a refused thing, may define.
    fn drop_uncertain(&self, findings: &mut Vec<Finding>) {
        let unread = !self.unreadable.is_empty() || self.files.values().any(FileState::is_unread);
        let lines = |text: fn(&FileState) -> &str| -> Vec<&str> {
            self.files
                .values()
                .flat_map(|state| text(state).lines())
                .filter(|line| !line.is_empty())
                .collect()
        };
        let uncertain = lines(|state| &state.uncertain);
        let refused = lines(|state| &state.refused);
        if !unread && uncertain.is_empty() && refused.is_empty() {
            return;
        }
        findings.retain(|finding| {
            let Some(name) = &finding.missing else {
                return true;
            };
            // A host that was refused defines no zone.
            let needs_zone = [Rule::NoZone, Rule::BadAlias].contains(&finding.rule);
            let host = !needs_zone && refused.iter().any(|line| may_define(line, name));
            !unread && !host && !uncertain.iter().any(|line| may_define(line, name))
        });
    }
}

/// Whether a line that was not understood may define `name`: by its first label, as a host's, or by
/// what encloses it, as a zone.
fn may_define(line: &str, name: &str) -> bool {
    // Names of hosts and zones have no case; those that do are only the more likely found.
    let (line, name) = (line.to_ascii_lowercase(), name.to_ascii_lowercase());
    let host = name.split('.').next().unwrap_or(&name);
    let zones = name.match_indices('.').map(|(dot, _)| &name[dot + 1..]).filter(|zone| zone.contains('.'));
    std::iter::once(host).chain(zones).any(|part| line.contains(part))
}
