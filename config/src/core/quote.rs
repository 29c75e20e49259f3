//! Quoting for POSIX shells: whatever the octets are, the shell sees exactly them.

/// `octets` as one word of a POSIX shell. Octets that can be in no argument (NUL) are left out.
pub fn quote(octets: &[u8]) -> Vec<u8> {
    let mut word = Vec::with_capacity(octets.len() + 2);
    word.push(b'\'');
    for octet in octets {
        match octet {
            b'\'' => word.extend_from_slice(b"'\\''"),
            0 => {}
            other => word.push(*other),
        }
    }
    word.push(b'\'');
    word
}

/// [`quote`] for text.
pub fn quote_text(text: &str) -> String {
    format!("'{}'", text.replace('\0', "").replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a POSIX shell makes of single quotes and `\'`.
    fn unquote(word: &[u8]) -> Vec<u8> {
        let (mut out, mut inside, mut at) = (Vec::new(), false, 0);
        while at < word.len() {
            match word[at] {
                b'\'' => inside = !inside,
                b'\\' if !inside => {
                    at += 1;
                    out.push(word[at]);
                }
                other => out.push(other),
            }
            at += 1;
        }
        assert!(!inside, "an open quote");
        out
    }

    proptest! {
        #[test]
        fn a_shell_reads_back_what_was_quoted(octets in proptest::collection::vec(1_u8.., 0..60)) {
            prop_assert_eq!(unquote(&quote(&octets)), octets);
        }

        #[test]
        fn text_is_quoted_as_octets_are(text in "\\PC*") {
            prop_assert_eq!(quote_text(&text).into_bytes(), quote(text.as_bytes()));
        }
    }
}
