//! Whole master files: read when a zone names them, read again when they or what they include change.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::diag::{Finding, Rule};
use crate::name::Name;
use crate::parse::GlobalDecls;
use crate::records::{Files, Unopened, read_master};
use crate::resolve::{MasterZone, Masters};
use crate::source::{ReadError, Source, Version};
use crate::span::{FileId, Span};

/// The directory of the root that master files are looked for in, after the root itself.
const ZONES: &str = "zones/";

/// Every master file in use. One file may serve several zones, so zones are part of the key.
#[derive(Default)]
pub(super) struct MasterFiles {
    kept: BTreeMap<(Arc<str>, Name), Kept>,
}

/// What was read for one zone.
struct Kept {
    /// The files that were read, the zone's own one first.
    parts: Vec<Part>,
    /// Paths where a file was looked for in vain.
    absent: Vec<Arc<str>>,
    zone: Arc<MasterZone>,
    /// Where the zone names its file; findings may show it.
    span: Span,
    findings: Vec<Finding>,
}

/// One file.
struct Part {
    path: Arc<str>,
    version: Version,
    hash: [u8; 32],
}

/// Gives numbers to paths.
pub(super) trait Numbers {
    fn number(&mut self, path: &Arc<str>) -> FileId;
}

impl MasterFiles {
    /// Looks at every master file that the declarations name; `true` if any of them changed.
    pub(super) fn look<'d>(
        &mut self,
        source: &dyn Source,
        decls: impl Iterator<Item = &'d GlobalDecls>,
        numbers: &mut dyn Numbers,
    ) -> bool {
        let mut before = std::mem::take(&mut self.kept);
        let mut changed = false;
        for zone in decls.flat_map(|file| &file.zones) {
            let Some(path) = zone.file.get() else { continue };
            let span = zone.file.span().unwrap_or(zone.span);
            let key = (Arc::from(&**path), zone.name.clone());
            if self.kept.contains_key(&key) {
                continue;
            }
            let kept = match before.remove(&key) {
                Some(kept) if kept.is_current(source) && kept.speaks_of(span) => kept,
                old => {
                    let new = read(source, path, &zone.name, span, numbers);
                    changed |= !old.is_some_and(|old| old.is_same_trouble(&new));
                    new
                }
            };
            self.kept.insert(key, kept);
        }
        changed | !before.is_empty()
    }

    /// What the master files say, by path and zone.
    pub(super) fn zones(&self) -> Masters {
        self.kept.iter().map(|(key, kept)| (key.clone(), Arc::clone(&kept.zone))).collect()
    }

    /// Everything that is wrong in them.
    pub(super) fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.kept.values().flat_map(|kept| &kept.findings)
    }

    /// Path and SHA-256 of every file that was read.
    pub(super) fn contents(&self) -> impl Iterator<Item = (&Arc<str>, [u8; 32])> {
        self.kept.values().flat_map(|kept| &kept.parts).map(|part| (&part.path, part.hash))
    }
}

impl Kept {
    fn is_current(&self, source: &dyn Source) -> bool {
        !self.parts.is_empty()
            && self.parts.iter().all(|part| source.version(&part.path) == Ok(part.version))
            && self.absent.iter().all(|path| source.version(path) == Err(ReadError::Missing))
    }

    /// Whether what is kept is right for a file that is named at `span`.
    fn speaks_of(&self, span: Span) -> bool {
        self.span == span || self.findings.is_empty()
    }

    /// Whether no file could be read, as before and for the same reason.
    fn is_same_trouble(&self, new: &Kept) -> bool {
        self.parts.is_empty() && new.parts.is_empty() && self.findings == new.findings
    }
}

/// Reads the master file of `zone`, which is named at `span`.
fn read(source: &dyn Source, path: &str, zone: &Name, span: Span, numbers: &mut dyn Numbers) -> Kept {
    let mut opener = Opener { source, numbers, parts: Vec::new(), absent: Vec::new(), paths: HashMap::new() };
    let mut findings = Vec::new();
    let records = match opener.open_first(&[path.to_owned(), format!("{ZONES}{path}")], path) {
        Ok((file, text)) => read_master(file, &text, zone, &mut opener, &mut findings),
        Err(Unopened { rule, message, help }) => {
            findings.push(Finding::new(rule, span, message).help(help));
            Vec::new()
        }
    };
    let Opener { parts, absent, .. } = opener;
    let zone = Arc::new(MasterZone::new(records, findings.is_empty(), zone, span, &mut findings));
    Kept { parts, absent, zone, span, findings }
}

/// Opens files of one zone and notes them.
struct Opener<'s> {
    source: &'s dyn Source,
    numbers: &'s mut dyn Numbers,
    parts: Vec<Part>,
    absent: Vec<Arc<str>>,
    paths: HashMap<FileId, Arc<str>>,
}

impl Files for Opener<'_> {
    fn open(&mut self, path: &str, from: FileId) -> Result<(FileId, String), Unopened> {
        let outside = |message| Unopened {
            rule: Rule::PathOutsideRoot,
            message,
            help: "included files lie below the inventory's root; write the path relative to this file, \
                   or to the root",
        };
        if path.is_empty() || path.starts_with('/') || path.contains('\0') {
            return Err(outside(format!("path `{path}` is empty or absolute")));
        }
        let here = self.paths.get(&from).and_then(|path| path.rsplit_once('/')).map_or("", |(here, _)| here);
        let beside = joined(here, path).ok_or_else(|| outside(format!("path `{path}` leaves its root")))?;
        let mut candidates = vec![beside];
        for other in [joined("", path), joined(ZONES, path)].into_iter().flatten() {
            if !candidates.contains(&other) {
                candidates.push(other);
            }
        }
        self.open_first(&candidates, path)
    }
}

impl Opener<'_> {
    /// Opens the first of `candidates` that is there; `written` is what people wrote.
    fn open_first(&mut self, candidates: &[String], written: &str) -> Result<(FileId, String), Unopened> {
        for path in candidates {
            let path: Arc<str> = Arc::from(path.as_str());
            match self.source.read(&path) {
                Err(ReadError::Missing) => self.absent.push(path),
                Err(error) => {
                    return Err(Unopened {
                        rule: Rule::MissingFile,
                        message: format!("file `{path}` {error}"),
                        help: "the last good state stays in force until it can be read",
                    });
                }
                Ok((version, octets)) => return self.text(path, version, octets),
            }
        }
        Err(Unopened {
            rule: Rule::MissingFile,
            message: format!("file `{written}` is not there"),
            help: "paths are relative to the inventory's root or its `zones/`; those of included files also to \
                   the file that includes them",
        })
    }

    fn text(
        &mut self,
        path: Arc<str>,
        version: Version,
        octets: Vec<u8>,
    ) -> Result<(FileId, String), Unopened> {
        let file = self.numbers.number(&path);
        if !self.parts.iter().any(|part| part.path == path) {
            let hash = Sha256::digest(&octets).into();
            self.parts.push(Part { path: Arc::clone(&path), version, hash });
        }
        self.paths.insert(file, Arc::clone(&path));
        // Octets that are no text may stand in comments; elsewhere the reader reports them, at their place in
        // the text that diagnostics show.
        Ok((file, String::from_utf8_lossy(&octets).into_owned()))
    }
}

/// `path` below `directory`, `.` and `..` resolved; `None` if it leaves the root.
fn joined(directory: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in directory.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_without_leaving_the_root() {
        for (directory, path, expected) in [
            ("", "a.zone", Some("a.zone")),
            ("zones/x", "a.zone", Some("zones/x/a.zone")),
            ("zones/x", "../a.zone", Some("zones/a.zone")),
            ("zones", "./b/../a.zone", Some("zones/a.zone")),
            ("zones", "../../a.zone", None),
            ("", "..", None),
            ("", ".", None),
        ] {
            assert_eq!(joined(directory, path).as_deref(), expected, "{directory} {path}");
        }
    }
}
