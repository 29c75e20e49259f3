//! Where a part of a string's value stands in the text.
//!
//! The way back from an offset in the decoded string to the text as written: past the opening
//! quotes, the newline that TOML drops after `"""`, escapes and line continuations.

/// Offset in the text, counted from the start of `raw`, of octet `wanted` of the decoded string.
///
/// `raw` is a string with escapes as written, quotes included. An offset inside an escape's result
/// is that escape's start; one past the end is the end of the content.
pub(super) fn raw_offset(raw: &str, wanted: usize) -> usize {
    let bytes = raw.as_bytes();
    let (mut at, end) = content(bytes);
    let mut decoded = 0;
    while at < end {
        let (taken, made) = unit(bytes, at, end);
        if made > 0 && decoded + made > wanted {
            return at;
        }
        decoded += made;
        at += taken;
    }
    end
}

/// The range between the quotes, without the newline dropped after `"""`.
fn content(bytes: &[u8]) -> (usize, usize) {
    if !bytes.starts_with(b"\"\"\"") {
        return (1.min(bytes.len()), bytes.len().saturating_sub(1).max(1.min(bytes.len())));
    }
    let start = match bytes.get(3..) {
        Some([b'\n', ..]) => 4,
        Some([b'\r', b'\n', ..]) => 5,
        _ => 3,
    };
    (start, bytes.len().saturating_sub(3).max(start))
}

/// Octets taken from the text and octets made of them, for what stands at `at`.
fn unit(bytes: &[u8], at: usize, end: usize) -> (usize, usize) {
    if bytes[at] != b'\\' {
        return (1, 1);
    }
    let digits = match bytes.get(at + 1) {
        Some(b'x') => 2,
        Some(b'u') => 4,
        Some(b'U') => 8,
        Some(b' ' | b'\t' | b'\r' | b'\n') => {
            let blank = bytes[at + 1..end].iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n'));
            return (1 + blank.count(), 0);
        }
        _ => return (2, 1),
    };
    let value = bytes
        .get(at + 2..at + 2 + digits)
        .and_then(|hex| std::str::from_utf8(hex).ok())
        .and_then(|hex| u32::from_str_radix(hex, 16).ok())
        .and_then(char::from_u32);
    (2 + digits, value.map_or(1, char::len_utf8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_pass_over_escapes() {
        let raw = r#""a\tb\u00e9c\x41d""#;
        let decoded = "a\tb\u{e9}c\u{41}d";
        let places: Vec<usize> = decoded.char_indices().map(|(offset, _)| raw_offset(raw, offset)).collect();
        assert_eq!(places, [1, 2, 4, 5, 11, 12, 16]);
        assert_eq!(raw_offset(raw, decoded.len()), 17);
        assert_eq!(raw_offset(raw, 1000), 17);
    }

    #[test]
    fn offsets_pass_over_the_dropped_newline_and_continuations() {
        let raw = "\"\"\"\r\none \\\n   two\\\\\"\"\"";
        assert_eq!(raw_offset(raw, 0), 5);
        assert_eq!(raw_offset(raw, 3), 8, "the space before the continuation");
        assert_eq!(raw_offset(raw, 4), 14, "`two`");
        assert_eq!(raw_offset(raw, 7), 17, "the escaped backslash");
    }
}
