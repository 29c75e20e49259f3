//! Where a part of a string's value stands in the text.
//!
//! The way back from an offset in the decoded string to the text as written: past the opening
//! quotes, the newline that TOML drops after `"""`, escapes and line continuations.

/// The range in `raw` that octets `from..to` of the decoded string come from.
///
/// `raw` is a string with escapes as written, quotes included. An offset inside an escape's result
/// stands for all of that escape; one past the end, for the end of the content.
pub(super) fn raw_range(raw: &str, from: usize, to: usize) -> (usize, usize) {
    let bytes = raw.as_bytes();
    let (mut at, end) = content(bytes);
    let mut decoded = 0;
    let mut start = None;
    while at < end {
        let (taken, made) = unit(bytes, at, end);
        decoded += made;
        if start.is_none() && made > 0 && decoded > from {
            if to <= from {
                return (at, at);
            }
            start = Some(at);
        }
        at = (at + taken).min(end);
        if start.is_some() && decoded >= to {
            return (start.unwrap_or(at), at);
        }
    }
    (start.unwrap_or(end), end)
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
        let parts: Vec<&str> = decoded
            .char_indices()
            .map(|(offset, c)| raw_range(raw, offset, offset + c.len_utf8()))
            .map(|(start, end)| &raw[start..end])
            .collect();
        assert_eq!(parts, ["a", r"\t", "b", r"\u00e9", "c", r"\x41", "d"]);
        assert_eq!(raw_range(raw, 4, 5), (5, 11), "inside an escape's result");
        assert_eq!(raw_range(raw, 2, 2), (4, 4));
        assert_eq!(raw_range(raw, decoded.len(), 1000), (17, 17));
    }

    #[test]
    fn offsets_pass_over_the_dropped_newline_and_continuations() {
        let raw = "\"\"\"\r\none \\\n   two\\\\\"\"\"";
        assert_eq!(raw_range(raw, 0, 4), (5, 9), "up to the continuation, not over it");
        assert_eq!(raw_range(raw, 4, 7), (14, 17), "`two`");
        assert_eq!(raw_range(raw, 7, 8), (17, 19), "the escaped backslash");
        assert_eq!(raw_range(raw, 0, 8), (5, 19));
    }
}
