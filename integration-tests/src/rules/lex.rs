//! Rust's tokens, as far as the rules need them: words and punctuation with their lines.
//!
//! Comments vanish; strings, characters and numbers become one token that says nothing of their contents.
//! Text that does not compile gives some tokens, never a panic.

/// A word, a punctuation character or a literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Line, from 1.
    pub(super) line: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An identifier or keyword; a raw identifier without its `r#`.
    Word(String),
    Punct(char),
    Literal,
}

impl Token {
    pub(super) fn is_word(&self, wanted: &str) -> bool {
        matches!(&self.kind, Kind::Word(word) if word == wanted)
    }

    pub(super) fn is_punct(&self, wanted: char) -> bool {
        self.kind == Kind::Punct(wanted)
    }

    pub(super) fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(word) => Some(word),
            Kind::Punct(_) | Kind::Literal => None,
        }
    }
}

pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { rest: text, line: 1, tokens: Vec::new() };
    while lexer.step() {}
    lexer.tokens
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    /// Takes one thing off the text; false at its end.
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else { return false };
        if first.is_whitespace() {
            self.skip(first.len_utf8());
        } else if self.rest.starts_with("//") {
            self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.skip(block_comment(self.rest));
        } else if let Some(length) = string(self.rest).or_else(|| character(self.rest)) {
            self.push(Kind::Literal, length);
        } else if first.is_ascii_digit() {
            self.push(Kind::Literal, number(self.rest));
        } else if is_word(first) {
            let raw = if self.rest.starts_with("r#") { 2 } else { 0 };
            let length = self.rest[raw..].find(|c| !is_word(c)).map_or(self.rest.len(), |end| raw + end);
            self.push(Kind::Word(self.rest[raw..length].to_owned()), length);
        } else {
            self.push(Kind::Punct(first), first.len_utf8());
        }
        true
    }

    fn push(&mut self, kind: Kind, length: usize) {
        self.tokens.push(Token { kind, line: self.line });
        self.skip(length);
    }

    fn skip(&mut self, length: usize) {
        let (gone, rest) = self.rest.split_at(length);
        self.line += gone.matches('\n').count();
        self.rest = rest;
    }
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Length of a block comment; they nest.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if text[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// Length of a string literal of any kind at the start of `text`.
fn string(text: &str) -> Option<usize> {
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
        let after = text.strip_prefix(prefix).unwrap_or_default();
        let raw = prefix.ends_with('r');
        after.starts_with('"')
            || raw && after.trim_start_matches('#').starts_with('"') && after.starts_with('#')
    })?;
    let after = &text[prefix.len()..];
    if prefix.ends_with('r') {
        let hashes = after.find('"')?;
        let end = format!("\"{}", "#".repeat(hashes));
        let body = prefix.len() + hashes + 1;
        return Some(text[body..].find(&end).map_or(text.len(), |at| body + at + end.len()));
    }
    Some(prefix.len() + 1 + quoted(&after[1..], '"'))
}

/// Length of a character literal; a lifetime is none.
fn character(text: &str) -> Option<usize> {
    let prefix = if text.starts_with("b'") { 1 } else { 0 };
    let after = text[prefix..].strip_prefix('\'')?;
    let mut chars = after.chars();
    let first = chars.next()?;
    let is_literal = first == '\\' || chars.next() == Some('\'');
    is_literal.then(|| prefix + 1 + quoted(after, '\''))
}

/// Length up to and with the closing quote; a backslash takes the next character along.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// Length of a number. `0..3` are two numbers, `1.5` is one; nothing depends on getting `1.max(2)` right.
fn number(text: &str) -> usize {
    text.find(|c: char| !is_word(c)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        tokens(text).iter().filter_map(|token| token.word().map(str::to_owned)).collect()
    }

    #[test]
    fn what_stands_in_comments_and_strings_is_no_word() {
        assert_eq!(words("a // b\nc /* d /* e */ f */ g"), ["a", "c", "g"]);
        assert_eq!(words(r##"a "b \" c" r"d\" r#"e " f"# b"g" br#"h"# c"i" j"##), ["a", "j"]);
        assert_eq!(words(r"a 'b' '\'' b'c' '\u{1F600}' d"), ["a", "d"]);
    }

    #[test]
    fn a_lifetime_is_no_character() {
        assert_eq!(
            words("fn f<'a>(x: &'a str) -> &'static str"),
            ["fn", "f", "a", "x", "a", "str", "static", "str"]
        );
    }

    #[test]
    fn lines_are_counted_through_everything() {
        let last = |text: &str| tokens(text).last().map(|token| token.line);
        assert_eq!(last("/* \n\n */ \"\n\" \n x"), Some(5));
        assert_eq!(last("r#\"\n\"\n\"#;"), Some(3));
    }

    #[test]
    fn text_that_ends_too_early_ends_quietly() {
        for text in ["\"abc", "/* abc", "r#\"abc\"", "'", "b'", "'\\", "r#", "\u{feff}x"] {
            tokens(text);
        }
    }
}
