//! Domain names.
//!
//! A *domain name* is a list of labels that ends at the root (RFC 1034, section 3.1). It is kept in
//! *wire form* (RFC 1035, section 3.1): each label with its length in front, the root's zero octet
//! last. Names compare without regard to case (RFC 4343), so the form kept here is lower case:
//! equal names are equal octets. *Presentation form* is the text with dots.

use std::fmt;
use std::net::IpAddr;

use crate::octets::Octets;

/// An absolute domain name: 1 to 255 octets of lower-case wire form, the root label included. In the order of that form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Octets);

/// Longest wire form of a name (RFC 1035, section 2.3.4).
pub const NAME_OCTETS_MAX: usize = 255;
/// Longest label (RFC 1035, section 2.3.4).
pub const LABEL_OCTETS_MAX: usize = 63;

/// Why a text is no domain name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// No text at all.
    Empty,
    /// Two dots in a row, or a dot in front.
    EmptyLabel,
    /// A label above 63 octets.
    LabelTooLong,
    /// More than 255 octets with length octets and root.
    NameTooLong,
    /// A backslash that starts no escape.
    BadEscape,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NameError::Empty => "is empty",
            NameError::EmptyLabel => "has an empty label (two dots in a row, or a dot in front)",
            NameError::LabelTooLong => "has a label longer than 63 octets",
            NameError::NameTooLong => "is longer than 255 octets",
            NameError::BadEscape => "has a backslash that starts no escape (`\\.` or `\\046`)",
        })
    }
}

impl Name {
    /// The root, `.`.
    pub fn root() -> Name {
        Name::of_lower_case(&[0])
    }

    /// Reads presentation form (RFC 1035, section 5.1, with its escapes).
    ///
    /// A trailing dot makes the name absolute; without it, the labels of `origin` follow (none: the
    /// root). `@` alone is `origin` itself.
    ///
    /// # Errors
    /// Says which rule the text breaks.
    pub fn parse(text: &str, origin: Option<&Name>) -> Result<Name, NameError> {
        let wire = wire_as_written(text, origin.map_or(&[0], Name::as_wire))?;
        Name::from_wire(&wire).ok_or(NameError::NameTooLong)
    }

    /// Takes uncompressed wire form, in any case; `None` unless it is exactly one whole name.
    pub fn from_wire(wire: &[u8]) -> Option<Name> {
        if wire.len() > NAME_OCTETS_MAX {
            return None;
        }
        let mut at = 0;
        loop {
            match usize::from(*wire.get(at)?) {
                0 => break,
                length if length <= LABEL_OCTETS_MAX => at += 1 + length,
                _ => return None,
            }
        }
        // Length octets are below `A`, so lower-casing everything changes labels only.
        if at + 1 != wire.len() {
            return None;
        }
        let mut name = Name::of_lower_case(wire);
        name.0.make_ascii_lowercase();
        Some(name)
    }

    /// A label with its length octet, or none, in front of whole wire form; both in lower case.
    pub(crate) fn joined(label: &[u8], rest: &[u8]) -> Name {
        Name(Octets::joined(label, rest))
    }

    /// Keeps whole wire form in lower case.
    fn of_lower_case(wire: &[u8]) -> Name {
        Name(wire.into())
    }

    /// Lower-case wire form, with the root's zero octet.
    #[inline]
    pub fn as_wire(&self) -> &[u8] {
        &self.0
    }

    /// The labels from left to right, without the root.
    pub fn labels(&self) -> impl Iterator<Item = &[u8]> {
        labels_of(self.as_wire())
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.as_wire().len() == 1
    }

    /// The name without its first label; `None` for the root.
    pub fn parent(&self) -> Option<Name> {
        let wire = self.as_wire();
        let first = usize::from(*wire.first()?);
        (first > 0).then(|| Name::of_lower_case(&wire[first + 1..]))
    }

    /// Whether the name is `ancestor` or lies below it.
    pub fn is_within(&self, ancestor: &Name) -> bool {
        let (mut rest, ancestor) = (self.as_wire(), ancestor.as_wire());
        loop {
            if rest.len() <= ancestor.len() {
                return rest == ancestor;
            }
            let first = usize::from(rest[0]);
            rest = &rest[first + 1..];
        }
    }

    /// `label` in front of this name.
    ///
    /// # Errors
    /// The label is empty or too long, or the whole name becomes too long.
    pub fn child(&self, label: &str) -> Result<Name, NameError> {
        if label.is_empty() {
            return Err(NameError::EmptyLabel);
        }
        let length = u8::try_from(label.len()).ok().filter(|n| usize::from(*n) <= LABEL_OCTETS_MAX);
        let mut wire = vec![length.ok_or(NameError::LabelTooLong)?];
        wire.extend_from_slice(label.to_ascii_lowercase().as_bytes());
        wire.extend_from_slice(self.as_wire());
        if wire.len() > NAME_OCTETS_MAX {
            Err(NameError::NameTooLong)
        } else {
            Ok(Name::of_lower_case(&wire))
        }
    }

    /// The name that maps `address` back: `4.3.2.1.in-addr.arpa` (RFC 1035, section 3.5) or 32
    /// nibbles below `ip6.arpa` (RFC 3596, section 2.5).
    pub fn reverse(address: IpAddr) -> Name {
        let mut wire = Vec::with_capacity(74);
        match address {
            IpAddr::V4(v4) => {
                for octet in v4.octets().iter().rev() {
                    push_label(&mut wire, octet.to_string().as_bytes());
                }
                push_label(&mut wire, b"in-addr");
            }
            IpAddr::V6(v6) => {
                for octet in v6.octets().iter().rev() {
                    for nibble in [octet & 15, octet >> 4] {
                        push_label(&mut wire, &[b"0123456789abcdef"[usize::from(nibble)]]);
                    }
                }
                push_label(&mut wire, b"ip6");
            }
        }
        push_label(&mut wire, b"arpa");
        wire.push(0);
        Name::of_lower_case(&wire)
    }
}

/// The wire form of what `text` says, as [`Name::parse`] reads it, in the case that it is written in.
/// `origin` is wire form as well.
///
/// # Errors
/// As [`Name::parse`].
pub(crate) fn wire_as_written(text: &str, origin: &[u8]) -> Result<Vec<u8>, NameError> {
    match text {
        "" => return Err(NameError::Empty),
        "@" => return Ok(origin.to_vec()),
        "." => return Ok(vec![0]),
        _ => {}
    }
    let mut wire = Vec::with_capacity(text.len() + 1 + origin.len());
    let mut start = 0;
    wire.push(0);
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'.' => start = close_label(&mut wire, start)?,
            b'\\' => wire.push(escaped(&mut bytes)?),
            other => wire.push(other),
        }
    }
    if wire.len() == start + 1 {
        wire.truncate(start);
        wire.push(0);
    } else {
        close_label(&mut wire, start)?;
        wire.pop();
        wire.extend_from_slice(origin);
    }
    if wire.len() > NAME_OCTETS_MAX { Err(NameError::NameTooLong) } else { Ok(wire) }
}

/// Appends `label`, which is one of this module's own and short.
fn push_label(wire: &mut Vec<u8>, label: &[u8]) {
    wire.push(u8::try_from(label.len()).expect("labels made here are short"));
    wire.extend_from_slice(label);
}

/// Ends the label whose length octet is at `start`; returns where the next one's length octet is.
fn close_label(wire: &mut Vec<u8>, start: usize) -> Result<usize, NameError> {
    let length = wire.len() - start - 1;
    if length == 0 {
        return Err(NameError::EmptyLabel);
    }
    if length > LABEL_OCTETS_MAX {
        return Err(NameError::LabelTooLong);
    }
    wire[start] = u8::try_from(length).map_err(|_| NameError::LabelTooLong)?;
    wire.push(0);
    Ok(wire.len() - 1)
}

/// The octet that an escape stands for: `\DDD` (decimal) or `\X` (X itself).
fn escaped(bytes: &mut std::str::Bytes<'_>) -> Result<u8, NameError> {
    let first = bytes.next().ok_or(NameError::BadEscape)?;
    if !first.is_ascii_digit() {
        return Ok(first);
    }
    let mut value = u16::from(first - b'0');
    for _ in 0..2 {
        let digit = bytes.next().filter(u8::is_ascii_digit).ok_or(NameError::BadEscape)?;
        value = value * 10 + u16::from(digit - b'0');
    }
    u8::try_from(value).map_err(|_| NameError::BadEscape)
}

impl fmt::Display for Name {
    /// Presentation form without the trailing dot (the root is `.`), octets outside printable ASCII
    /// and the special ones escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show_labels(self.as_wire(), f)
    }
}

/// Writes presentation form of `wire` without the trailing dot, its case kept.
pub(crate) fn show_labels(wire: &[u8], out: &mut impl fmt::Write) -> fmt::Result {
    if wire == [0] {
        return out.write_char('.');
    }
    for (index, label) in labels_of(wire).enumerate() {
        if index > 0 {
            out.write_char('.')?;
        }
        for &byte in label {
            match byte {
                b'.' | b'\\' | b'"' | b'(' | b')' | b';' | b'@' | b'$' => {
                    write!(out, "\\{}", char::from(byte))?;
                }
                0x21..=0x7e => out.write_char(char::from(byte))?,
                other => write!(out, "\\{other:03}")?,
            }
        }
    }
    Ok(())
}

/// The labels of wire form from left to right, without the root.
fn labels_of(mut wire: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (&length, tail) = wire.split_first().filter(|(length, _)| **length > 0)?;
        let (label, tail) = tail.split_at_checked(usize::from(length))?;
        wire = tail;
        Some(label)
    })
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why `label` cannot be part of a host's name (RFC 952 and RFC 1123, section 2.1); `None` if it can.
pub fn reject_host_label(label: &str) -> Option<&'static str> {
    let bytes = label.as_bytes();
    match (bytes.first(), bytes.last()) {
        (None, _) | (_, None) => Some("is empty"),
        _ if bytes.len() > LABEL_OCTETS_MAX => Some("is longer than 63 octets"),
        (Some(b'-'), _) | (_, Some(b'-')) => Some("starts or ends with a hyphen"),
        _ if bytes.iter().any(|b| !b.is_ascii_alphanumeric() && *b != b'-') => {
            Some("has a character other than letters, digits and hyphens")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text, None).unwrap_or_else(|error| unreachable!("{text} {error}"))
    }

    #[test]
    fn names_are_lower_case_wire_form_and_print_without_the_dot() {
        assert_eq!(name("Web1.Lab.example").as_wire(), b"\x04web1\x03lab\x07example\0");
        assert_eq!(name("web1.lab.example.").to_string(), "web1.lab.example");
        assert_eq!(name(".").to_string(), ".");
        assert_eq!(name(r"a\.b.c").to_string(), r"a\.b.c");
        assert_eq!(name(r"a\046b.c"), name(r"a\.b.c"));
    }

    #[test]
    fn relative_names_take_the_origin_and_at_is_the_origin() {
        let origin = name("lab.example");
        assert_eq!(Name::parse("www", Some(&origin)), Ok(name("www.lab.example")));
        assert_eq!(Name::parse("www.", Some(&origin)), Ok(name("www")));
        assert_eq!(Name::parse("@", Some(&origin)), Ok(origin));
    }

    #[test]
    fn every_broken_name_says_what_is_wrong() {
        let long = "a".repeat(64);
        let deep = "a.".repeat(128);
        for (text, error) in [
            ("", NameError::Empty),
            ("a..b", NameError::EmptyLabel),
            (".a", NameError::EmptyLabel),
            (long.as_str(), NameError::LabelTooLong),
            (deep.as_str(), NameError::NameTooLong),
            (r"a\", NameError::BadEscape),
            (r"a\2", NameError::BadEscape),
            (r"a\256", NameError::BadEscape),
        ] {
            assert_eq!(Name::parse(text, None), Err(error), "{text}");
        }
        assert_eq!(name(&"a.".repeat(127)).as_wire().len(), NAME_OCTETS_MAX);
    }

    #[test]
    fn within_looks_at_whole_labels() {
        assert!(name("a.lab.example").is_within(&name("lab.example")));
        assert!(name("lab.example").is_within(&name("lab.example")));
        assert!(!name("alab.example").is_within(&name("lab.example")));
        assert!(name("x").is_within(&Name::root()));
    }

    #[test]
    fn reverse_names_of_both_families() {
        let v4 = Name::reverse(IpAddr::from([10, 20, 0, 11]));
        assert_eq!(v4.to_string(), "11.0.20.10.in-addr.arpa");
        let v6 = Name::reverse(IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x1f]));
        assert_eq!(v6.labels().count(), 34);
        assert!(v6.to_string().starts_with("f.1.0.0."));
        assert!(v6.to_string().ends_with(".8.b.d.0.1.0.0.2.ip6.arpa"));
    }
}
