//! What a text without quotes was meant to be, and names for characters.

use std::net::IpAddr;

/// What `text` looks like, with its article, for «… is not in quotes».
pub(super) fn looks_like(text: &str) -> &'static str {
    let address = |text: &str| text.trim().parse::<IpAddr>().is_ok();
    if is_mac(text) {
        return "the hardware address";
    }
    if address(text) {
        return "the IP address";
    }
    if text.split_once('/').is_some_and(|(ip, length)| address(ip) && length.parse::<u8>().is_ok()) {
        return "the network";
    }
    if text.split_once('-').is_some_and(|(first, last)| address(first) && address(last)) {
        return "the address range";
    }
    if is_amount(text, &["ms", "s", "m", "h", "d", "w"]) {
        return "the duration";
    }
    if is_amount(text, &["KiB", "MiB", "GiB", "TiB", "kB", "KB", "MB", "GB", "TB", "K", "M", "G", "T"]) {
        return "the size";
    }
    "the text"
}

fn is_mac(text: &str) -> bool {
    ['-', ':'].iter().any(|mark| {
        let groups = text.split(*mark);
        groups.clone().count() >= 6 && groups.clone().all(|group| group.len() == 2 && is_hex(group))
    })
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Numbers, each with one of `units`, perhaps after a space: `1h30m`, `8 GiB`.
fn is_amount(text: &str, units: &[&str]) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let unit = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        if unit.len() == rest.len() {
            return false;
        }
        let unit = unit.trim_start();
        let end = unit.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(unit.len());
        let (unit, tail) = unit.split_at(end);
        if !units.contains(&unit) {
            return false;
        }
        rest = tail.trim_start();
    }
    !text.is_empty()
}

/// `text` as a TOML string.
pub(super) fn quoted(text: &str) -> String {
    if text.contains(['"', '\\']) && !text.contains('\'') {
        format!("'{text}'")
    } else {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

/// The beginning of a text that may be long.
pub(super) fn short(text: &str) -> String {
    const LONGEST: usize = 48;
    let mut chars = text.char_indices().skip(LONGEST);
    match chars.next() {
        Some((cut, _)) if chars.next().is_some() => format!("{}…", &text[..cut]),
        _ => text.to_owned(),
    }
}

/// The name of a character that cannot be seen but is no ASCII blank.
pub(super) fn invisible(c: char) -> Option<&'static str> {
    match c {
        '\u{a0}' => Some("a no-break space"),
        '\u{feff}' => Some("a byte order mark"),
        '\u{200b}'..='\u{200d}' | '\u{2060}' => Some("a zero-width space"),
        '\u{ad}' => Some("a soft hyphen"),
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            Some("a writing-direction mark")
        }
        '\0'..='\u{7f}' => None,
        _ if c.is_whitespace() => Some("a special space"),
        _ => None,
    }
}

/// Whether `c` is a quote of typography.
pub(super) fn is_curly(c: char) -> bool {
    matches!(c, '\u{201c}'..='\u{201f}' | '\u{2018}'..='\u{201b}' | '«' | '»' | '‹' | '›' | '´' | '`')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lacks_its_quotes_is_called_by_its_name() {
        for (text, name) in [
            ("52:54:00:aa:00:11", "the hardware address"),
            ("52-54-00-AA-00-11", "the hardware address"),
            ("10.20.0.11", "the IP address"),
            ("2001:db8::1", "the IP address"),
            ("10.20.0.0/24", "the network"),
            ("10.20.0.5-10.20.0.9", "the address range"),
            ("12h", "the duration"),
            ("1h30m", "the duration"),
            ("8 GiB", "the size"),
            ("512MiB", "the size"),
            ("servers", "the text"),
            ("12 parsecs", "the text"),
            ("", "the text"),
        ] {
            assert_eq!(looks_like(text), name, "{text}");
        }
    }

    #[test]
    fn quoting_chooses_the_quotes_that_need_no_escapes() {
        assert_eq!(quoted("a"), r#""a""#);
        assert_eq!(quoted(r"C:\x"), r"'C:\x'");
        assert_eq!(quoted(r#"a'b"c"#), r#""a'b\"c""#);
    }
}
