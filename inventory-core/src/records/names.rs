//! Domain names as people write them in records, and how they go wrong.

use super::report::{Extent, Report, shown};
use super::{Dialect, lex};
use crate::name::{Name, NameError, wire_as_written};

/// A name, and its wire form in the case that it is written in.
#[derive(Clone, Debug)]
pub(super) struct Spelled {
    pub(super) name: Name,
    pub(super) wire: Box<[u8]>,
}

/// What relative names end in.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    /// This name.
    Known(Spelled),
    /// Unknown, because `$ORIGIN` is wrong. Records that depend on it are dropped in silence.
    Broken,
}

/// A name that was read.
pub(super) enum ReadName {
    /// The name.
    Name(Spelled),
    /// Well formed, but relative to an origin that is not known.
    Adrift,
}

/// Reads domain names of one place in the text.
#[derive(Clone, Copy)]
pub(super) struct NameReader<'o> {
    pub(super) text: &'o str,
    pub(super) origin: &'o Origin,
    pub(super) dialect: Dialect,
}

impl From<&Name> for Spelled {
    fn from(name: &Name) -> Spelled {
        Spelled { name: name.clone(), wire: name.as_wire().into() }
    }
}

impl Spelled {
    fn parse(text: &str, origin: Option<&Spelled>) -> Result<Spelled, NameError> {
        let wire = wire_as_written(text, origin.map_or(&[0], |origin| &origin.wire))?;
        let name = Name::from_wire(&wire).ok_or(NameError::NameTooLong)?;
        Ok(Spelled { name, wire: wire.into() })
    }
}

impl NameReader<'_> {
    /// Reads a name, absolute or relative; `None` when it is wrong, which is reported.
    pub(super) fn read(self, word: &lex::Word, report: &mut Report<'_>) -> Option<ReadName> {
        let text = word.at.of(self.text);
        if word.shape != lex::Shape::Plain {
            let finding = report.at(word.at, "a domain name is written without quotation marks");
            report.push(finding);
            return None;
        }
        if let Some(finding) = self.foreign_character(word.at, report) {
            report.push(finding);
            return None;
        }
        let anchor = match self.origin {
            Origin::Known(origin) => Some(origin),
            Origin::Broken => None,
        };
        let name = match Spelled::parse(text, anchor) {
            Ok(name) => name,
            Err(error) => {
                report.push(report.at(word.at, format!("the name `{}` {error}", shown(text))));
                return None;
            }
        };
        let Some(origin) = anchor else {
            return Some(if is_absolute(text) { ReadName::Name(name) } else { ReadName::Adrift });
        };
        if self.dialect.pitfalls && self.forgot_the_dot(text, &origin.name) {
            report.push(
                report
                    .at(word.at, format!("`{}` has no dot at its end", shown(text)))
                    .label(format!("means `{}`", shown(&name.name.to_string())))
                    .help(format!(
                        "write `{}.` with a dot, or the part in front of `{}` alone",
                        shown(text),
                        origin.name
                    )),
            );
            return None;
        }
        Some(ReadName::Name(name))
    }

    /// Reads the name of a record's data, where an address is a common mistake.
    pub(super) fn read_pointed_to(self, word: &lex::Word, report: &mut Report<'_>) -> Option<ReadName> {
        let text = word.at.of(self.text);
        let bare = text.strip_suffix('.').unwrap_or(text);
        if bare.parse::<std::net::IpAddr>().is_ok() {
            report.push(
                report
                    .at(word.at, format!("`{bare}` is an address, but a name belongs here"))
                    .help("write the name of the host that has the address"),
            );
            return None;
        }
        self.read(word, report)
    }

    /// Reads the name in front of a record.
    pub(super) fn read_owner(self, word: &lex::Word, report: &mut Report<'_>) -> Option<ReadName> {
        let text = word.at.of(self.text);
        let name = self.read(word, report)?;
        let stars = text.contains('*') && !text.contains('\\');
        if self.dialect.pitfalls
            && stars
            && text != "*"
            && text.strip_prefix("*.").is_none_or(|t| t.contains('*'))
        {
            report.push(
                report
                    .at(word.at, format!("`*` in `{}` stands for itself, not for any name", shown(text)))
                    .help("a wildcard is a whole label and the first one (RFC 4592), such as `*.dev`"),
            );
            return None;
        }
        Some(name)
    }

    fn foreign_character(self, at: Extent, report: &Report<'_>) -> Option<crate::diag::Finding> {
        let text = at.of(self.text);
        let (offset, character) = text.char_indices().find(|(_, c)| !c.is_ascii())?;
        let from = at.from + offset;
        let here = Extent { from, to: from + character.len_utf8() };
        let message = format!("`{character}` cannot stand in a domain name as it is");
        Some(report.at(here, message).help("write the label in its ASCII form (`xn--…`, RFC 5890)"))
    }

    /// Whether a relative name spells out its origin, so that it would have it twice.
    fn forgot_the_dot(self, text: &str, origin: &Name) -> bool {
        if is_absolute(text) || text == "@" || origin.is_root() {
            return false;
        }
        let Ok(alone) = Name::parse(text, None) else {
            return false;
        };
        // In a zone of one label, a host may well have the zone's name.
        alone.is_within(origin) && (alone != *origin || origin.labels().count() > 1)
    }
}

/// Whether the name ends with a dot that is not escaped.
fn is_absolute(text: &str) -> bool {
    text.strip_suffix('.').is_some_and(|rest| rest.bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 0)
}
