//! Entries: directives, and records with their owner, TTL, class and type.

use super::fields::{Fields, Rdata};
use super::lex::{Entry, Lexer, Shape, Word};
use super::master::Includes;
use super::names::{NameReader, Origin, ReadName};
use super::report::{Extent, Report, shown};
use super::shape::shape;
use super::ttl::{self, TtlError};
use super::{Dialect, Record, RecordType, rtype, wire};
use crate::diag::did_you_mean;
use crate::name::Name;
use crate::span::Span;

/// Reads a whole text.
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) dialect: Dialect,
    pub(super) report: Report<'a>,
    pub(super) origin: Origin,
    /// That of `$TTL`.
    pub(super) default_ttl: Option<u32>,
    /// That of the last record which said one.
    pub(super) last_ttl: Option<u32>,
    /// Where included files come from; `None` where nothing can be included.
    pub(super) includes: Option<Includes<'a>>,
    pub(super) owner: Owner,
    /// Octets of indentation of the first entry.
    margin: Option<usize>,
    pub(super) records: Vec<Record>,
}

/// What stands in a text for octets that are none.
const FOREIGN: char = char::REPLACEMENT_CHARACTER;
const FOREIGN_HELP: &str = "an octet outside ASCII is written `\\` and three digits, such as `\\228`";

/// The owner of the last record.
#[derive(Clone)]
pub(super) enum Owner {
    /// There was none yet.
    None,
    /// This name, written here.
    Known(Name, Span),
    /// It was wrong or cannot be told. Records that take it over are dropped in silence.
    Broken,
}

/// What stands between a record's owner and its data.
struct Head {
    ttl: Option<u32>,
    rtype: RecordType,
    /// The word that says the type.
    at: Extent,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, origin: &Name, dialect: Dialect, report: Report<'a>) -> Reader<'a> {
        Reader {
            text,
            dialect,
            report,
            origin: Origin::Known(origin.into()),
            default_ttl: None,
            last_ttl: None,
            includes: None,
            owner: Owner::None,
            margin: None,
            records: Vec::new(),
        }
    }

    pub(super) fn read(mut self) -> Vec<Record> {
        let mut lexer = Lexer::new(self.text);
        while let Some(entry) = lexer.next_entry(&mut self.report) {
            self.entry(&entry);
        }
        self.records
    }

    fn entry(&mut self, entry: &Entry) {
        let margin = *self.margin.get_or_insert(if self.dialect.margin { entry.indent } else { 0 });
        let Some(first) = entry.words.first() else {
            return;
        };
        let foreign = self.has_foreign_octets(entry);
        if first.shape == Shape::Plain && first.at.of(self.text).starts_with('$') {
            if foreign {
                self.origin = Origin::Broken;
            } else {
                self.directive(first, entry);
            }
            return;
        }
        let named = entry.indent <= margin;
        let rest = if named { entry.words.get(1..).unwrap_or(&[]) } else { &entry.words[..] };
        if named && self.is_foreign(first) {
            self.owner = Owner::Broken;
        } else if named {
            self.read_owner(first, entry, rest);
        } else if matches!(self.owner, Owner::None) {
            self.owner = Owner::Broken;
            let finding = self.report.at(first.at, "the first record has no name in front");
            self.report.push(finding.help(NAME_HELP));
        }
        if foreign || !entry.sound {
            return;
        }
        let Some(head) = self.head(first, rest, named) else {
            return;
        };
        let words =
            rest.iter().position(|word| word.at == head.at).map_or(&[][..], |type_at| &rest[type_at + 1..]);
        let Some(data) = self.data(&head, words) else {
            return;
        };
        let last = words.last().map_or(head.at, |word| word.at);
        self.keep(first.at.through(last), &head, data);
    }

    /// Reports octets of a master file that are no UTF-8: its text has [`FOREIGN`] in their place. Comments
    /// may hold anything.
    fn has_foreign_octets(&mut self, entry: &Entry) -> bool {
        let mut found = false;
        for word in &entry.words {
            if !self.is_foreign(word) {
                continue;
            }
            let from = word.at.from + word.at.of(self.text).find(FOREIGN).unwrap_or(0);
            let at = Extent { from, to: from + FOREIGN.len_utf8() };
            let finding = self.report.at(at, "an octet here is not UTF-8 text");
            self.report.push(finding.help(FOREIGN_HELP));
            found = true;
        }
        found
    }

    fn is_foreign(&self, word: &Word) -> bool {
        self.includes.is_some() && word.at.of(self.text).contains(FOREIGN)
    }

    /// Makes the first word of an entry the owner.
    fn read_owner(&mut self, first: &Word, entry: &Entry, rest: &[Word]) {
        let known = self.report.count();
        let text = first.at.of(self.text);
        let names = NameReader { text: self.text, origin: &self.origin, dialect: self.dialect };
        self.owner = match names.read_owner(first, &mut self.report) {
            Some(ReadName::Name(name)) => Owner::Known(name.name, self.report.span(first.at)),
            Some(ReadName::Adrift) | None => Owner::Broken,
        };
        // The record is wrong already, or its name is missing, which `head` will say.
        if !entry.sound || (is_type_or_class(text) && !starts_record(self.text, rest)) {
            self.report.forget_after(known);
        }
    }

    fn keep(&mut self, at: Extent, head: &Head, data: Rdata) {
        let Owner::Known(owner, owner_span) = &self.owner else {
            return;
        };
        if data.adrift {
            return;
        }
        let (target, target_at) = data.target.unzip();
        self.records.push(Record {
            owner: owner.clone(),
            owner_span: *owner_span,
            ttl: head.ttl.or(self.default_ttl).or(self.last_ttl),
            rtype: head.rtype,
            rdata: data.wire.into(),
            span: self.report.span(at),
            target,
            target_span: target_at.map(|at| self.report.span(at)),
        });
        if self.dialect.last_ttl {
            self.last_ttl = head.ttl.or(self.last_ttl);
        }
    }

    /// Reads TTL and class, in either order, and the type.
    fn head(&mut self, first: &Word, words: &[Word], named: bool) -> Option<Head> {
        let mut ttl = None;
        let mut class = false;
        for word in words {
            let text = word.at.of(self.text);
            if word.shape == Shape::Plain {
                if let Some(rtype) = RecordType::from_mnemonic(text) {
                    return Some(Head { ttl, rtype, at: word.at });
                }
                if let Some(in_class) = class_of(text) {
                    if !in_class || class {
                        let message =
                            if class { "the class stands twice" } else { "only the class `IN` is served" };
                        self.report.push(self.report.at(word.at, message));
                        return None;
                    }
                    class = true;
                    continue;
                }
                match ttl::parse(text) {
                    Ok(_) if ttl.is_some() => {
                        self.report.push(self.report.at(word.at, "the TTL stands twice"));
                        return None;
                    }
                    Ok(seconds) => {
                        ttl = Some(seconds);
                        continue;
                    }
                    Err(TtlError::TooLong) => {
                        let message = format!("the TTL `{}` is above {} seconds", shown(text), ttl::TTL_MAX);
                        self.report.push(self.report.at(word.at, message));
                        return None;
                    }
                    Err(TtlError::Malformed) => {}
                }
            }
            self.no_type(first, word, words, named);
            return None;
        }
        self.ends_early(first, words, named);
        None
    }

    /// Reports a word that stands where a type belongs.
    fn no_type(&mut self, first: &Word, word: &Word, words: &[Word], named: bool) {
        let text = word.at.of(self.text);
        if named && is_type_or_class(first.at.of(self.text)) {
            self.nameless(first);
            return;
        }
        let behind = words.iter().position(|w| w.at == word.at).map_or(&[][..], |i| &words[i + 1..]);
        if !named && word.at == first.at && starts_record(self.text, behind) {
            self.owner = Owner::Broken;
            self.report.push(
                self.report
                    .at(word.at, format!("`{}` stands where a record type belongs", shown(text)))
                    .label("white space in front: the line belongs to the name above")
                    .help(format!(
                        "remove the white space in front if `{}` is the record's name",
                        shown(text)
                    )),
            );
            return;
        }
        let mut finding = self.report.at(word.at, format!("`{}` is no record type", shown(text)));
        let near = did_you_mean(text, rtype::data_mnemonics());
        if text.eq_ignore_ascii_case("ALIAS") || text.eq_ignore_ascii_case("ANAME") {
            finding =
                finding.help("some providers answer it with addresses; write the `A` and `AAAA` records");
        } else if let Some(near) = near.filter(|_| word.shape == Shape::Plain) {
            finding = finding.label(format!("did you mean `{near}`?"));
        } else {
            finding =
                finding.help("a record is written `NAME [TTL] TYPE DATA`, such as `www 1h A 192.0.2.10`");
        }
        self.report.push(finding);
    }

    fn ends_early(&mut self, first: &Word, words: &[Word], named: bool) {
        if named && is_type_or_class(first.at.of(self.text)) {
            self.nameless(first);
            return;
        }
        let last = words.last().unwrap_or(first);
        let message = format!("`{}` has no record type behind it", shown(last.at.of(self.text)));
        let finding = self.report.at(last.at, message);
        self.report
            .push(finding.help("a record is written `NAME [TTL] TYPE DATA`, such as `www 1h A 192.0.2.10`"));
    }

    fn nameless(&mut self, first: &Word) {
        self.owner = Owner::Broken;
        let text = first.at.of(self.text);
        let message = format!("`{}` stands where the record's name belongs", shown(text));
        let finding = self.report.at(first.at, message);
        self.report.push(finding.help(NAME_HELP));
    }

    /// Reads the data of a record.
    fn data(&mut self, head: &Head, words: &[Word]) -> Option<Rdata> {
        let rtype = head.rtype;
        if rtype == RecordType::SOA && !self.dialect.soa {
            let finding = self.report.at(head.at, "a SOA record cannot be written here");
            self.report.push(finding.help(
                "hostbook derives it and counts the serial; `contact` and `ttl` are keys of the zone, \
                 and a whole master file is named by the zone's key `file`",
            ));
            return None;
        }
        if rtype.is_meta() {
            let message = format!("`{rtype}` is no type of data: it occurs in questions and messages only");
            self.report.push(self.report.at(head.at, message));
            return None;
        }
        let shape = shape(rtype);
        let generic = words.first().is_some_and(|word| wire::is_mark(self.text, word.at));
        let names = NameReader { text: self.text, origin: &self.origin, dialect: self.dialect };
        let fields = Fields { rtype, names, words, before: head.at, report: &mut self.report };
        match shape {
            _ if generic => wire::read(fields, shape),
            Some(shape) => fields.read(shape),
            None => {
                let finding = self.report.at(head.at, format!("`{rtype}` is read in generic form only"));
                self.report.push(finding.help(
                    "write the length of the data in octets and its hexadecimal digits: `TYPE65280 \\# 4 0a000001` \
                     (RFC 3597)",
                ));
                None
            }
        }
    }
}

const NAME_HELP: &str =
    "write `@` in front for the zone itself, or white space for the name of the line above";

/// Whether `text` names the class that is served; `None` if it is no class.
fn class_of(text: &str) -> Option<bool> {
    match text.to_ascii_uppercase().as_str() {
        "IN" | "CLASS1" => Some(true),
        "CH" | "HS" | "CS" | "NONE" => Some(false),
        other => {
            let digits = other.strip_prefix("CLASS")?;
            digits.parse::<u16>().ok().map(|_| false)
        }
    }
}

fn is_type_or_class(text: &str) -> bool {
    RecordType::from_mnemonic(text).is_some() || class_of(text).is_some()
}

/// Whether the words read as TTL, class and type.
fn starts_record(text: &str, words: &[Word]) -> bool {
    for word in words {
        let word = word.at.of(text);
        if RecordType::from_mnemonic(word).is_some() {
            return true;
        }
        if class_of(word).is_none() && ttl::parse(word) == Err(TtlError::Malformed) {
            return false;
        }
    }
    false
}
