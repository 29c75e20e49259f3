//! The templates of boot profiles, rendered for each host that uses them.
//!
//! What fails here would fail in the middle of an installation. A mistake that many hosts run into is
//! told once, with the first of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diag::{Finding, Rule};
use crate::model::{BootId, BootSource, Globals, NetworkId, Shard, State, Unknown};
use crate::parse::is_url;
use crate::span::{FileId, Span};
use crate::template::{Engine, Fault, Subject, Template, Urls};

/// A file that the inventory refers to.
#[derive(Clone, Copy)]
pub(crate) struct TemplateFile<'t> {
    pub(crate) id: FileId,
    /// `None`: no text.
    pub(crate) text: Option<&'t str>,
}

/// What the hosts of one file run into: by template and fault, the first host and how many.
pub(crate) type Faults = BTreeMap<(Place, Fault), (Span, Box<str>, usize)>;

/// Where a template is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// In a file of its own, all of which is the template.
    File(FileId),
    /// As a value of the inventory: which profile's command line.
    CommandLine(u32),
}

/// All templates of the boot profiles, read once.
pub(crate) struct Templates<'e, 't> {
    /// By boot profile, those that can be read.
    by_boot: Vec<Vec<(Place, Template<'e, 't>)>>,
}

impl<'e, 't> Templates<'e, 't> {
    /// Reads every template of `globals`; `file` finds files by path. What cannot be read is reported.
    pub(crate) fn read(
        engine: &'e Engine<'t>,
        globals: &'t Globals,
        file: impl Fn(&str) -> Option<TemplateFile<'t>>,
        findings: &mut Vec<Finding>,
    ) -> Templates<'e, 't> {
        let mut by_boot = Vec::with_capacity(globals.boots.len());
        for (number, boot) in (0..).zip(&globals.boots) {
            let mut all = Vec::new();
            let mut paths: Vec<&str> = boot.files.iter().map(|file| &*file.template).collect();
            match &boot.source {
                BootSource::Kernel { cmdline, cmdline_span, .. } => match engine.read(cmdline) {
                    Ok(template) => all.push((Place::CommandLine(number), template)),
                    Err(fault) => findings.push(unreadable("the command line", *cmdline_span, &fault)),
                },
                BootSource::Script(script) if !is_url(script) => paths.push(script),
                BootSource::Script(_) => {}
            }
            for path in paths {
                let Some(TemplateFile { id, text }) = file(path) else { continue };
                match text.ok_or("it is not UTF-8").map(|text| engine.read(text)) {
                    Ok(Ok(template)) => all.push((Place::File(id), template)),
                    Ok(Err(fault)) => findings.push(unreadable("the template", span_in(id, &fault), &fault)),
                    Err(why) => {
                        let message = format!("the template cannot be read: {why}");
                        findings.push(Finding::new(Rule::TemplateSyntax, Span::whole(id), message));
                    }
                }
            }
            by_boot.push(all);
        }
        Templates { by_boot }
    }

    /// Renders what unknown machines of each network boot.
    pub(crate) fn render_unknown(
        &self,
        globals: &Arc<Globals>,
        urls: &Arc<Urls>,
        findings: &mut Vec<Finding>,
    ) {
        for (id, network) in (0..).map(NetworkId).zip(&globals.networks) {
            let Unknown::Boot(boot) = network.unknown else { continue };
            let subject = Subject::nobody(globals, id, boot, urls);
            for (place, template) in self.of(boot) {
                let Err(fault) = template.render(&subject) else { continue };
                let Some((span, what)) = written(*place, &fault, globals) else { continue };
                let whom = format!("unknown machines of network `{}`", network.name);
                let finding = failing(what, &whom, span, &fault);
                findings.push(finding.other(network.span, "this network boots it"));
            }
        }
    }

    fn of(&self, boot: BootId) -> &[(Place, Template<'e, 't>)] {
        self.by_boot.get(boot.0 as usize).map(Vec::as_slice).unwrap_or_default()
    }

    /// Renders for each host of `shard` what it uses. Retired hosts boot nothing.
    pub(crate) fn render(&self, globals: &Arc<Globals>, shard: &Shard, urls: &Arc<Urls>) -> Faults {
        let mut faults = Faults::new();
        if self.by_boot.iter().all(Vec::is_empty) {
            return faults;
        }
        for host in shard.in_state(|state| state != State::Retired) {
            let templates = host.boot.map(|boot| self.of(boot)).unwrap_or_default();
            if templates.is_empty() {
                continue;
            }
            let host = Arc::new(host);
            let subject = Subject::new(globals, Arc::clone(&host), urls);
            for (place, template) in templates {
                if let Err(fault) = template.render(&subject) {
                    let first = || (host.span, host.name.fqdn.to_string().into(), 0);
                    faults.entry((*place, fault)).or_insert_with(first).2 += 1;
                }
            }
        }
        faults
    }
}

/// Reports what the hosts of all files run into.
pub(crate) fn report<'a>(
    all: impl Iterator<Item = &'a Faults>,
    globals: &Globals,
    findings: &mut Vec<Finding>,
) {
    let mut joined: BTreeMap<&(Place, Fault), (Span, &str, usize)> = BTreeMap::new();
    for (key, (span, host, count)) in all.flatten() {
        joined.entry(key).or_insert((*span, host, 0)).2 += count;
    }
    for ((place, fault), (host_span, host, count)) in joined {
        let Some((span, what)) = written(*place, fault, globals) else { continue };
        let others = match count {
            1 => String::new(),
            2 => " and one other".to_owned(),
            more => format!(" and {} others", more - 1),
        };
        let finding = failing(what, &format!("`{host}`{others}"), span, fault);
        findings.push(finding.other(host_span, "this host uses it"));
    }
}

fn failing(what: &str, whom: &str, span: Span, fault: &Fault) -> Finding {
    let finding = Finding::new(Rule::TemplateFails, span, format!("{what} fails for {whom}: {fault}"));
    if !fault.is_undefined {
        return finding;
    }
    finding.help("give the host what is missing, or ask first: `{% if … is defined %}`")
}

/// Where a fault is, and in what.
fn written(place: Place, fault: &Fault, globals: &Globals) -> Option<(Span, &'static str)> {
    match place {
        Place::File(id) => Some((span_in(id, fault), "the template")),
        Place::CommandLine(boot) => match &globals.boots.get(boot as usize)?.source {
            BootSource::Kernel { cmdline_span, .. } => Some((*cmdline_span, "the command line")),
            BootSource::Script(_) => None,
        },
    }
}

fn unreadable(what: &str, span: Span, fault: &Fault) -> Finding {
    let finding = Finding::new(Rule::TemplateSyntax, span, format!("{what} cannot be read: {fault}"));
    finding.help("templates are written in Jinja's language: `{{ host.name }}`, `{% if … %}…{% endif %}`")
}

fn span_in(file: FileId, fault: &Fault) -> Span {
    let Some((start, end)) = fault.range else { return Span::whole(file) };
    let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX - 1);
    Span::new(file, place(start), place(end))
}
