//! From spans to paths, lines and columns.
//!
//! Texts are looked at only when something is wrong, so nothing is kept for the day when it is.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Diagnostic, Finding, Other, Place};
use crate::span::{FileId, Span};

/// Knows the files that spans speak of.
pub trait Texts {
    /// Path relative to the inventory, with `/`.
    fn path(&self, file: FileId) -> Arc<str>;
    /// The file's text as it was parsed; `None` if it cannot be had any more.
    fn text(&self, file: FileId) -> Option<String>;
}

/// Turns findings into diagnostics.
pub struct Locator<'a> {
    texts: &'a dyn Texts,
    seen: HashMap<FileId, Option<Lines>>,
}

/// A text and where its lines start.
struct Lines {
    text: String,
    starts: Vec<usize>,
}

/// Longest message in characters.
const WORDS_MAX: usize = 600;

/// Longest excerpt in characters; a longer line is cut around the place.
const EXCERPT_MAX: usize = 400;

impl<'a> Locator<'a> {
    /// A locator over `texts`.
    pub fn new(texts: &'a dyn Texts) -> Locator<'a> {
        Locator { texts, seen: HashMap::new() }
    }

    /// The findings with their places, sorted by path, line and column; equal ones once.
    pub fn diagnostics(&mut self, findings: &[Finding]) -> Vec<Diagnostic> {
        let mut list: Vec<Diagnostic> = findings.iter().map(|finding| self.diagnostic(finding)).collect();
        list.sort_by(|a, b| sort_key(a).cmp(&sort_key(b)));
        list.dedup();
        list
    }

    fn diagnostic(&mut self, finding: &Finding) -> Diagnostic {
        let others = finding.others.iter();
        Diagnostic {
            code: finding.rule.code().to_owned(),
            severity: finding.rule.severity().word().to_owned(),
            message: one_line(&finding.message),
            place: self.place(finding.span),
            label: one_line(&finding.label),
            others: others
                .map(|(span, label)| Other { place: self.place(*span), label: one_line(label) })
                .collect(),
            help: finding.help.as_deref().map(one_line),
        }
    }

    /// Where `span` is, for people.
    pub fn place(&mut self, span: Span) -> Place {
        let path = self.texts.path(span.file).to_string();
        let texts = self.texts;
        let lines = self.seen.entry(span.file).or_insert_with(|| texts.text(span.file).map(Lines::new));
        match lines {
            Some(lines) if !span.is_whole() => lines.place(path, span),
            _ => Place { path, line: 0, column: 0, column_end: 0, excerpt: String::new(), excerpt_offset: 0 },
        }
    }
}

/// Words as they are shown, with what they quote from the files: on one line, nothing that steers a
/// terminal, and not without end.
fn one_line(words: &str) -> String {
    let mut line = String::with_capacity(words.len());
    for (count, character) in words.chars().enumerate() {
        if count == WORDS_MAX {
            line.push('…');
            break;
        }
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

fn sort_key(diagnostic: &Diagnostic) -> (&str, u32, u32, &str, &str) {
    let place = &diagnostic.place;
    (&place.path, place.line, place.column, &diagnostic.code, &diagnostic.message)
}

impl Lines {
    fn new(text: String) -> Lines {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(newlines).collect();
        Lines { text, starts }
    }

    /// Spans past the end (the file changed since) are held within it.
    fn place(&self, path: String, span: Span) -> Place {
        let held = |at: u32| {
            let mut at = (at as usize).min(self.text.len());
            while !self.text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let (start, end) = (held(span.start), held(span.end));
        let line = self.starts.partition_point(|line_start| *line_start <= start);
        let line_start = self.starts[line - 1];
        let rest = &self.text[line_start..];
        let content = rest.split_once('\n').map_or(rest, |(content, _)| content).trim_end_matches('\r');
        let before = self.text[line_start..start].chars().count();
        let end = end.min(line_start + content.len()).max(start);
        let width = self.text[start..end].chars().count().max(1);
        let cut =
            if content.chars().count() > EXCERPT_MAX { before.saturating_sub(EXCERPT_MAX / 4) } else { 0 };
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Place {
            path,
            line: number(line),
            column: number(before + 1),
            column_end: number(before + 1 + width),
            excerpt: content.chars().skip(cut).take(EXCERPT_MAX).collect(),
            excerpt_offset: number(cut),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct One(&'static str);

    impl Texts for One {
        fn path(&self, _: FileId) -> Arc<str> {
            "a.toml".into()
        }
        fn text(&self, _: FileId) -> Option<String> {
            Some(self.0.to_owned())
        }
    }

    fn place(text: &'static str, start: u32, end: u32) -> Place {
        Locator::new(&One(text)).place(Span::new(FileId(0), start, end))
    }

    #[test]
    fn words_are_one_line_whatever_they_quote() {
        assert_eq!(one_line("`a\nb\u{1b}[31m` is no name"), r"`a\nb\u{1b}[31m` is no name");
        assert_eq!(one_line(&"ü".repeat(10_000)).chars().count(), WORDS_MAX + 1);
    }

    #[test]
    fn columns_count_characters_and_lines_start_at_one() {
        let at = place("a = 1\r\nä = \"ö\"\r\n", 12, 16);
        assert_eq!((at.line, at.column, at.column_end), (2, 5, 8));
        assert_eq!(at.excerpt, "ä = \"ö\"");
    }

    #[test]
    fn spans_outside_the_text_are_held_within_it() {
        let at = place("ab", 100, 200);
        assert_eq!((at.line, at.column, at.column_end), (1, 3, 4));
        let at = place("ä", 1, 1);
        assert_eq!((at.line, at.column), (1, 1));
    }

    #[test]
    fn a_span_over_lines_ends_with_its_first_line() {
        let at = place("abc\ndef", 1, 6);
        assert_eq!((at.line, at.column, at.column_end), (1, 2, 4));
    }
}
