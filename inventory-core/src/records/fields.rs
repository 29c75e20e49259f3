//! Reading RDATA from the words of a record.
//!
//! Independent fields are all looked at, so that two wrong numbers give two findings. A field that
//! is not there ends the record.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::lex::Word;
use super::names::NameReader;
use super::report::{Extent, Report, shown};
use super::shape::{self, Field};
use super::{RecordType, codec, gateway, lists, loc, svcb};
use crate::name::Name;

/// RDATA that was read.
pub(super) struct Rdata {
    pub(super) wire: Vec<u8>,
    pub(super) target: Option<(Name, Extent)>,
    /// A name in it is relative to an origin that is not known.
    pub(super) adrift: bool,
}

/// Reads the words of one record's data.
pub(super) struct Fields<'r, 'a> {
    pub(super) rtype: RecordType,
    pub(super) names: NameReader<'r>,
    pub(super) words: &'r [Word],
    /// What stands in front of the data: the type.
    pub(super) before: Extent,
    pub(super) report: &'r mut Report<'a>,
}

/// The record is wrong, and that is reported.
pub(super) struct Wrong;

impl<'r> Fields<'r, '_> {
    /// Reads all fields of `shape`; `None` when one is wrong or missing, or words are left over.
    pub(super) fn read(mut self, shape: &'static shape::Shape) -> Option<Rdata> {
        let all = self.words;
        let known = self.report.count();
        let mut out = Rdata { wire: Vec::new(), target: None, adrift: false };
        let mut last = self.before;
        for field in shape.fields {
            if self.words.is_empty() && !field.may_be_absent() {
                // When a field was wrong, it is most likely the one in front of it that is missing.
                if self.report.count() == known {
                    self.missing(last, *field);
                }
                break;
            }
            let rest = self.words;
            if self.field(*field, &mut out).is_err() && *field == Field::Location {
                self.words = &[];
            }
            last =
                rest.len().checked_sub(self.words.len() + 1).and_then(|i| rest.get(i)).map_or(last, |w| w.at);
        }
        if let Some(extra) = self.words.first() {
            let end = self.words.last().unwrap_or(extra).at;
            let message = format!("`{}` is more than one {} record holds", self.shown(extra.at), self.rtype);
            self.report.push(self.report.at(extra.at.through(end), message));
        }
        if out.wire.len() > usize::from(u16::MAX) {
            let message = format!("the data of this record has {} octets; 65535 is the most", out.wire.len());
            self.report.push(self.report.at(all.first().map_or(last, |word| word.at.through(last)), message));
        }
        if self.report.count() > known {
            self.report.help_after(known, &format!("such a record is written `{}`", shape.example));
            return None;
        }
        if let Some((want, have)) =
            shape::digest_octets(self.rtype, &out.wire).filter(|(want, have)| want != have)
        {
            let digest = all.get(shape.fields.len() - 1).map_or(last, |word| word.at.through(last));
            let message = format!("a digest of this kind has {want} octets, this one {have}");
            self.report.push(self.report.at(digest, message));
            return None;
        }
        Some(out)
    }

    fn field(&mut self, field: Field, out: &mut Rdata) -> Result<(), Wrong> {
        match field {
            Field::Ip4 => {
                let octets = self.address::<Ipv4Addr>("an IPv4 address")?.octets();
                out.wire.extend_from_slice(&octets);
            }
            Field::Ip6 => {
                let octets = self.address::<Ipv6Addr>("an IPv6 address")?.octets();
                out.wire.extend_from_slice(&octets);
            }
            Field::U8(what) => out.wire.push(self.integer(what, u8::MAX)?),
            Field::U16(what) => out.wire.extend_from_slice(&self.integer(what, u16::MAX)?.to_be_bytes()),
            Field::U32(what) => out.wire.extend_from_slice(&self.integer(what, u32::MAX)?.to_be_bytes()),
            Field::Seconds(what) => out.wire.extend_from_slice(&self.seconds(what)?.to_be_bytes()),
            Field::Algorithm => out.wire.push(self.algorithm()?),
            Field::Name(_) => {
                self.name(out)?;
            }
            Field::Mailbox(_) => self.mailbox(out)?,
            Field::Target(_) => {
                let at = self.words.first().map_or(self.before, |word| word.at);
                out.target = self.name(out)?.map(|name| (name, at));
            }
            Field::Text(_) => self.text(out)?,
            Field::Texts => self.texts(out)?,
            Field::Tag => self.tag(out)?,
            Field::Rest(what) => self.rest(what, out)?,
            Field::Hex(what) => self.coded(what, codec::from_hex, "hexadecimal", out)?,
            Field::Base64(what) => self.coded(what, codec::from_base64, "base 64", out)?,
            Field::ServiceParameters => svcb::read(self, &mut out.wire)?,
            Field::Location => loc::read(self, &mut out.wire)?,
            Field::Type => out.wire.extend_from_slice(&self.record_type()?.0.to_be_bytes()),
            Field::Types => self.types(out)?,
            Field::Moment(what) => out.wire.extend_from_slice(&self.moment(what)?.to_be_bytes()),
            Field::Salt => self.salt(out)?,
            Field::Base32(what) => self.base32(what, out)?,
            Field::Pairs(count, what) => self.pairs(count, what, out)?,
            Field::Groups(what) => self.groups(what, out)?,
            Field::CertificateType => out.wire.extend_from_slice(&self.certificate_type()?.to_be_bytes()),
            Field::MoreTexts => self.texts(out)?,
            Field::MaybeBase64(what) => {
                if !self.words.is_empty() {
                    self.coded(what, codec::from_base64, "base 64", out)?;
                }
            }
            Field::DashBase64(what) => match self.words {
                [word] if self.text_of(word) == "-" => self.words = &[],
                _ => self.coded(what, codec::from_base64, "base 64", out)?,
            },
            Field::Gateway(mask) => gateway::read(self, mask, out)?,
            Field::Relay => out.wire.push(self.relay()?),
            Field::Prefixes => lists::prefixes(self, &mut out.wire)?,
            Field::Services => lists::services(self, &mut out.wire)?,
            Field::OldTypes => lists::old_types(self, &mut out.wire)?,
            Field::HostIdentity => lists::identity(self, out)?,
            Field::MoreNames => {
                while !self.words.is_empty() {
                    self.name(out)?;
                }
            }
            Field::Nsap => self.nsap(out)?,
            Field::Scheme => out.wire.push(self.scheme()?),
        }
        Ok(())
    }

    /// The text at `at`, as messages show it.
    pub(super) fn shown(&self, at: Extent) -> String {
        shown(at.of(self.names.text))
    }

    /// The text of `word` as it stands.
    pub(super) fn text_of(&self, word: &Word) -> &'r str {
        word.at.of(self.names.text)
    }

    /// Takes the next word.
    pub(super) fn next(&mut self) -> Result<Word, Wrong> {
        let (word, rest) = self.words.split_first().ok_or(Wrong)?;
        self.words = rest;
        Ok(*word)
    }

    /// Takes all words that are left; `None` if there are none.
    pub(super) fn take_all(&mut self) -> Option<(&'r [Word], Extent)> {
        let words = std::mem::take(&mut self.words);
        let (first, last) = (words.first()?, words.last()?);
        Some((words, first.at.through(last.at)))
    }

    /// Reports `message` at `at`.
    pub(super) fn wrong<T>(&mut self, at: Extent, message: impl Into<String>) -> Result<T, Wrong> {
        self.report.push(self.report.at(at, message));
        Err(Wrong)
    }

    /// Like [`Fields::wrong`], and says what to do.
    pub(super) fn wrong_help<T>(
        &mut self,
        at: Extent,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Result<T, Wrong> {
        self.report.push(self.report.at(at, message).help(help));
        Err(Wrong)
    }

    fn missing(&mut self, last: Extent, field: Field) {
        let what = match field {
            Field::Ip4 => "IPv4 address",
            Field::Ip6 => "IPv6 address",
            Field::U8(what) | Field::U16(what) | Field::U32(what) | Field::Seconds(what) => what,
            Field::Name(what) | Field::Target(what) | Field::Mailbox(what) | Field::Text(what) => what,
            Field::Rest(what) | Field::Hex(what) | Field::Base64(what) => what,
            Field::Algorithm => "algorithm",
            Field::Texts => "text",
            Field::Tag => "property tag",
            Field::ServiceParameters => "parameters",
            Field::Location => "latitude",
            Field::Type | Field::Types => "record type",
            Field::Moment(what) | Field::Base32(what) | Field::Pairs(_, what) | Field::Groups(what) => what,
            Field::Salt => "salt",
            Field::CertificateType => "certificate type",
            Field::MoreTexts => "text",
            Field::MaybeBase64(what) | Field::DashBase64(what) => what,
            Field::Gateway(_) => "gateway",
            Field::Relay => "discovery flag",
            Field::Prefixes => "address prefix",
            Field::Services => "protocol",
            Field::OldTypes => "record type",
            Field::HostIdentity => "algorithm",
            Field::MoreNames => "name",
            Field::Nsap => "address",
            Field::Scheme => "scheme",
        };
        let finding = self
            .report
            .at(last, format!("this {} record ends before its {what}", self.rtype))
            .label(format!("the {what} is missing behind this"));
        self.report.push(finding);
    }
}
