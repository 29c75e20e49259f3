//! Directives: lines that start with a dollar sign (RFC 1035, section 5.1; RFC 2308, section 4).

use super::entry::Reader;
use super::lex::{Entry, Word};
use super::names::{NameReader, Origin, ReadName};
use super::report::shown;
use super::ttl::{self, TtlError};
use crate::diag::did_you_mean;

impl Reader<'_> {
    pub(super) fn directive(&mut self, first: &Word, entry: &Entry) {
        let text = first.at.of(self.text);
        match text.to_ascii_uppercase().as_str() {
            "$ORIGIN" => {
                // Whatever is wrong with it: names that follow cannot be told any more.
                let before = std::mem::replace(&mut self.origin, Origin::Broken);
                if let Some(word) = self.argument(first, entry, "the name that relative names end in") {
                    let names = NameReader { text: self.text, origin: &before, dialect: self.dialect };
                    if let Some(ReadName::Name(name)) = names.read(&word, &mut self.report) {
                        self.origin = Origin::Known(name);
                    }
                }
            }
            "$TTL" => {
                if let Some(word) = self.argument(first, entry, "a time") {
                    self.default_ttl = self.directive_ttl(&word).or(self.default_ttl);
                }
            }
            "$INCLUDE" if self.includes.is_some() => self.include(first, entry),
            "$INCLUDE" => {
                let finding = self.report.at(first.at, "`$INCLUDE` cannot be written here");
                self.report.push(finding.help(
                    "write the records here, or make the zone a whole master file named by its key `file`",
                ));
            }
            "$GENERATE" => {
                let finding =
                    self.report.at(first.at, "`$GENERATE` is BIND's own and no part of master files");
                self.report
                    .push(finding.help("write the records; hosts and pools get their names by themselves"));
            }
            _ if !entry.sound => {}
            _ => {
                let near = did_you_mean(text, ["$ORIGIN", "$TTL", "$INCLUDE"]);
                let finding = self.report.at(first.at, format!("`{}` is no directive", shown(text)));
                self.report.push(match near {
                    Some(near) => finding.label(format!("did you mean `{near}`?")),
                    None => finding.help(
                        "`$ORIGIN` and `$TTL` are; a name that starts with a dollar sign is written `\\$…`",
                    ),
                });
            }
        }
    }

    /// The one argument of a directive.
    pub(super) fn argument(&mut self, first: &Word, entry: &Entry, what: &str) -> Option<Word> {
        if !entry.sound {
            return None;
        }
        let directive = first.at.of(self.text);
        let finding = match (entry.words.get(1), entry.words.get(2)) {
            (Some(word), None) => return Some(*word),
            (None, _) => self.report.at(first.at, format!("`{directive}` takes {what}")),
            (_, Some(extra)) => {
                let message = format!("`{}` is more than `{directive}` takes", shown(extra.at.of(self.text)));
                self.report.at(extra.at, message)
            }
        };
        self.report.push(finding);
        None
    }

    fn directive_ttl(&mut self, word: &Word) -> Option<u32> {
        let text = shown(word.at.of(self.text));
        let message = match ttl::parse(word.at.of(self.text)) {
            Ok(seconds) => return Some(seconds),
            Err(TtlError::Malformed) => format!("`{text}` is no TTL: seconds, or a time such as `1h30m`"),
            Err(TtlError::TooLong) => format!("the TTL `{text}` is above {} seconds", ttl::TTL_MAX),
        };
        self.report.push(self.report.at(word.at, message));
        None
    }
}
