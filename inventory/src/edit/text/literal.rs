//! Values and keys as TOML writes them.

use std::fmt::Write as _;

/// A value to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Literal {
    /// One value, as TOML.
    One(String),
    /// A list of values, each as TOML. A list of one is written as that one where the key was so.
    List(Vec<String>),
}

impl Literal {
    /// A string.
    pub(crate) fn text(text: &str) -> Literal {
        Literal::One(quote(text))
    }

    /// A list of strings.
    pub(crate) fn texts(texts: impl IntoIterator<Item = impl AsRef<str>>) -> Literal {
        Literal::List(texts.into_iter().map(|text| quote(text.as_ref())).collect())
    }

    /// As it is written where nothing was written before.
    pub(crate) fn fresh(&self) -> String {
        match self {
            Literal::One(text) => text.clone(),
            Literal::List(items) => format!("[{}]", items.join(", ")),
        }
    }
}

/// `text` as a basic string.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(character);
            }
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            control if control.is_control() => {
                // Writing to a string cannot fail.
                let _ = write!(quoted, "\\u{:04X}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// `text` as a key: bare where that is possible.
pub(crate) fn key(text: &str) -> String {
    let bare = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if bare { text.to_owned() } else { quote(text) }
}
