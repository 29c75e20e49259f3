//! Whole master files, and the files that they include (RFC 1035, section 5.1).
//!
//! What `$INCLUDE` names is read in its place: with the origin given there or the one in force, with
//! the owner and the TTL of the line above. None of what the included file sets lasts beyond it.

use super::entry::Reader;
use super::lex::{Entry, Word};
use super::names::{NameReader, Origin, ReadName};
use super::report::{Report, shown};
use super::{Dialect, Record};
use crate::diag::{Finding, Rule};
use crate::name::Name;
use crate::span::{FileId, Span};

/// Files that include each other deeper than this are a circle, or nobody can follow them.
const DEPTH_MAX: usize = 8;
/// Most inclusions of one zone.
const INCLUSIONS_MAX: usize = 1_000;

/// Where included files come from.
pub trait Files {
    /// Number and text of the file that `path` names in the text of `from`.
    ///
    /// # Errors
    /// Says why there is none.
    fn open(&mut self, path: &str, from: FileId) -> Result<(FileId, String), Unopened>;
}

/// Why a file cannot be included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unopened {
    /// The rule that is broken.
    pub rule: Rule,
    /// What is wrong, one line.
    pub message: String,
    /// What to do.
    pub help: &'static str,
}

/// What a reader needs to include files.
pub(super) struct Includes<'a> {
    files: &'a mut dyn Files,
    /// The file that is read.
    file: FileId,
    depth: usize,
    /// How many inclusions are left.
    left: &'a mut usize,
}

/// Reads a whole master file and what it includes, SOA record and all.
///
/// Relative names end in `origin`, the zone's name. Mistakes go to `findings`; the records that are
/// right are returned, in the order of the text.
pub fn read_master(
    file: FileId,
    text: &str,
    origin: &Name,
    files: &mut dyn Files,
    findings: &mut Vec<Finding>,
) -> Vec<Record> {
    let locate = |from, to| span_in(file, from, to);
    let mut reader = Reader::new(text, origin, Dialect::FILE, Report::new(&locate, findings));
    let mut left = INCLUSIONS_MAX;
    reader.includes = Some(Includes { files, file, depth: 0, left: &mut left });
    reader.read()
}

fn span_in(file: FileId, from: usize, to: usize) -> Span {
    let octet = |at: usize| u32::try_from(at).unwrap_or(u32::MAX - 1);
    Span::new(file, octet(from), octet(to))
}

impl Reader<'_> {
    /// Reads `$INCLUDE file [origin]`.
    pub(super) fn include(&mut self, first: &Word, entry: &Entry) {
        if !entry.sound {
            return;
        }
        let (path, origin) = match entry.words.as_slice() {
            [_, path] => (path, self.origin.clone()),
            [_, path, word] => {
                let names = NameReader { text: self.text, origin: &self.origin, dialect: self.dialect };
                match names.read(word, &mut self.report) {
                    Some(ReadName::Name(name)) => (path, Origin::Known(name)),
                    Some(ReadName::Adrift) => (path, Origin::Broken),
                    None => return,
                }
            }
            _ => {
                let finding = self.report.at(first.at, "`$INCLUDE` takes a file, and a name or none");
                self.report.push(finding.help("write `$INCLUDE more.zone`, or `$INCLUDE more.zone sub`"));
                return;
            }
        };
        let text = path.inner().of(self.text).to_owned();
        match self.open(&text) {
            Ok((file, included)) => self.read_included(file, &included, origin),
            Err(Unopened { rule, message, help }) => {
                let finding = Finding::new(rule, self.report.span(path.at), message);
                self.report.push(finding.help(help));
            }
        }
    }

    fn open(&mut self, path: &str) -> Result<(FileId, String), Unopened> {
        let refuse = |message: String, help| Unopened { rule: Rule::InvalidRecord, message, help };
        let Some(includes) = &mut self.includes else {
            return Err(refuse("nothing can be included here".to_owned(), "write the records here"));
        };
        if includes.depth >= DEPTH_MAX {
            let message = format!("`{}` would be included {DEPTH_MAX} files deep", shown(path));
            return Err(refuse(message, "files that include each other in a circle never end"));
        }
        let Some(left) = includes.left.checked_sub(1) else {
            let message = format!("more than {INCLUSIONS_MAX} files are included");
            return Err(refuse(message, "join some of them"));
        };
        *includes.left = left;
        includes.files.open(path, includes.file)
    }

    fn read_included(&mut self, file: FileId, text: &str, origin: Origin) {
        let Some(includes) = &mut self.includes else { return };
        let locate = |from, to| span_in(file, from, to);
        let mut reader =
            Reader::new(text, &Name::root(), self.dialect, Report::new(&locate, &mut *self.report.findings));
        reader.origin = origin;
        reader.owner = self.owner.clone();
        reader.default_ttl = self.default_ttl;
        reader.last_ttl = self.last_ttl;
        reader.includes = Some(Includes {
            files: &mut *includes.files,
            file,
            depth: includes.depth + 1,
            left: &mut *includes.left,
        });
        let records = reader.read();
        self.records.extend(records);
    }
}
