//! Reading a document line by line: entries, comments, and the way back after a mistake.

use super::MAX_DEPTH;
use super::grow::{By, Clash, Key, Slot};
use super::index;
use super::look::{self, BARE, CONTROL, KEY_START};
use super::node::Range;
use super::tree::Tree;
use crate::diag::{Finding, Rule};
use crate::span::{FileId, Span};

/// Findings of [`Rule::Syntax`] after which a file is read no further.
const SYNTAX_FINDINGS: usize = 20;
/// Findings of [`Rule::DefinedTwice`] after which a file is read no further.
const TWICE_FINDINGS: usize = 100;

/// A statement that cannot be read to its end. Its mistake has been reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// The next statement begins on the next line.
    Line,
    /// A bracket is open: the next statement has to be looked for.
    Bracket,
    /// The next statement begins here.
    Here,
}

/// What an entry or value stands in, which says where it can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Within {
    /// A line of its own.
    Line,
    /// `[…]` as a list.
    List,
    /// `{…}`
    Braces,
    /// `[…]` as a header.
    Header,
}

/// One pass over one text.
pub(super) struct Reader<'t, 'f> {
    pub(super) tree: Tree<'t>,
    pub(super) text: &'t str,
    pub(super) bytes: &'t [u8],
    /// The next octet to be read.
    pub(super) at: usize,
    /// The table that lines add to, and how deep it is.
    pub(super) table: u32,
    pub(super) depth: usize,
    /// The keys of the path being read; whoever recovers may replace them.
    pub(super) path: Vec<Key>,
    /// Tables defined twice, with the detached table that takes what belongs to the second.
    pub(super) second: Vec<(u32, u32)>,
    /// Within `<<<<<<<` and `=======`: the other side is skipped.
    pub(super) in_conflict: bool,
    /// A carriage return without line feed has been reported.
    pub(super) bare_return: bool,
    /// What follows is a consequence of what was reported.
    pub(super) quiet: bool,
    findings: &'f mut Vec<Finding>,
    syntax_left: usize,
    twice_left: usize,
}

/// Reads all of `text`, which is shorter than 4 GiB.
pub(super) fn read<'t>(text: &'t str, file: FileId, findings: &mut Vec<Finding>) -> Tree<'t> {
    let mut reader = Reader {
        tree: Tree::new(text, file),
        text,
        bytes: text.as_bytes(),
        at: if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 },
        table: 0,
        depth: 0,
        path: Vec::new(),
        second: Vec::new(),
        in_conflict: false,
        bare_return: false,
        quiet: false,
        findings,
        syntax_left: SYNTAX_FINDINGS,
        twice_left: TWICE_FINDINGS,
    };
    reader.document();
    reader.tree
}

impl Reader<'_, '_> {
    fn document(&mut self) {
        while self.syntax_left > 0 && self.twice_left > 0 {
            self.quiet = false;
            self.blanks();
            match self.peek() {
                b'\n' => self.at += 1,
                b'#' => self.comment(),
                b'[' => self.header(),
                byte if look::is(byte, KEY_START) => self.line(),
                0 if self.at_end() => return,
                _ => self.odd_line(),
            }
        }
        // Too many mistakes: there may be more tables than were read.
        self.tree.mark_gap(0);
    }

    /// The next octet; 0 at the end of the text.
    pub(super) fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    pub(super) fn at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    pub(super) fn blanks(&mut self) {
        while matches!(self.peek(), b' ' | b'\t') {
            self.at += 1;
        }
    }

    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        self.tree.span(Range::new(start, end))
    }

    /// Takes a finding, unless it is a consequence of another one or there are too many.
    pub(super) fn report(&mut self, finding: Finding) {
        let left =
            if finding.rule == Rule::DefinedTwice { &mut self.twice_left } else { &mut self.syntax_left };
        if !self.quiet && *left > 0 {
            *left -= 1;
            self.findings.push(finding);
        }
    }

    /// Whether no finding of syntax is taken now. What costs time and serves findings only may be left.
    pub(super) fn is_full(&self) -> bool {
        self.quiet || self.syntax_left == 0
    }

    /// A line `key = value`.
    pub(super) fn line(&mut self) {
        let read = self.entry(self.table, self.depth, Within::Line);
        match read {
            Ok(()) => self.end_line(),
            Err(Lost::Here) => {}
            Err(Lost::Line) => self.skip_line(),
            Err(Lost::Bracket) => self.at = look::next_statement(self.bytes, self.at),
        }
        if read.is_err() {
            self.tree.mark_gap(self.table);
        }
    }

    /// Reads `key = value` into `table`; in braces as well as on a line.
    pub(super) fn entry(&mut self, table: u32, depth: usize, within: Within) -> Result<(), Lost> {
        let start = self.at;
        let plain = self.plain_key_and_equals();
        let mut levels = 1;
        if plain.is_none() {
            self.keys(within)?;
            if self.peek() == b'=' {
                self.at += 1;
            } else {
                self.no_equals(start, within)?;
            }
            levels = self.path.len();
        }
        self.blanks();
        if self.peek() == b'=' {
            self.extra_equals();
        }
        let depth = depth + levels;
        if depth > MAX_DEPTH {
            return Err(self.too_deep(start));
        }
        let spot = match plain {
            Some(key) => self.free_spot(table, key),
            None => self.spot(table, within),
        };
        let value = self.value(depth, within);
        let Some((parent, key, siblings)) = spot else { return value.map(|_| ()) };
        if let Ok(Some(value)) = value {
            self.tree.attach(parent, &key, value, siblings);
        } else {
            self.tree.mark_gap(parent);
        }
        value.map(|_| ())
    }

    /// Reads `key =`, which most entries begin with; nothing is read if something else is next.
    fn plain_key_and_equals(&mut self) -> Option<Key> {
        let rest = self.bytes.get(self.at..)?;
        let len = rest.iter().position(|byte| !look::is(*byte, BARE))?;
        let blanks = rest[len..].iter().position(|byte| !matches!(byte, b' ' | b'\t'))?;
        if len == 0 || rest[len + blanks] != b'=' {
            return None;
        }
        let range = Range::new(self.at, self.at + len);
        self.at += len + blanks + 1;
        Some(Key { range, hash: index::hash(&rest[..len]), decoded: 0 })
    }

    /// Where the path just read leads from `table`, or nothing if something is in the way.
    fn spot(&mut self, table: u32, within: Within) -> Option<(u32, Key, usize)> {
        let by = if within == Within::Line { By::Dotted } else { By::Inline };
        let (key, path) = self.path.split_last()?;
        let mut parent = table;
        for step in path {
            match self.tree.enter(parent, step, by) {
                Ok(next) => parent = next,
                Err(clash) => {
                    let step = *step;
                    self.clash(&step, clash, None);
                    return None;
                }
            }
        }
        let key = *key;
        // The last item of a list made by headers is no table of dotted keys.
        if let Some(step) = path.last().filter(|_| !self.tree.is_implicit(parent)) {
            let step = *step;
            self.clash(&step, Clash::MadeByHeader(parent), None);
            return None;
        }
        self.free_spot(parent, key)
    }

    /// The place of `key` below `parent`, with what [`Tree::attach`] wants; nothing if it is taken.
    fn free_spot(&mut self, parent: u32, key: Key) -> Option<(u32, Key, usize)> {
        match self.tree.seek(parent, &key) {
            Slot::Free(siblings) => Some((parent, key, siblings)),
            Slot::Taken(found) => {
                self.clash(&key, Clash::Twice(found), None);
                None
            }
        }
    }

    /// Reads a key, dotted or not, and the blanks after it.
    pub(super) fn keys(&mut self, within: Within) -> Result<(), Lost> {
        self.path.clear();
        loop {
            let key = self.key(within)?;
            self.path.push(key);
            self.blanks();
            if self.peek() != b'.' {
                return Ok(());
            }
            self.at += 1;
            self.blanks();
        }
    }

    fn key(&mut self, within: Within) -> Result<Key, Lost> {
        let start = self.at;
        if matches!(self.peek(), b'"' | b'\'') {
            return self.quoted_key(within);
        }
        let rest = self.bytes.get(start..).unwrap_or_default();
        let len = rest.iter().position(|byte| !look::is(*byte, BARE)).unwrap_or(rest.len());
        self.at += len;
        match rest.get(len) {
            Some(b' ' | b'\t' | b'=' | b'.' | b']' | b'\r' | b'\n') | None if len > 0 => {
                let hash = index::hash(&rest[..len]);
                Ok(Key { range: Range::new(start, start + len), hash, decoded: 0 })
            }
            _ => self.odd_key(start, within),
        }
    }

    fn quoted_key(&mut self, within: Within) -> Result<Key, Lost> {
        let start = self.at;
        let decoded = self.quoted(within)?;
        let range = Range::new(start, self.at);
        match decoded {
            Some(at) => {
                let hash = index::hash(self.tree.decoded[at as usize].as_bytes());
                Ok(Key { range, hash, decoded: at + 1 })
            }
            None => Ok(self.plain_key(range)),
        }
    }

    /// What stands after a statement: a comment or nothing, and the line's end.
    pub(super) fn end_line(&mut self) {
        self.blanks();
        match self.peek() {
            b'\n' => self.at += 1,
            b'#' => self.comment(),
            b'\r' => self.newline(),
            0 if self.at_end() => {}
            _ => {
                self.trailing();
                self.skip_line();
            }
        }
    }

    pub(super) fn skip_line(&mut self) {
        self.at = (look::line_end(self.bytes, self.at) + 1).min(self.bytes.len());
    }

    /// A comment and the line's end.
    pub(super) fn comment(&mut self) {
        self.at = look::find(self.bytes, self.at, CONTROL);
        match self.peek() {
            b'\n' => self.at += 1,
            b'\r' => self.newline(),
            0 if self.at_end() => {}
            _ => {
                self.control_character("a comment");
                self.skip_line();
            }
        }
    }

    /// A line's end that begins with a carriage return.
    pub(super) fn newline(&mut self) {
        if self.bytes.get(self.at + 1) == Some(&b'\n') {
            self.at += 2;
        } else {
            self.lone_return();
            self.at += 1;
        }
    }
}
