//! The values that RDATA is made of, each read from the next words of a record.

use std::net::IpAddr;

use super::RecordType;
use super::codec::{self, CodecError};
use super::fields::{Fields, Rdata, Wrong};
use super::lex::{self, Word};
use super::names::ReadName;
use super::report::{Extent, shown};
use super::shape;
use super::ttl::{self, TtlError};
use crate::name::Name;

impl Fields<'_, '_> {
    pub(super) fn address<T: std::str::FromStr>(&mut self, what: &str) -> Result<T, Wrong> {
        let word = self.next()?;
        let text = self.text_of(&word);
        if let Ok(address) = text.parse() {
            return Ok(address);
        }
        let help = match text.parse::<IpAddr>() {
            Ok(IpAddr::V4(_)) => "a record for IPv4 addresses is of type `A`",
            Ok(IpAddr::V6(_)) => "a record for IPv6 addresses is of type `AAAA`",
            Err(_) if text.contains('/') => "leave out the `/` and what follows",
            Err(_) if text.starts_with(|first: char| first.is_ascii_digit()) => {
                "write an address as in `10.20.0.11` or `2001:db8:20::11`"
            }
            Err(_) => "a record that points to a name is of type `CNAME`",
        };
        let message = format!("`{}` is not {what}", self.shown(word.at));
        self.wrong_help(word.at, message, help)
    }

    /// Reads a whole number that is not above `max`.
    pub(super) fn integer<T: std::str::FromStr + std::fmt::Display>(
        &mut self,
        what: &str,
        max: T,
    ) -> Result<T, Wrong> {
        let word = self.next()?;
        let text = self.text_of(&word);
        if let Some(number) = text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten() {
            return Ok(number);
        }
        let message = format!("`{}` is no {what}: a whole number from 0 to {max}", self.shown(word.at));
        self.wrong(word.at, message)
    }

    pub(super) fn seconds(&mut self, what: &str) -> Result<u32, Wrong> {
        let word = self.next()?;
        let message = match ttl::parse(self.text_of(&word)) {
            Ok(seconds) => return Ok(seconds),
            Err(TtlError::Malformed) => {
                format!("`{}` is no {what}: seconds, or a time such as `1h30m`", self.shown(word.at))
            }
            Err(TtlError::TooLong) => {
                format!("the {what} `{}` is above {} seconds", self.shown(word.at), ttl::TTL_MAX)
            }
        };
        self.wrong(word.at, message)
    }

    pub(super) fn algorithm(&mut self) -> Result<u8, Wrong> {
        let known = self.words.first().and_then(|word| shape::algorithm(self.text_of(word)));
        match known {
            Some(number) => self.next().map(|_| number),
            None => self.integer("algorithm", u8::MAX),
        }
    }

    /// Reads a name into the wire form; `None` if it is adrift.
    pub(super) fn name(&mut self, out: &mut Rdata) -> Result<Option<Name>, Wrong> {
        let word = self.next()?;
        match self.names.read_pointed_to(&word, self.report).ok_or(Wrong)? {
            ReadName::Name(name) => {
                out.wire.extend_from_slice(&name.wire);
                Ok(Some(name.name))
            }
            ReadName::Adrift => {
                out.adrift = true;
                Ok(None)
            }
        }
    }

    pub(super) fn mailbox(&mut self, out: &mut Rdata) -> Result<(), Wrong> {
        if let Some(word) = self.words.first().copied() {
            let text = self.text_of(&word);
            if text != "@" && text.contains('@') && !text.contains('\\') {
                let (user, domain) = text.split_once('@').unwrap_or((text, ""));
                let help =
                    format!("write it as a name: `{}.{}.`", shown(&user.replace('.', "\\.")), shown(domain));
                self.next()?;
                return self.wrong_help(
                    word.at,
                    "a mail address in a record has a dot instead of the `@`",
                    help,
                );
            }
        }
        self.name(out).map(|_| ())
    }

    /// The octets that a word stands for.
    pub(super) fn octets(&mut self, word: &Word) -> Result<Vec<u8>, Wrong> {
        if let lex::Shape::Assignment { quote } = word.shape {
            return self.wrong_help(
                Extent { from: quote, to: quote + 1 },
                "a quotation mark in the middle of a word",
                "put the whole text into quotation marks; one inside the text is written `\\\"`",
            );
        }
        match codec::unescape(word.inner().of(self.names.text), word.inner().from) {
            Ok(octets) => Ok(octets),
            Err(at) => self.wrong_help(
                at,
                format!("`{}` starts no escape", self.shown(at)),
                "a backslash in the text is written `\\\\`; an octet is written `\\` and three digits up to 255",
            ),
        }
    }

    pub(super) fn text(&mut self, out: &mut Rdata) -> Result<(), Wrong> {
        let word = self.next()?;
        let octets = self.octets(&word)?;
        let Ok(length) = u8::try_from(octets.len()) else {
            let message = format!("a text of {} octets; one string holds up to 255", octets.len());
            let help =
                "cut it into several strings, each in quotation marks: `\"first part\" \"second part\"`";
            return self.wrong_help(word.at, message, help);
        };
        out.wire.push(length);
        out.wire.extend_from_slice(&octets);
        Ok(())
    }

    pub(super) fn texts(&mut self, out: &mut Rdata) -> Result<(), Wrong> {
        let words = self.words;
        if self.names.dialect.pitfalls {
            self.unquoted_text(words)?;
        }
        let mut result = Ok(());
        while !self.words.is_empty() {
            result = self.text(out).and(result);
        }
        result
    }

    /// Refuses text without quotation marks that would be read otherwise than it looks.
    fn unquoted_text(&mut self, words: &[Word]) -> Result<(), Wrong> {
        let plain = |word: &&Word| word.shape == lex::Shape::Plain;
        let (Some(first), Some(last)) = (words.first(), words.last()) else {
            return Ok(());
        };
        if let Some(cut) = words.iter().filter(plain).find(|word| word.touches_comment) {
            self.words = &[];
            let here = Extent { from: cut.at.to, to: cut.at.to + 1 };
            return self.wrong_help(
                here,
                "outside quotation marks, `;` starts a comment and the text ends in front of it",
                "put the whole text into quotation marks, or white space in front of the comment",
            );
        }
        let policy = plain(&first) && self.text_of(first).starts_with("v=");
        if policy && words.len() > 1 {
            self.words = &[];
            let message = format!(
                "without quotation marks this is {} strings, which readers join without spaces",
                words.len()
            );
            return self.wrong_help(
                first.at.through(last.at),
                message,
                "put the whole text into quotation marks",
            );
        }
        Ok(())
    }

    pub(super) fn tag(&mut self, out: &mut Rdata) -> Result<(), Wrong> {
        let word = self.next()?;
        let tag = self.octets(&word)?;
        match u8::try_from(tag.len()) {
            Ok(length) if length > 0 && tag.iter().all(u8::is_ascii_alphanumeric) => {
                out.wire.push(length);
                out.wire.extend_from_slice(&tag);
                Ok(())
            }
            _ => {
                let message =
                    format!("`{}` is no property tag: letters and digits only", self.shown(word.at));
                self.wrong_help(
                    word.at,
                    message,
                    "tags are `issue`, `issuewild`, `issuemail`, `iodef` and others",
                )
            }
        }
    }

    pub(super) fn rest(&mut self, what: &str, out: &mut Rdata) -> Result<(), Wrong> {
        let word = self.next()?;
        let octets = self.octets(&word)?;
        if octets.is_empty() && self.rtype == RecordType::URI {
            return self.wrong(word.at, format!("the {what} is empty"));
        }
        out.wire.extend_from_slice(&octets);
        Ok(())
    }

    pub(super) fn coded(
        &mut self,
        what: &str,
        decode: fn(&str) -> Result<Vec<u8>, CodecError>,
        code: &str,
        out: &mut Rdata,
    ) -> Result<(), Wrong> {
        let text = self.names.text;
        let (words, all) = self.take_all().ok_or(Wrong)?;
        let joined: String = words.iter().map(|word| word.at.of(text)).collect();
        let culprit =
            |character| words.iter().find(|word| word.at.of(text).contains(character)).map(|word| word.at);
        let (at, message) = match decode(&joined) {
            Ok(octets) => {
                out.wire.extend_from_slice(&octets);
                return Ok(());
            }
            Err(CodecError::Character(c)) => {
                (culprit(c), format!("`{}` in the {what} is no {code} digit", c.escape_debug()))
            }
            Err(CodecError::OddDigits) => (None, format!("the {what} has an odd number of digits")),
            Err(CodecError::Padding) => {
                (None, format!("the {what} is not whole {code}: part of it is missing"))
            }
        };
        self.wrong(at.unwrap_or(all), message)
    }
}
