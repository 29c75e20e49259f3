//! The tree and the views into it.
//!
//! Views are two words, are copied freely and borrow the [`Tree`]; what they hand out lives as long.

use std::iter;

use super::index::{self, Index};
use super::node::{DECODED, GAPS, IMPLICIT, INDEXED, KEY_DECODED, Node, Range, Shape, pack};
use super::part;
use crate::span::{FileId, Span};

/// What [`parse`](super::parse) read from one file.
#[derive(Debug)]
pub struct Tree<'t> {
    pub(super) text: &'t str,
    pub(super) file: FileId,
    /// The arena. Node 0 is the root table.
    pub(super) nodes: Vec<Node>,
    /// Strings and keys that had escapes.
    pub(super) decoded: Vec<String>,
    /// Nodes whose keys had escapes, ascending, each with its place in `decoded`.
    pub(super) decoded_keys: Vec<(u32, u32)>,
    pub(super) index: Index,
}

/// A table: the file itself, `[one with a header]`, an inline one, or one that a longer key made.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a, 't> {
    tree: &'a Tree<'t>,
    node: u32,
}

/// A key and its value.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a, 't> {
    tree: &'a Tree<'t>,
    node: u32,
}

/// A value: an entry's or a list item.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a, 't> {
    tree: &'a Tree<'t>,
    node: u32,
}

/// A list, written in brackets or by `[[headers]]`.
#[derive(Clone, Copy, Debug)]
pub struct Array<'a, 't> {
    tree: &'a Tree<'t>,
    node: u32,
}

/// What a value is.
#[derive(Clone, Copy, Debug)]
pub enum Kind<'a, 't> {
    /// A string, decoded.
    String(&'a str),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction or exponent, `inf` or `nan`.
    Float(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// A date, a time, or both, as written; its fields are in range.
    Datetime(&'t str),
    /// A list.
    Array(Array<'a, 't>),
    /// A table.
    Table(Table<'a, 't>),
}

impl<'t> Tree<'t> {
    /// A tree with an empty root.
    pub(super) fn new(text: &'t str, file: FileId) -> Tree<'t> {
        // About one node for each of these marks. Growing would copy, and keep twice the memory.
        // Portions whose count fits an octet let the compiler count many octets at a time.
        let is_mark = |byte: &u8| u8::from(matches!(byte, b'=' | b',' | b'['));
        let marks = text.as_bytes().chunks(128).map(|part| part.iter().map(is_mark).sum::<u8>());
        let marks: usize = marks.map(usize::from).sum();
        let mut nodes = Vec::with_capacity(marks + marks / 8 + 16);
        nodes.push(Node::new(Shape::Table, Range::EMPTY, pack(0, 0)));
        Tree { text, file, nodes, decoded: Vec::new(), decoded_keys: Vec::new(), index: Index::default() }
    }

    /// The file's outermost table. Its span is the start of the file.
    pub fn root(&self) -> Table<'_, 't> {
        Table { tree: self, node: 0 }
    }

    pub(super) fn node(&self, id: u32) -> &Node {
        &self.nodes[id as usize]
    }

    pub(super) fn span(&self, range: Range) -> Span {
        Span::new(self.file, range.start, range.end)
    }

    pub(super) fn slice(&self, range: Range) -> &'t str {
        self.text.get(range.start as usize..range.end as usize).unwrap_or_default()
    }

    pub(super) fn key(&self, id: u32) -> &str {
        let node = self.node(id);
        if node.has(KEY_DECODED) {
            let found = self.decoded_keys.binary_search_by_key(&id, |(node, _)| *node);
            return found
                .ok()
                .and_then(|at| self.decoded.get(self.decoded_keys[at].1 as usize))
                .map_or("", |s| s);
        }
        let raw = self.slice(node.key);
        if is_quote(raw.as_bytes().first()) {
            raw.get(1..raw.len().saturating_sub(1)).unwrap_or("")
        } else {
            raw
        }
    }

    /// The child of `parent` with this key.
    pub(super) fn find(&self, parent: u32, key: &str, hash: u32) -> Option<u32> {
        let table = self.node(parent);
        if table.has(INDEXED) {
            return self.index.find(parent, hash, |node| {
                self.node(node).hash == index::upper(hash) && self.key(node) == key
            });
        }
        let upper = index::upper(hash);
        self.children(parent).find(|child| self.node(*child).hash == upper && self.key(*child) == key)
    }

    /// The children of a table or an array, in text order.
    pub(super) fn children(&self, parent: u32) -> impl Iterator<Item = u32> {
        let (first, _) = self.node(parent).halves();
        let some = |id: u32| (id != 0).then_some(id);
        iter::successors(some(first), move |id| some(self.node(*id).next))
    }
}

impl<'a, 't> Table<'a, 't> {
    /// Where the table was defined: its header `[host.web1]`, the inline table from `{` to `}`, or
    /// the key within a longer one that made it.
    pub fn span(self) -> Span {
        self.tree.span(self.tree.node(self.node).span)
    }

    /// The entries, in text order: a table stands where its first part stands.
    pub fn entries(self) -> impl Iterator<Item = Entry<'a, 't>> {
        self.tree.children(self.node).map(move |node| Entry { tree: self.tree, node })
    }

    /// The entry with this key, if there is one. Keys are compared decoded, case matters.
    pub fn get(self, key: &str) -> Option<Entry<'a, 't>> {
        let node = self.tree.find(self.node, key, index::hash(key.as_bytes()))?;
        Some(Entry { tree: self.tree, node })
    }

    /// Whether the table has no entry.
    pub fn is_empty(self) -> bool {
        self.tree.node(self.node).halves().0 == 0
    }

    /// Whether an entry of this very table could not be read, which has been reported. What seems
    /// missing then may only be unreadable.
    pub fn has_gaps(self) -> bool {
        self.tree.node(self.node).has(GAPS)
    }

    /// Whether no header and no braces defined the table, only longer keys or headers: `host` in `[host.web1]`.
    pub fn is_implicit(self) -> bool {
        self.tree.node(self.node).has(IMPLICIT)
    }
}

impl<'a, 't> Entry<'a, 't> {
    /// The key, decoded. Of a dotted key or header, the part that belongs to this entry.
    pub fn key(self) -> &'a str {
        self.tree.key(self.node)
    }

    /// Where the key stands, with its quotes. Of a table with several parts, the first.
    pub fn key_span(self) -> Span {
        self.tree.span(self.tree.node(self.node).key)
    }

    /// Whether the key is written in quotes.
    pub fn key_is_quoted(self) -> bool {
        is_quote(self.tree.text.as_bytes().get(self.tree.node(self.node).key.start as usize))
    }

    /// The value.
    pub fn value(self) -> Value<'a, 't> {
        Value { tree: self.tree, node: self.node }
    }
}

impl<'a, 't> Value<'a, 't> {
    /// Where the value stands, with its quotes or brackets. See [`Table::span`] for tables; a list
    /// made by `[[headers]]` has the first header's span.
    pub fn span(self) -> Span {
        self.tree.span(self.tree.node(self.node).span)
    }

    /// The value itself.
    pub fn kind(self) -> Kind<'a, 't> {
        let node = self.tree.node(self.node);
        match node.shape {
            Shape::String => Kind::String(self.string()),
            Shape::Integer => Kind::Integer(node.payload.cast_signed()),
            Shape::Float => Kind::Float(f64::from_bits(node.payload)),
            Shape::Boolean => Kind::Boolean(node.payload != 0),
            Shape::Datetime => Kind::Datetime(self.tree.slice(node.span)),
            Shape::Array => Kind::Array(Array { tree: self.tree, node: self.node }),
            Shape::Table => Kind::Table(Table { tree: self.tree, node: self.node }),
        }
    }

    /// Where octets `from..to` of the decoded string stand in the file, for a diagnostic that
    /// points inside: a line of `records = """…"""`, the second address of a range.
    ///
    /// Offsets past the end are the end of the content. The whole value's span if it is no string.
    pub fn string_part(self, from: usize, to: usize) -> Span {
        let node = self.tree.node(self.node);
        if node.shape != Shape::String {
            return self.span();
        }
        if !node.has(DECODED) {
            let (start, end) = node.halves();
            return self.tree.span(Range { start, end }).part(from, to);
        }
        let raw = self.tree.slice(node.span);
        let (from, to) = part::raw_range(raw, from, to);
        self.span().part(from, to)
    }

    fn string(self) -> &'a str {
        let node = self.tree.node(self.node);
        let (start, end) = node.halves();
        if node.has(DECODED) {
            return self.tree.decoded.get(start as usize).map_or("", |s| s);
        }
        self.tree.slice(Range { start, end })
    }
}

impl<'a, 't> Array<'a, 't> {
    /// The items, in text order.
    pub fn items(self) -> impl Iterator<Item = Value<'a, 't>> {
        self.tree.children(self.node).map(move |node| Value { tree: self.tree, node })
    }

    /// Number of items. Walks them.
    pub fn len(self) -> usize {
        self.tree.children(self.node).count()
    }

    /// Whether an item could not be read, which has been reported.
    pub fn has_gaps(self) -> bool {
        self.tree.node(self.node).has(GAPS)
    }

    /// Whether there is no item.
    pub fn is_empty(self) -> bool {
        self.tree.node(self.node).halves().0 == 0
    }
}

impl Kind<'_, '_> {
    /// The kind of value in words that follow «this is»: `a string`, `a number`, `a list`, ….
    pub fn describe(&self) -> &'static str {
        match self {
            Kind::String(_) => "a string",
            Kind::Integer(_) | Kind::Float(_) => "a number",
            Kind::Boolean(true) => "`true`",
            Kind::Boolean(false) => "`false`",
            Kind::Datetime(_) => "a date or time",
            Kind::Array(_) => "a list",
            Kind::Table(_) => "a table",
        }
    }
}

fn is_quote(byte: Option<&u8>) -> bool {
    matches!(byte, Some(b'"' | b'\''))
}

/// A key without escapes, without its quotes if it has any.
pub(super) fn unquoted(raw: &str) -> &str {
    if is_quote(raw.as_bytes().first()) { raw.get(1..raw.len().saturating_sub(1)).unwrap_or("") } else { raw }
}
