//! Cutting the text into entries, and entries into words (RFC 1035, section 5.1).
//!
//! An *entry* is a line, or several that parentheses hold together. Comments, white space and
//! parentheses end here. Escapes stay in the words: what they mean depends on the field.

use super::report::{Extent, Report};

/// How a word is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// As it stands.
    Plain,
    /// In quotation marks.
    Quoted,
    /// `key="value"`: the quotation mark stands here (RFC 9460, section 2.1).
    Assignment {
        /// Octet of the opening quotation mark.
        quote: usize,
    },
}

/// One word of an entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    /// With its quotation marks.
    pub(super) at: Extent,
    pub(super) shape: Shape,
    /// Whether a comment starts right behind it, without white space between.
    pub(super) touches_comment: bool,
}

impl Word {
    /// The text between the quotation marks, or the whole word.
    pub(super) fn inner(&self) -> Extent {
        match self.shape {
            Shape::Quoted => Extent { from: self.at.from + 1, to: self.at.to - 1 },
            Shape::Plain | Shape::Assignment { .. } => self.at,
        }
    }
}

/// One entry, with at least one word unless it is not sound.
pub(super) struct Entry {
    /// White space in front of the first word, in octets.
    pub(super) indent: usize,
    pub(super) words: Vec<Word>,
    /// Whether nothing was wrong so far; what was wrong is reported.
    pub(super) sound: bool,
}

/// Cuts a text into entries.
pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
    /// How often an open parenthesis may still be repaired.
    repairs_left: u32,
}

/// Each repair reads the rest of the text once more, so their number bounds the cost.
const REPAIRS_MAX: u32 = 16;

/// An entry while it is read.
struct Open {
    indent: usize,
    words: Vec<Word>,
    sound: bool,
    /// Where the parentheses opened that are not closed yet.
    parentheses: Vec<usize>,
    /// Mistakes known when the outermost of them opened.
    known_at_parenthesis: usize,
    /// First quotation mark that went wrong, and the mistakes known then.
    bad_quote: Option<(usize, usize)>,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Lexer<'t> {
        Lexer { text, at: 0, repairs_left: REPAIRS_MAX }
    }

    /// The next entry, mistakes in its form reported; `None` at the end of the text.
    pub(super) fn next_entry(&mut self, report: &mut Report<'_>) -> Option<Entry> {
        loop {
            let line = self.at;
            self.skip_while(is_blank);
            match self.byte()? {
                b'\n' => self.at += 1,
                b';' => self.skip_while(|byte| byte != b'\n'),
                _ => return Some(self.entry(self.at - line, report)),
            }
        }
    }

    fn entry(&mut self, indent: usize, report: &mut Report<'_>) -> Entry {
        let mut open = Open {
            indent,
            words: Vec::new(),
            sound: true,
            parentheses: Vec::new(),
            known_at_parenthesis: report.count(),
            bad_quote: None,
        };
        while let Some(byte) = self.byte() {
            match byte {
                b'\n' if open.parentheses.is_empty() => break,
                b'(' => {
                    if open.parentheses.is_empty() {
                        open.known_at_parenthesis = report.count();
                    }
                    open.parentheses.push(self.at);
                    self.at += 1;
                }
                b')' => {
                    let here = Extent { from: self.at, to: self.at + 1 };
                    if open.parentheses.pop().is_none() {
                        open.sound = false;
                        report.push(
                            report.at(here, "`)` closes no parenthesis").label("no `(` in front of this"),
                        );
                    }
                    self.at += 1;
                }
                b';' => self.skip_while(|byte| byte != b'\n'),
                b'\n' | b' ' | b'\t' | b'\r' => self.at += 1,
                _ => self.word(&mut open, report),
            }
        }
        self.recover(&mut open, report);
        Entry { indent: open.indent, words: open.words, sound: open.sound }
    }

    /// Finds the next entry's start when the end of the text came before a closing parenthesis.
    fn recover(&mut self, open: &mut Open, report: &mut Report<'_>) {
        let Some(&parenthesis) = open.parentheses.first() else {
            return;
        };
        open.sound = false;
        // The quotation mark that went wrong has probably swallowed the closing parenthesis.
        let resume_after = if let Some((quote, known)) = open.bad_quote {
            report.forget_after(known);
            quote
        } else {
            report.forget_after(open.known_at_parenthesis);
            let here = Extent { from: parenthesis, to: parenthesis + 1 };
            report.push(
                report
                    .at(here, "the parenthesis is never closed")
                    .label("opened here")
                    .help("put `)` behind the last line of the record"),
            );
            parenthesis
        };
        open.words.retain(|word| word.at.from < resume_after);
        let Some(left) = self.repairs_left.checked_sub(1) else {
            return;
        };
        self.repairs_left = left;
        // Continuation lines are customarily indented deeper than the line that they continue.
        self.at = resume_after;
        loop {
            self.skip_while(|byte| byte != b'\n');
            if self.byte().is_none() {
                return;
            }
            self.at += 1;
            let line = self.at;
            self.skip_while(is_blank);
            let deeper = self.at - line > open.indent || self.byte() == Some(b')');
            self.at = line;
            if !deeper {
                return;
            }
        }
    }

    fn word(&mut self, open: &mut Open, report: &mut Report<'_>) {
        let from = self.at;
        let shape =
            if self.byte() == Some(b'"') { self.quoted(open, report) } else { self.plain(open, report) };
        let Some(shape) = shape else {
            return;
        };
        let touches_comment = self.byte() == Some(b';');
        open.words.push(Word { at: Extent { from, to: self.at }, shape, touches_comment });
    }

    /// Reads from an opening quotation mark to behind the closing one.
    fn quoted(&mut self, open: &mut Open, report: &mut Report<'_>) -> Option<Shape> {
        let from = self.at;
        self.at += 1;
        loop {
            match self.byte() {
                None | Some(b'\n') => {
                    let here = Extent { from, to: self.trimmed_end(from) };
                    self.bad_quote(open, report, from, here, "the quotation mark is not closed on its line");
                    return None;
                }
                Some(b'\\') => self.skip_escape(),
                Some(b'"') => break,
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        match self.byte() {
            None | Some(b' ' | b'\t' | b'\r' | b'\n' | b'(' | b')' | b';' | b'"') => Some(Shape::Quoted),
            Some(_) => {
                let here = Extent { from: self.at - 1, to: self.at };
                self.bad_quote(open, report, from, here, "a quotation mark in the middle of a word");
                None
            }
        }
    }

    fn plain(&mut self, open: &mut Open, report: &mut Report<'_>) -> Option<Shape> {
        let from = self.at;
        let mut shape = Shape::Plain;
        while let Some(byte) = self.byte() {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b'(' | b')' | b';' => break,
                b'\\' => self.skip_escape(),
                b'"' if self.text[from..self.at].ends_with('=') => {
                    let quote = self.at;
                    self.quoted(open, report)?;
                    shape = Shape::Assignment { quote };
                    break;
                }
                b'"' => {
                    let here = Extent { from: self.at, to: self.at + 1 };
                    self.bad_quote(open, report, self.at, here, "a quotation mark in the middle of a word");
                    return None;
                }
                _ => self.character(from, open, report),
            }
        }
        Some(shape)
    }

    /// Passes one character of a plain word.
    fn character(&mut self, word: usize, open: &mut Open, report: &mut Report<'_>) {
        let Some(character) = self.text[self.at..].chars().next() else {
            return;
        };
        let here = Extent { from: self.at, to: self.at + character.len_utf8() };
        let code = u32::from(character);
        let finding = match character {
            '\u{200b}' | '\u{feff}' => {
                Some(report.at(here, format!("an invisible character (U+{code:04X})")))
            }
            _ if character.is_whitespace() && !character.is_ascii() => Some(
                report.at(here, format!("a character that looks like a space, but is none (U+{code:04X})")),
            ),
            _ if character.is_control() => {
                Some(report.at(here, format!("a control character (U+{code:04X})")))
            }
            '“' | '”' | '„' | '«' | '»' if here.from == word => {
                let message =
                    format!("`{character}` is a typographic quotation mark, which DNS does not know");
                Some(report.at(here, message).help("write `\"`"))
            }
            _ => None,
        };
        self.at = here.to;
        if let Some(finding) = finding.filter(|_| open.sound) {
            open.sound = false;
            report.push(finding);
        }
    }

    /// Reports a quotation mark and gives up the rest of the line.
    fn bad_quote(
        &mut self,
        open: &mut Open,
        report: &mut Report<'_>,
        from: usize,
        at: Extent,
        message: &str,
    ) {
        open.sound = false;
        report.push(report.at(at, message).help(
            "text in quotation marks ends on the line where it starts, and white space follows; \
             a quotation mark in the text is written `\\\"`",
        ));
        open.bad_quote.get_or_insert((from, report.count()));
        self.skip_while(|byte| byte != b'\n');
    }

    /// Passes a backslash and the character after it. At the end of a line there is none.
    fn skip_escape(&mut self) {
        self.at += 1;
        if let Some(character) = self.text[self.at..].chars().next().filter(|c| *c != '\n') {
            self.at += character.len_utf8();
        }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.byte().is_some_and(&wanted) {
            self.at += 1;
        }
    }

    /// Where the text from `from` to here ends, without the white space at its end.
    fn trimmed_end(&self, from: usize) -> usize {
        from + self.text[from..self.at].trim_ascii_end().len()
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}
