//! Running the checks: as few as a change needs, with the result of all.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::Loader;
use crate::check::{self, records::LazyIndex, records::TargetIndex};
use crate::diag::{Finding, Rule};
use crate::model::Shard;
use crate::resolve;
use crate::span::{FileId, Span};

impl Loader {
    /// Every finding of the present files. Hosts of files that are not `touched` keep their findings,
    /// unless the few things changed.
    pub(super) fn judge(&mut self, few_changed: bool, touched: &HashSet<FileId>) -> Vec<Finding> {
        let context = Arc::clone(&self.context);
        for state in self.files.values_mut().filter(|state| few_changed || touched.contains(&state.id)) {
            state.check_findings.clear();
            for host in &state.shard.hosts {
                check::host::check(host, &context, &mut state.check_findings);
                check::names::check(host, &context.globals, &mut state.check_findings);
            }
        }
        let mut findings = self.context_findings.clone();
        for state in self.files.values() {
            findings.extend_from_slice(&state.parse_findings);
            findings.extend_from_slice(&state.resolve_findings);
            findings.extend_from_slice(&state.check_findings);
        }
        let networks: Vec<_> = self.files.values().flat_map(|state| &state.globals.networks).collect();
        check::network::check(&networks, &mut findings);
        check::records::check(&context.globals, &mut findings);
        self.judge_together(&mut findings);
        self.judge_source(&mut findings);
        self.drop_uncertain(&mut findings);
        findings
    }

    /// What needs all hosts at once.
    fn judge_together(&self, findings: &mut Vec<Finding>) {
        let globals = &self.context.globals;
        let by_file: HashMap<FileId, Arc<Shard>> =
            self.files.values().map(|state| (state.id, Arc::clone(&state.shard))).collect();
        self.claims.conflicts(&by_file, globals, findings);
        let hosts = || self.files.values().flat_map(|state| &state.shard.hosts);
        let make = || TargetIndex::new(hosts());
        let mut index = LazyIndex::new(&make);
        check::records::check_targets(globals, &self.claims, &mut index, findings);
        check::vm::check(hosts(), globals, &mut index, findings);
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
                    "an inventory is a directory of TOML files; is it mounted, and is the path right?",
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

    /// Drops references to what an unreadable file or line may define.
    fn drop_uncertain(&self, findings: &mut Vec<Finding>) {
        let unread =
            !self.unreadable.is_empty() || self.files.values().any(super::file::FileState::is_unread);
        let lines: Vec<&str> =
            self.files.values().map(|state| &*state.uncertain).filter(|text| !text.is_empty()).collect();
        if !unread && lines.is_empty() {
            return;
        }
        findings.retain(|finding| match &finding.missing {
            None => true,
            Some(name) => !unread && !lines.iter().any(|line| line.contains(&**name)),
        });
    }
}
