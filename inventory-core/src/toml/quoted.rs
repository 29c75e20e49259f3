//! Reading strings in quotes: four kinds, mostly without escapes and then borrowed from the text.

use std::borrow::Cow;

use toml_parser::decoder::Encoding;
use toml_parser::{ParseError, Raw};

use super::grow::Key;
use super::index;
use super::look::{self, BASIC_STOP, LITERAL_STOP};
use super::node::{DECODED, Node, Range, Shape, pack};
use super::read::{Lost, Reader, Within};
use super::tree::unquoted;

impl Reader<'_, '_> {
    /// A string value, from its quote.
    pub(super) fn string(&mut self, within: Within) -> Result<u32, Lost> {
        let start = self.at;
        let triple: &[u8] = if self.peek() == b'"' { b"\"\"\"" } else { b"'''" };
        if self.bytes.get(start..).is_some_and(|rest| rest.starts_with(triple)) {
            return self.multi_line(triple);
        }
        let decoded = self.quoted(within)?;
        let span = Range::new(start, self.at);
        Ok(self.push_string(span, Range::new(start + 1, (self.at - 1).max(start + 1)), decoded))
    }

    pub(super) fn push_string(&mut self, span: Range, content: Range, decoded: Option<u32>) -> u32 {
        let payload = decoded.map_or_else(|| pack(content.start, content.end), |at| pack(at, 0));
        let mut node = Node::new(Shape::String, span, payload);
        node.flags = if decoded.is_some() { DECODED } else { 0 };
        self.tree.push(node)
    }

    /// Passes over a string in single quotes of either kind, as a value or key. Its place among the
    /// decoded strings, if it had escapes.
    pub(super) fn quoted(&mut self, within: Within) -> Result<Option<u32>, Lost> {
        let start = self.at;
        if self.peek() == b'\'' {
            let end = look::find(self.bytes, start + 1, LITERAL_STOP);
            if self.bytes.get(end) == Some(&b'\'') {
                self.at = end + 1;
                return Ok(None);
            }
            return self.no_quote(start, end, within);
        }
        let mut end = look::find(self.bytes, start + 1, BASIC_STOP);
        let mut escapes = false;
        while self.bytes.get(end) == Some(&b'\\') {
            escapes = true;
            let escaped = matches!(self.bytes.get(end + 1), Some(b'\\' | b'"'));
            end = look::find(self.bytes, end + 1 + usize::from(escaped), BASIC_STOP);
        }
        if self.bytes.get(end) != Some(&b'"') {
            return self.no_quote(start, end, within);
        }
        self.at = end + 1;
        if !escapes {
            return Ok(None);
        }
        let (decoded, mistake) = self.decode(start, self.at, Encoding::BasicString);
        if let Some(mistake) = mistake {
            self.bad_escape(start, self.at, &mistake);
        }
        Ok(Some(decoded))
    }

    /// A key whose text is as written, but for quotes.
    pub(super) fn plain_key(&self, range: Range) -> Key {
        Key { range, hash: index::hash(unquoted(self.tree.slice(range)).as_bytes()), decoded: 0 }
    }

    /// Decodes the string at `start..end` into the tree's decoded strings.
    fn decode(&mut self, start: usize, end: usize, encoding: Encoding) -> (u32, Option<ParseError>) {
        let raw = self.text.get(start..end).unwrap_or_default();
        let span = toml_parser::Span::new_unchecked(0, raw.len());
        let mut decoded = Cow::Borrowed("");
        let mut mistake: Option<ParseError> = None;
        let _ = Raw::new_unchecked(raw, Some(encoding), span).decode_scalar(&mut decoded, &mut mistake);
        self.tree.decoded.push(decoded.into_owned());
        (u32::try_from(self.tree.decoded.len() - 1).unwrap_or(u32::MAX), mistake)
    }

    /// A string in triple quotes.
    fn multi_line(&mut self, triple: &'static [u8]) -> Result<u32, Lost> {
        let start = self.at;
        let Some((close, escapes)) = self.find_triple(start + 3, triple) else {
            return Err(self.no_triple(start));
        };
        // Up to two quotes before the closing three belong to the string.
        let quotes = self.bytes[close..].iter().take(5).take_while(|byte| **byte == triple[0]).count();
        let content_end = close + quotes - 3;
        let mut content_start = start + 3;
        match self.bytes.get(content_start..content_end) {
            Some([b'\n', ..]) => content_start += 1,
            Some([b'\r', b'\n', ..]) => content_start += 2,
            _ => {}
        }
        self.swallowed(start, close)?;
        self.at = close + quotes;
        let clean = self.check_controls(content_start, content_end);
        let mut decoded = None;
        if escapes {
            let (at, mistake) = self.decode(start, self.at, Encoding::MlBasicString);
            decoded = Some(at);
            if let Some(mistake) = mistake.filter(|_| clean) {
                self.bad_escape(start, self.at, &mistake);
            }
        }
        let content = Range::new(content_start, content_end);
        Ok(self.push_string(Range::new(start, self.at), content, decoded))
    }

    /// The closing triple quotes from `at`, and whether there are escapes before them.
    fn find_triple(&self, mut at: usize, triple: &[u8]) -> Option<(usize, bool)> {
        let quote = triple[0];
        let mut escapes = false;
        loop {
            let rest = self.bytes.get(at..)?;
            at += rest.iter().position(|byte| *byte == quote || *byte == b'\\' && quote == b'"')?;
            if self.bytes[at] == b'\\' {
                escapes = true;
                at += 1 + usize::from(matches!(self.bytes.get(at + 1), Some(b'\\' | b'"')));
            } else if self.bytes[at..].starts_with(triple) {
                return Some((at, escapes));
            } else {
                at += 1;
            }
        }
    }

    /// Reports the first control character of a multi-line string. Whether there was none.
    fn check_controls(&mut self, start: usize, end: usize) -> bool {
        let mut at = start;
        loop {
            at = look::find(self.bytes, at, look::CONTROL);
            if at >= end {
                return true;
            }
            match self.bytes[at..] {
                [b'\n', ..] => at += 1,
                [b'\r', b'\n', ..] => at += 2,
                _ => {
                    let back = std::mem::replace(&mut self.at, at);
                    self.control_character("a string");
                    self.at = back;
                    return false;
                }
            }
        }
    }
}
