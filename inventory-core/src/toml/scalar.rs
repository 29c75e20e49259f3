//! Reading values without quotes: numbers, `true` and `false`, dates and times.

use std::borrow::Cow;

use toml_parser::decoder::ScalarKind;
use toml_parser::{ParseError, Raw};

use super::datetime;
use super::look::{self, VALUE_END};
use super::node::{Node, Range, Shape};
use super::read::{Lost, Reader, Within};

/// What a word turned out to be.
enum Word {
    Is(Shape, u64),
    /// A whole number beyond 64 bits.
    TooLarge,
    Invalid,
}

impl Reader<'_, '_> {
    /// A value without quotes. Nothing comes back if it was reported and means nothing.
    pub(super) fn scalar(&mut self, within: Within) -> Result<Option<u32>, Lost> {
        let start = self.at;
        let mut end = look::find(self.bytes, start, VALUE_END);
        let word = self.text.get(start..end).unwrap_or_default();
        if datetime::is_date(word) && self.time_follows(end) {
            end = look::find(self.bytes, end + 1, VALUE_END);
        }
        let word = self.text.get(start..end).unwrap_or_default();
        match classify(word) {
            Word::Is(shape, payload) if !self.word_follows(end) => {
                self.at = end;
                Ok(Some(self.tree.push(Node::new(shape, Range::new(start, end), payload))))
            }
            Word::TooLarge => {
                self.at = end;
                self.too_large(start, end);
                Ok(None)
            }
            Word::Is(..) | Word::Invalid => self.bad_value(start, end, within),
        }
    }

    fn time_follows(&self, end: usize) -> bool {
        matches!(self.bytes.get(end..end + 2), Some([b' ', b'0'..=b'9']))
    }

    /// Whether more text follows after blanks, as in `8 GiB`: then all of it lacks its quotes.
    fn word_follows(&self, end: usize) -> bool {
        if !matches!(self.bytes.get(end), Some(b' ' | b'\t')) {
            return false;
        }
        let next = look::skip_blanks(self.bytes, end);
        let word = self.bytes.get(next).is_some_and(u8::is_ascii_alphabetic);
        word && !look::is_entry(self.bytes, next)
    }
}

fn classify(word: &str) -> Word {
    let bytes = word.as_bytes();
    if matches!(bytes, [b'1'..=b'9', ..] | b"0") && bytes.len() <= 18 && bytes.iter().all(u8::is_ascii_digit)
    {
        let number = bytes.iter().fold(0, |number: u64, digit| number * 10 + u64::from(digit - b'0'));
        return Word::Is(Shape::Integer, number);
    }
    match bytes {
        b"true" => return Word::Is(Shape::Boolean, 1),
        b"false" => return Word::Is(Shape::Boolean, 0),
        [] => return Word::Invalid,
        _ => {}
    }
    number(word).unwrap_or_else(|| {
        if datetime::is_datetime(word) { Word::Is(Shape::Datetime, 0) } else { Word::Invalid }
    })
}

/// The number that `word` is, if it is one.
fn number(word: &str) -> Option<Word> {
    let span = toml_parser::Span::new_unchecked(0, word.len());
    let mut digits = Cow::Borrowed("");
    let mut mistake: Option<ParseError> = None;
    let kind = Raw::new_unchecked(word, None, span).decode_scalar(&mut digits, &mut mistake);
    if mistake.is_some() {
        return None;
    }
    match kind {
        ScalarKind::Integer(radix) => Some(match i64::from_str_radix(&digits, radix.value()) {
            Ok(number) => Word::Is(Shape::Integer, number.cast_unsigned()),
            Err(_) if digits.is_empty() => Word::Invalid,
            Err(_) => Word::TooLarge,
        }),
        ScalarKind::Float => digits.parse().ok().map(|number: f64| Word::Is(Shape::Float, number.to_bits())),
        ScalarKind::String | ScalarKind::Boolean(_) | ScalarKind::DateTime => None,
    }
}
