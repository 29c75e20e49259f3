//! Options of numbers, times, truth values and text.

use super::Integer;
use super::encode::{Encoder, cut};
use crate::toml::{Kind, Value};
use crate::units;

/// A whole number within `bounds`.
pub(super) fn integer(encoder: &mut Encoder<'_>, bounds: Integer, value: Value<'_, '_>) -> Option<Vec<u8>> {
    let Kind::Integer(number) = value.kind() else {
        return encoder.wrong_type(value);
    };
    if number < bounds.min || number > bounds.max {
        let message = format!(
            "{number} is out of bounds: option `{}` takes {} to {}",
            encoder.name(),
            bounds.min,
            bounds.max
        );
        return encoder.refuse(value.span(), message);
    }
    let octets = number.to_be_bytes();
    octets.get(octets.len() - usize::from(bounds.octets)..).map(<[u8]>::to_vec)
}

/// Seconds as a number, or as a duration with units.
pub(super) fn seconds(
    encoder: &mut Encoder<'_>,
    min: u32,
    max: u32,
    value: Value<'_, '_>,
) -> Option<Vec<u8>> {
    let bounds = Integer { octets: 4, min: i64::from(min), max: i64::from(max) };
    let Kind::String(text) = value.kind() else {
        return integer(encoder, bounds, value);
    };
    let seconds = match units::parse_duration(text) {
        Ok(seconds) => u32::try_from(seconds).ok().filter(|seconds| (min..=max).contains(seconds)),
        Err(error) => {
            let message = format!("the duration `{}` {error}", cut(text));
            return encoder.refuse(value.span(), message);
        }
    };
    let Some(seconds) = seconds else {
        let message = format!(
            "`{}` is out of bounds: option `{}` takes {min} to {max} seconds",
            cut(text),
            encoder.name()
        );
        return encoder.refuse(value.span(), message);
    };
    Some(seconds.to_be_bytes().to_vec())
}

/// `true` or `false`.
pub(super) fn boolean(encoder: &mut Encoder<'_>, value: Value<'_, '_>) -> Option<Vec<u8>> {
    match value.kind() {
        Kind::Boolean(on) => Some(vec![u8::from(on)]),
        _ => encoder.wrong_type(value),
    }
}

/// Text that is not empty, without control characters (RFC 2132, section 2: NVT ASCII).
pub(super) fn text(encoder: &mut Encoder<'_>, value: Value<'_, '_>) -> Option<Vec<u8>> {
    plain(encoder, value).map(|text| text.as_bytes().to_vec())
}

/// Text with 16 bits of length in front.
pub(super) fn counted_text(encoder: &mut Encoder<'_>, value: Value<'_, '_>) -> Option<Vec<u8>> {
    let text = plain(encoder, value)?;
    let Ok(length) = u16::try_from(text.len()) else {
        let message = format!("option `{}` has a text above 65535 octets", encoder.name());
        return encoder.refuse(value.span(), message);
    };
    Some([&length.to_be_bytes(), text.as_bytes()].concat())
}

/// Texts with a blank between them.
pub(super) fn words(encoder: &mut Encoder<'_>, value: Value<'_, '_>) -> Option<Vec<u8>> {
    let words = encoder.items(value, |encoder, item| {
        let text = plain(encoder, item)?;
        match text.find(char::is_whitespace) {
            None => Some(text.as_bytes()),
            Some(at) => {
                let message = format!(
                    "a blank separates the texts of option `{}` and cannot stand in one",
                    encoder.name()
                );
                encoder.refuse(item.string_part(at, at + 1), message)
            }
        }
    })?;
    Some(words.join(&b' '))
}

fn plain<'a>(encoder: &mut Encoder<'_>, value: Value<'a, '_>) -> Option<&'a str> {
    let text = encoder.string(value)?;
    if text.is_empty() {
        return encoder.refuse(value.span(), format!("option `{}` has an empty text", encoder.name()));
    }
    match text.char_indices().find(|(_, character)| character.is_control()) {
        None => Some(text),
        Some((at, character)) => {
            let code = u32::from(character);
            let message =
                format!("the text of option `{}` has a control character (U+{code:04X})", encoder.name());
            encoder.refuse(value.string_part(at, at + character.len_utf8()), message)
        }
    }
}
