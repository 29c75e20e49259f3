//! From a TOML value to an option's data: one arm for each kind of option.

use super::{
    DhcpOption, OPTION_OCTETS_MAX, OptionDef, OptionKind, addresses, domains, octets, scalars, suboptions,
};
use crate::diag::{Finding, Rule};
use crate::span::Span;
use crate::toml::{Kind, Value};

/// Encodes `value` as option `code`, which is `def` in the table; without one, it takes octets.
///
/// Returns nothing after reporting what is wrong with the value, several options where each value
/// takes one of its own (`ntp-server` and `vendor-opts` of DHCPv6), else one. Whether the option may
/// be written at all is for the caller to judge.
pub fn encode(
    code: u16,
    def: Option<&'static OptionDef>,
    value: Value<'_, '_>,
    findings: &mut Vec<Finding>,
) -> Vec<DhcpOption> {
    let known = findings.len();
    let kind = def.map_or(OptionKind::Octets, |def| def.kind);
    let name = def.map_or_else(|| code.to_string(), |def| def.name.to_owned());
    let mut encoder = Encoder { name, kind, findings };
    let data = encoder.value(value).unwrap_or_default();
    for data in &data {
        if data.len() > OPTION_OCTETS_MAX {
            let message = format!(
                "option `{}` has {} octets; a packet holds no more than {OPTION_OCTETS_MAX}",
                encoder.name,
                data.len()
            );
            encoder.findings.push(Finding::new(Rule::InvalidOption, value.span(), message));
        }
    }
    if findings.len() > known {
        return Vec::new();
    }
    data.into_iter().map(|data| DhcpOption { code, data: data.into() }).collect()
}

/// Encodes the value of one option.
pub(super) struct Encoder<'f> {
    name: String,
    kind: OptionKind,
    findings: &'f mut Vec<Finding>,
}

impl Encoder<'_> {
    /// The data of each option that `value` takes; `None` after reporting what is wrong.
    fn value(&mut self, value: Value<'_, '_>) -> Option<Vec<Vec<u8>>> {
        let takes_text = matches!(
            self.kind,
            OptionKind::Text
                | OptionKind::TextList
                | OptionKind::Words
                | OptionKind::DomainText
                | OptionKind::Octets
        );
        if let Kind::String(text) = value.kind()
            && text.starts_with("0x")
            && !takes_text
        {
            return octets::string(self, value, text).map(|data| vec![data]);
        }
        let one = match self.kind {
            OptionKind::Ip4 => addresses::ip4(self, value)?.octets().to_vec(),
            OptionKind::Ip6 => addresses::ip6(self, value)?.octets().to_vec(),
            OptionKind::Ip4List => {
                self.joined(value, |me, item| Some(addresses::ip4(me, item)?.octets().to_vec()))?
            }
            OptionKind::Ip6List => {
                self.joined(value, |me, item| Some(addresses::ip6(me, item)?.octets().to_vec()))?
            }
            OptionKind::PrefixList => self.joined(value, addresses::address_and_mask)?,
            OptionKind::StaticRoutes => self.joined(value, addresses::static_route)?,
            OptionKind::ClasslessRoutes => self.joined(value, addresses::classless_route)?,
            OptionKind::Integer(bounds) => scalars::integer(self, bounds, value)?,
            OptionKind::IntegerList(bounds) => {
                self.joined(value, |me, item| scalars::integer(me, bounds, item))?
            }
            OptionKind::Seconds { min, max } => scalars::seconds(self, min, max, value)?,
            OptionKind::Boolean => scalars::boolean(self, value)?,
            OptionKind::Text => scalars::text(self, value)?,
            OptionKind::Words => scalars::words(self, value)?,
            OptionKind::TextList => self.joined(value, scalars::counted_text)?,
            OptionKind::DomainText => domains::text(self, value)?,
            OptionKind::Domain => domains::name(self, value)?.as_wire().to_vec(),
            OptionKind::DomainList => {
                self.joined(value, |me, item| Some(domains::name(me, item)?.as_wire().to_vec()))?
            }
            OptionKind::CompressedDomains => domains::compress(&self.items(value, domains::name)?),
            OptionKind::SipServers => domains::sip_servers(self, value)?,
            OptionKind::NtpServers => return self.items(value, domains::ntp_server),
            OptionKind::SubOptions => suboptions::encapsulated(self, value)?,
            OptionKind::VendorOptions4 => suboptions::vendor4(self, value)?,
            OptionKind::VendorOptions6 => return suboptions::vendor6(self, value),
            OptionKind::Octets => octets::read(self, value)?,
        };
        Some(vec![one])
    }

    /// Reads a list, or a single item that is written alone. All items are looked at.
    pub(super) fn items<'a, 't, T>(
        &mut self,
        value: Value<'a, 't>,
        mut read: impl FnMut(&mut Self, Value<'a, 't>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Kind::Array(array) = value.kind() else {
            return Some(vec![read(self, value)?]);
        };
        if array.is_empty() {
            return self.refuse(value.span(), format!("option `{}` has an empty list", self.name));
        }
        let read: Vec<Option<T>> = array.items().map(|item| read(self, item)).collect();
        read.into_iter().collect()
    }

    /// Reads a list whose items follow each other on the wire.
    pub(super) fn joined<'a, 't>(
        &mut self,
        value: Value<'a, 't>,
        read: impl FnMut(&mut Self, Value<'a, 't>) -> Option<Vec<u8>>,
    ) -> Option<Vec<u8>> {
        Some(self.items(value, read)?.concat())
    }

    /// The string that `value` is.
    pub(super) fn string<'a>(&mut self, value: Value<'a, '_>) -> Option<&'a str> {
        match value.kind() {
            Kind::String(text) => Some(text),
            _ => self.wrong_type(value),
        }
    }

    /// Reports a value of a type that the option does not take.
    pub(super) fn wrong_type<T>(&mut self, value: Value<'_, '_>) -> Option<T> {
        let (takes, found) = (self.kind.describe(), value.kind().describe());
        self.refuse(value.span(), format!("option `{}` takes {takes}, and this is {found}", self.name))
    }

    /// Reports `text`, which is not what the option takes.
    pub(super) fn not_that<T>(&mut self, span: Span, text: &str, what: &str) -> Option<T> {
        let message = format!("`{}` is not {what}, which option `{}` takes", cut(text), self.name);
        self.refuse(span, message)
    }

    /// Reports what is wrong at `span`, and how the option is written.
    pub(super) fn refuse<T>(&mut self, span: Span, message: String) -> Option<T> {
        let written = if self.name.bytes().all(|b| b.is_ascii_digit()) { "224" } else { &self.name };
        let help = format!("it is written `{written} = {}`", self.kind.example());
        self.refuse_help(span, message, help)
    }

    /// Reports what is wrong at `span`, and what to do.
    pub(super) fn refuse_help<T>(
        &mut self,
        span: Span,
        message: String,
        help: impl Into<String>,
    ) -> Option<T> {
        self.findings.push(Finding::new(Rule::InvalidOption, span, message).help(help));
        None
    }

    /// The option as messages call it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

/// The front of a long text.
pub(super) fn cut(text: &str) -> String {
    let front: String = text.chars().take(60).collect();
    if front.len() < text.len() { front + "…" } else { front }
}
