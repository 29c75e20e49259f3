//! Octets in text: escapes (RFC 1035, section 5.1), hexadecimal, base 64 (RFC 4648, section 4).

use super::report::Extent;

/// The octets that `text` stands for, `\X` and `\DDD` resolved. `at` is where `text` starts.
///
/// # Errors
/// The place of a backslash that starts no escape.
pub(super) fn unescape(text: &str, at: usize) -> Result<Vec<u8>, Extent> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(found) = rest.find('\\') {
        let (plain, escape) = rest.split_at(found);
        out.extend_from_slice(plain.as_bytes());
        let start = at + text.len() - escape.len();
        let after = &escape[1..];
        let digits = after.bytes().take(3).take_while(u8::is_ascii_digit).count();
        let length = match after.chars().next() {
            None => return Err(Extent { from: start, to: start + 1 }),
            Some(_) if digits > 0 => {
                let octet = after[..digits].parse().ok().filter(|_| digits == 3);
                out.push(octet.ok_or(Extent { from: start, to: start + 1 + digits })?);
                digits
            }
            Some(character) => {
                out.extend_from_slice(&after.as_bytes()[..character.len_utf8()]);
                character.len_utf8()
            }
        };
        rest = &after[length..];
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(out)
}

/// Why a text is not the octets it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodecError {
    /// This character has no place there.
    Character(char),
    /// Half an octet is left over.
    OddDigits,
    /// The padding (`=`) is wrong or missing.
    Padding,
}

/// The octets that pairs of hexadecimal digits stand for.
pub(super) fn from_hex(text: &str) -> Result<Vec<u8>, CodecError> {
    let mut out = Vec::with_capacity(text.len() / 2);
    let mut high: Option<u8> = None;
    for character in text.chars() {
        let digit = character.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let digit = digit.ok_or(CodecError::Character(character))?;
        match high.take() {
            Some(high) => out.push(high << 4 | digit),
            None => high = Some(digit),
        }
    }
    if high.is_some() { Err(CodecError::OddDigits) } else { Ok(out) }
}

/// The octets that base 64 text with padding stands for.
pub(crate) fn from_base64(text: &str) -> Result<Vec<u8>, CodecError> {
    let digits = text.trim_end_matches('=');
    let mut out = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    let mut bits: u32 = 0;
    let mut have = 0;
    for character in digits.chars() {
        bits = bits << 6 | base64_digit(character).ok_or(CodecError::Character(character))?;
        have += 6;
        if have >= 8 {
            have -= 8;
            out.push(u8::try_from(bits >> have & 0xff).unwrap_or_default());
        }
    }
    let padding = text.len() - digits.len();
    let whole = text.len().is_multiple_of(4) && padding <= 2;
    // Bits that fill up the last digit are zero, so that a text has one meaning (RFC 4648, section 3.5).
    let rest_is_zero = bits & ((1 << have) - 1) == 0;
    if whole && rest_is_zero { Ok(out) } else { Err(CodecError::Padding) }
}

/// The octets that base 32 text with extended hex alphabet and no padding stands for (RFC 4648,
/// section 7).
pub(super) fn from_base32(text: &str) -> Result<Vec<u8>, CodecError> {
    let mut out = Vec::with_capacity(text.len() * 5 / 8);
    let (mut bits, mut have) = (0_u32, 0);
    for character in text.chars() {
        let digit = character.to_digit(32).ok_or(CodecError::Character(character))?;
        bits = (bits << 5 | digit) & 0xfff;
        have += 5;
        if have >= 8 {
            have -= 8;
            out.push(u8::try_from(bits >> have & 0xff).unwrap_or_default());
        }
    }
    if have < 5 && bits & ((1 << have) - 1) == 0 { Ok(out) } else { Err(CodecError::Padding) }
}

fn base64_digit(character: char) -> Option<u32> {
    let offset = |from: char, to: u32| u32::from(character) - u32::from(from) + to;
    match character {
        'A'..='Z' => Some(offset('A', 0)),
        'a'..='z' => Some(offset('a', 26)),
        '0'..='9' => Some(offset('0', 52)),
        '+' => Some(62),
        '/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_stand_for_octets() {
        assert_eq!(unescape(r#"a\"b\\c\;\065\000\255"#, 0), Ok(b"a\"b\\c;A\0\xff".to_vec()));
        assert_eq!(unescape("\\ü", 0), Ok("ü".as_bytes().to_vec()));
        assert_eq!(unescape(r"\0651", 0), Ok(b"A1".to_vec()));
    }

    #[test]
    fn bad_escapes_are_pointed_at() {
        assert_eq!(unescape(r"ab\25", 10), Err(Extent { from: 12, to: 15 }));
        assert_eq!(unescape(r"ab\256c", 10), Err(Extent { from: 12, to: 16 }));
        assert_eq!(unescape(r"\9x9", 0), Err(Extent { from: 0, to: 2 }));
        assert_eq!(unescape("a\\", 0), Err(Extent { from: 1, to: 2 }));
    }

    #[test]
    fn base64_follows_the_vectors_of_rfc_4648() {
        for (text, octets) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg==", "foob"),
            ("Zm9vYmE=", "fooba"),
            ("Zm9vYmFy", "foobar"),
        ] {
            assert_eq!(from_base64(text), Ok(octets.as_bytes().to_vec()), "{text}");
        }
        for text in ["Zg", "Zg=", "Zh==", "Z", "Z===", "===="] {
            assert_eq!(from_base64(text), Err(CodecError::Padding), "{text}");
        }
        assert_eq!(from_base64("Zm=v"), Err(CodecError::Character('=')));
        assert_eq!(from_base64("Zm_v"), Err(CodecError::Character('_')));
    }

    #[test]
    fn hexadecimal_comes_in_pairs() {
        assert_eq!(from_hex("0aFF"), Ok(vec![0x0a, 0xff]));
        assert_eq!(from_hex("0aF"), Err(CodecError::OddDigits));
        assert_eq!(from_hex("0g"), Err(CodecError::Character('g')));
    }
}
