//! Headers: which table the lines below add to.
//!
//! A header that cannot be read, or names what cannot be defined, still owns the lines below it:
//! they are read into a table that is nobody's child, so that they do not land in the table before.

use super::MAX_DEPTH;
use super::grow::{By, Clash};
use super::node::{Node, Range, Shape};
use super::read::{Reader, Within};

impl Reader<'_, '_> {
    /// A header `[path]` or `[[path]]`.
    pub(super) fn header(&mut self) {
        let start = self.at;
        let mut double = self.bytes.get(start + 1) == Some(&b'[');
        self.at += 1 + usize::from(double);
        self.blanks();
        if self.keys(Within::Header).is_err() {
            return self.lose_header(start);
        }
        match self.close_header(start, &mut double) {
            Some(end) => {
                self.open(Range::new(start, end), double);
                self.end_line();
            }
            None => self.lose_header(start),
        }
    }

    /// Makes the table that a header names the one that lines add to.
    fn open(&mut self, header: Range, double: bool) {
        let Some((key, path)) = self.path.split_last() else { return };
        let key = *key;
        let mut parent = 0;
        let mut depth = self.path.len() + usize::from(double);
        for step in path {
            match self.tree.enter(parent, step, By::Header) {
                Ok(next) => {
                    depth += usize::from(self.tree.is_item(next));
                    parent = self
                        .second
                        .iter()
                        .rfind(|(first, _)| *first == next)
                        .map_or(next, |(_, second)| *second);
                }
                Err(clash) => {
                    let step = *step;
                    self.clash(&step, clash, Some(header));
                    self.detach(header);
                    return;
                }
            }
            if depth > MAX_DEPTH {
                break;
            }
        }
        if depth > MAX_DEPTH {
            self.too_deep(header.start as usize);
            self.detach(header);
            return;
        }
        let table = if double {
            self.tree.define_item(parent, &key, header)
        } else {
            self.tree.define(parent, &key, header)
        };
        match table {
            Ok(table) => (self.table, self.depth) = (table, depth),
            Err(clash) => {
                self.clash(&key, clash, Some(header));
                self.detach(header);
                if let Clash::Twice(first) = clash {
                    self.second.push((first, self.table));
                }
            }
        }
    }

    /// Goes on after a header at `start` that cannot be read.
    fn lose_header(&mut self, start: usize) {
        self.detach(Range::new(start, start));
        self.tree.mark_gap(0);
        self.skip_line();
    }

    /// Lets the lines that follow be read, but into nowhere: their table is nobody's child.
    fn detach(&mut self, header: Range) {
        self.table = self.tree.push(Node::new(Shape::Table, header, 0));
        self.depth = 1;
    }
}
