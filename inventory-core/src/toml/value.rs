//! Reading values: lists, inline tables, and the way to each kind of scalar.

use super::MAX_DEPTH;
use super::look;
use super::node::{INLINE, Node, Range, Shape};
use super::read::{Lost, Reader, Within};

impl Reader<'_, '_> {
    /// Reads a value that will be `depth` levels deep. Nothing comes back for one that was reported
    /// and whose meaning cannot be told; reading goes on after it.
    pub(super) fn value(&mut self, depth: usize, within: Within) -> Result<Option<u32>, Lost> {
        match self.peek() {
            b'"' | b'\'' => self.string(within).map(Some),
            b'[' | b'{' if depth >= MAX_DEPTH => Err(self.too_deep(self.at)),
            b'[' => self.list(depth).map(Some),
            b'{' => self.braces(depth).map(Some),
            _ => self.scalar(within),
        }
    }

    /// A list, from its `[`.
    fn list(&mut self, depth: usize) -> Result<u32, Lost> {
        let open = self.at;
        self.at += 1;
        let list = self.tree.push(Node::new(Shape::Array, Range::EMPTY, 0));
        loop {
            self.lines(open)?;
            match self.peek() {
                b']' => break,
                b'}' => return Err(self.mismatch(open)),
                b',' => {
                    self.extra_comma();
                    self.at += 1;
                    continue;
                }
                _ => {}
            }
            let start = self.at;
            match self.value(depth + 1, Within::List) {
                Ok(Some(item)) => self.tree.link(list, item),
                Ok(None) => self.tree.mark_gap(list),
                Err(lost) => {
                    self.tree.mark_gap(list);
                    if self.end_item(open, start, lost)? {
                        break;
                    }
                    continue;
                }
            }
            self.lines(open)?;
            match self.peek() {
                b',' => self.at += 1,
                b']' => break,
                _ => self.no_comma(open, start)?,
            }
        }
        self.at = (self.at + 1).min(self.bytes.len());
        self.tree.set_span(list, Range::new(open, self.at));
        Ok(list)
    }

    /// An inline table, from its `{`.
    fn braces(&mut self, depth: usize) -> Result<u32, Lost> {
        let open = self.at;
        self.template(open)?;
        self.at += 1;
        let mut node = Node::new(Shape::Table, Range::EMPTY, 0);
        node.flags = INLINE;
        let table = self.tree.push(node);
        loop {
            self.lines(open)?;
            match self.peek() {
                b'}' => break,
                b']' => return Err(self.mismatch(open)),
                b',' => {
                    self.extra_comma();
                    self.at += 1;
                    continue;
                }
                _ => {}
            }
            let start = self.at;
            if let Err(lost) = self.entry(table, depth, Within::Braces) {
                self.tree.mark_gap(table);
                if self.end_item(open, start, lost)? {
                    break;
                }
                continue;
            }
            self.lines(open)?;
            match self.peek() {
                b',' => self.at += 1,
                b'}' => break,
                _ => self.no_comma(open, start)?,
            }
        }
        self.at = (self.at + 1).min(self.bytes.len());
        self.tree.set_span(table, Range::new(open, self.at));
        Ok(table)
    }

    /// Blanks, comments and line ends between brackets. Where a line begins that does not belong
    /// between brackets, or the text ends, the bracket at `open` was never closed.
    fn lines(&mut self, open: usize) -> Result<(), Lost> {
        loop {
            self.blanks();
            match self.peek() {
                b'\n' => self.at += 1,
                b'\r' => self.newline(),
                b'#' => self.comment(),
                0 if self.at_end() => return Err(self.unclosed(open)),
                _ => return Ok(()),
            }
            if self.leaves_bracket(open) {
                return Err(self.unclosed(open));
            }
        }
    }

    /// Whether the line that begins here cannot belong to the bracket at `open`.
    fn leaves_bracket(&mut self, open: usize) -> bool {
        let first = look::skip_blanks(self.bytes, self.at);
        match self.bytes.get(first) {
            Some(b'[') => look::is_header(self.bytes, self.at),
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') if self.bytes.get(open) == Some(&b'[') => {
                look::is_entry(self.bytes, self.at)
            }
            Some(b'<' | b'=' | b'>' | b'|') => {
                self.skip_conflict();
                false
            }
            _ => false,
        }
    }
}
