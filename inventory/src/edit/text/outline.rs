//! The statements of a TOML file with the octets that each of them owns.
//!
//! Lines as people see them: a header, an entry with its value (over as many lines as it takes), a
//! comment, a blank line. Every octet of the text belongs to exactly one statement, so that what is not
//! edited cannot change. Read from the events of `toml_parser`; the text is known to be valid TOML.

use std::borrow::Cow;
use std::ops::Range;

use toml_parser::Source;
use toml_parser::parser::{Event, EventKind, parse_document};

/// A file as its statements, in text order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outline {
    pub(crate) statements: Vec<Statement>,
}

/// One statement.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    /// From the start of its first line to the start of the next statement.
    pub(crate) span: Range<usize>,
    pub(crate) what: What,
    /// Keys from the root: those of the header that it stands under, then its own.
    pub(crate) path: Vec<String>,
    /// Its own keys as written: of `path` the last ones.
    pub(crate) keys: Vec<Range<usize>>,
}

/// Kinds of statements.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// `[a.b]`
    Header,
    /// `key = value`
    Entry(Value),
    /// A comment on a line of its own.
    Comment,
    /// Nothing but blanks.
    Blank,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) span: Range<usize>,
    pub(crate) inner: Inner,
}

/// What a value holds.
#[derive(Clone, Debug)]
pub(crate) enum Inner {
    /// A string, number, boolean or date.
    Scalar,
    /// `[…]`
    Array(Vec<Element>),
    /// `{…}`
    Table(Vec<Element>),
}

/// An item of an array, or an entry of an inline table.
#[derive(Clone, Debug)]
pub(crate) struct Element {
    /// Decoded keys with their places; none in an array.
    pub(crate) keys: Vec<(String, Range<usize>)>,
    pub(crate) value: Value,
    /// Where the comma after it ends.
    pub(crate) comma: Option<usize>,
}

impl Element {
    /// From its key, or its value, to the end of the value.
    pub(crate) fn span(&self) -> Range<usize> {
        let start = self.keys.first().map_or(self.value.span.start, |(_, key)| key.start);
        start..self.value.span.end
    }
}

impl Outline {
    /// Reads `text`. What is no valid TOML ends the reading early; callers only have valid texts.
    pub(crate) fn of(text: &str) -> Outline {
        let source = Source::new(text);
        let tokens = source.lex().into_vec();
        let mut events: Vec<Event> = Vec::new();
        parse_document(&tokens, &mut events, &mut ());
        let mut reader = Reader { source, text, events: &events, at: 0, table: Vec::new() };
        let mut statements: Vec<Statement> = Vec::new();
        let mut start = 0;
        while let Some(statement) = reader.statement(start).filter(|statement| !statement.span.is_empty()) {
            start = statement.span.end;
            statements.push(statement);
        }
        Outline { statements }
    }
}

/// One pass over the events.
struct Reader<'t, 'e> {
    source: Source<'t>,
    text: &'t str,
    events: &'e [Event],
    at: usize,
    /// The path of the header that entries stand under.
    table: Vec<String>,
}

impl Reader<'_, '_> {
    fn peek(&self) -> Option<EventKind> {
        self.events.get(self.at).map(Event::kind)
    }

    fn next(&mut self) -> Option<Event> {
        let event = self.events.get(self.at).copied();
        self.at += 1;
        event
    }

    /// The statement that starts at octet `start`; `None` at the end.
    fn statement(&mut self, start: usize) -> Option<Statement> {
        let mut what = What::Blank;
        let (mut names, mut keys) = (Vec::new(), Vec::new());
        self.peek()?;
        while let Some(event) = self.next() {
            match event.kind() {
                EventKind::Newline => break,
                EventKind::StdTableOpen | EventKind::ArrayTableOpen => what = What::Header,
                EventKind::SimpleKey => {
                    names.push(self.key(event));
                    keys.push(range(event));
                }
                EventKind::KeyValSep => {
                    if let Some(value) = self.value() {
                        what = What::Entry(value);
                    }
                }
                EventKind::Comment if matches!(what, What::Blank) => what = What::Comment,
                _ => {}
            }
        }
        let end =
            self.events.get(self.at.saturating_sub(1)).map_or(self.text.len(), |event| event.span().end());
        let end = if self.at >= self.events.len() { self.text.len() } else { end };
        let path = match what {
            What::Header => {
                self.table = names;
                self.table.clone()
            }
            What::Entry(_) => self.table.iter().cloned().chain(names).collect(),
            What::Comment | What::Blank => Vec::new(),
        };
        Some(Statement { span: start..end, what, path, keys })
    }

    /// The next value; blanks before it are skipped.
    fn value(&mut self) -> Option<Value> {
        loop {
            let event = self.next()?;
            match event.kind() {
                EventKind::Scalar => return Some(Value { span: range(event), inner: Inner::Scalar }),
                EventKind::ArrayOpen => return Some(self.elements(event.span().start(), false)),
                EventKind::InlineTableOpen => return Some(self.elements(event.span().start(), true)),
                EventKind::Newline => return None,
                _ => {}
            }
        }
    }

    /// The rest of an array or inline table that starts at octet `start`.
    fn elements(&mut self, start: usize, table: bool) -> Value {
        let mut elements: Vec<Element> = Vec::new();
        let mut keys = Vec::new();
        let mut end = start;
        while let Some(event) = self.next() {
            end = event.span().end();
            match event.kind() {
                EventKind::ArrayClose | EventKind::InlineTableClose => break,
                EventKind::SimpleKey => keys.push((self.key(event), range(event))),
                EventKind::ValueSep => {
                    if let Some(last) = elements.last_mut() {
                        last.comma = Some(end);
                    }
                }
                EventKind::Scalar | EventKind::ArrayOpen | EventKind::InlineTableOpen => {
                    self.at -= 1;
                    if let Some(value) = self.value() {
                        elements.push(Element { keys: std::mem::take(&mut keys), value, comma: None });
                    }
                }
                _ => {}
            }
        }
        let inner = if table { Inner::Table(elements) } else { Inner::Array(elements) };
        Value { span: start..end, inner }
    }

    /// A key, decoded.
    fn key(&self, event: Event) -> String {
        let mut decoded = Cow::Borrowed("");
        if let Some(raw) = self.source.get(event) {
            raw.decode_key(&mut decoded, &mut ());
        }
        decoded.into_owned()
    }
}

fn range(event: Event) -> Range<usize> {
    event.span().start()..event.span().end()
}

/// A string literal's text; the literal itself if it is none.
pub(crate) fn decoded(literal: &str) -> String {
    let source = Source::new(literal);
    let tokens = source.lex().into_vec();
    let mut events: Vec<Event> = Vec::new();
    toml_parser::parser::parse_value(&tokens, &mut events, &mut ());
    let scalar = events.iter().find(|event| event.kind() == EventKind::Scalar);
    let Some(raw) = scalar.and_then(|event| source.get(*event)) else { return literal.to_owned() };
    let mut decoded = Cow::Borrowed("");
    let _kind = raw.decode_scalar(&mut decoded, &mut ());
    decoded.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_octet_belongs_to_one_statement() {
        let text = "# top\r\n\r\n[host.\"a.b\" ] # h\r\nip = [ # x\r\n  \"1\", # one\r\n]\r\nd = { a.b = 1, c = \"}\" }  # t\r\n\t\nlast = '''\n# no\n'''";
        let outline = Outline::of(text);
        let whole: String =
            outline.statements.iter().map(|statement| &text[statement.span.clone()]).collect();
        assert_eq!(whole, text);
        let kinds: Vec<&str> = outline
            .statements
            .iter()
            .map(|statement| match statement.what {
                What::Header => "header",
                What::Entry(_) => "entry",
                What::Comment => "comment",
                What::Blank => "blank",
            })
            .collect();
        assert_eq!(kinds, ["comment", "blank", "header", "entry", "entry", "blank", "entry"]);
        assert_eq!(outline.statements[2].path, ["host", "a.b"]);
        assert_eq!(outline.statements[3].path, ["host", "a.b", "ip"]);
    }

    #[test]
    fn elements_know_their_keys_and_commas() {
        let text = "d = { a.b = 1, c = [2, 3,] }";
        let outline = Outline::of(text);
        let What::Entry(Value { inner: Inner::Table(elements), .. }) = &outline.statements[0].what else {
            unreachable!("{outline:?}")
        };
        assert_eq!(&text[elements[0].span()], "a.b = 1");
        assert_eq!(elements[0].comma, Some(14));
        assert_eq!(&text[elements[1].span()], "c = [2, 3,]");
        assert_eq!(elements[1].comma, None);
    }
}
