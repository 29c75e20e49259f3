//! Adding to the tree: which keys may be defined again, which tables extended.
//!
//! TOML's rules (section «Table» of the specification), as the crate `toml` reads them: a table has
//! one header; a table that exists only as part of longer headers may get its own later; dotted keys
//! extend only tables that dotted keys made; inline tables are closed; `[[headers]]` extend only
//! lists that `[[headers]]` made. What breaks a rule is a [`Clash`], the caller words it.

use super::index::{self, SMALL};
use super::node::{
    BY_HEADERS, DOTTED, GAPS, IMPLICIT, INDEXED, INLINE, KEY_DECODED, Node, Range, Shape, pack,
};
use super::tree::{Tree, unquoted};

/// A key that was read and belongs to no node yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    /// As written, with quotes.
    pub(super) range: Range,
    /// Of the decoded key.
    pub(super) hash: u32,
    /// Its place in [`Tree::decoded`] plus one, or 0 when it had no escapes.
    pub(super) decoded: u32,
}

/// What leads to a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// A `[header]` or `[[header]]`.
    Header,
    /// A dotted key on a line of its own.
    Dotted,
    /// A dotted key in an inline table.
    Inline,
}

/// Why a key cannot be used; with the node that is in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clash {
    /// The key has a value, or the table a header.
    Twice(u32),
    /// The node is neither a table nor a list made by headers: nothing can be below it.
    NoTable(u32),
    /// The table is an inline one.
    Closed(u32),
    /// Dotted keys made the table, a header shall define it.
    MadeByKeys(u32),
    /// A header made the table, a dotted key shall extend it.
    MadeByHeader(u32),
}

/// Where a key would stand.
#[derive(Clone, Copy, Debug)]
pub(super) enum Slot {
    /// There is such a child.
    Taken(u32),
    /// There is none; so many siblings were looked at.
    Free(usize),
}

impl Tree<'_> {
    /// Adds a node to the arena, as nobody's child.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a node takes two octets of text, which has less than 4 Gi"
    )]
    pub(super) fn push(&mut self, node: Node) -> u32 {
        self.nodes.push(node);
        (self.nodes.len() - 1) as u32
    }

    /// Makes `child` the last child of `parent`.
    pub(super) fn link(&mut self, parent: u32, child: u32) {
        let (first, last) = self.node(parent).halves();
        if last == 0 {
            self.nodes[parent as usize].payload = pack(child, child);
        } else {
            self.nodes[last as usize].next = child;
            self.nodes[parent as usize].payload = pack(first, child);
        }
    }

    /// Sets where a value ends, once that is known.
    pub(super) fn set_span(&mut self, id: u32, span: Range) {
        self.nodes[id as usize].span = span;
    }

    /// Notes that something below `table` could not be read.
    pub(super) fn mark_gap(&mut self, table: u32) {
        self.nodes[table as usize].flags |= GAPS;
    }

    /// The key, decoded.
    pub(super) fn key_text(&self, key: &Key) -> &str {
        match key.decoded.checked_sub(1) {
            Some(at) => self.decoded.get(at as usize).map_or("", |s| s),
            None => unquoted(self.slice(key.range)),
        }
    }

    /// Whether only longer keys or headers made the table.
    pub(super) fn is_implicit(&self, table: u32) -> bool {
        self.node(table).has(IMPLICIT)
    }

    /// Whether the table is an item of a list rather than the value of a key.
    pub(super) fn is_item(&self, table: u32) -> bool {
        table != 0 && self.node(table).key == Range::EMPTY
    }

    /// Looks for `key` below `parent`.
    pub(super) fn seek(&self, parent: u32, key: &Key) -> Slot {
        if self.node(parent).has(INDEXED) {
            let found = self.find(parent, self.key_text(key), key.hash);
            return found.map_or(Slot::Free(usize::MAX), Slot::Taken);
        }
        let upper = index::upper(key.hash);
        let mut siblings = 0;
        for child in self.children(parent) {
            if self.node(child).hash == upper && self.key(child) == self.key_text(key) {
                return Slot::Taken(child);
            }
            siblings += 1;
        }
        Slot::Free(siblings)
    }

    /// Makes `child` the entry `key` of `parent`; `siblings` is from [`Slot::Free`].
    pub(super) fn attach(&mut self, parent: u32, key: &Key, child: u32, siblings: usize) {
        self.name(child, key);
        self.link(parent, child);
        if siblings == usize::MAX {
            self.index.insert(parent, key.hash, child);
        } else if siblings >= SMALL {
            let children: Vec<u32> = self.children(parent).collect();
            for child in children {
                let hash = index::hash(self.key(child).as_bytes());
                self.index.insert(parent, hash, child);
            }
            self.nodes[parent as usize].flags |= INDEXED;
        }
    }

    fn name(&mut self, id: u32, key: &Key) {
        let node = &mut self.nodes[id as usize];
        node.key = key.range;
        node.hash = index::upper(key.hash);
        if let Some(decoded) = key.decoded.checked_sub(1) {
            node.flags |= KEY_DECODED;
            let at = self.decoded_keys.partition_point(|(node, _)| *node < id);
            self.decoded_keys.insert(at, (id, decoded));
        }
    }

    /// The table below `parent` that `key` leads to, made if there is none.
    pub(super) fn enter(&mut self, parent: u32, key: &Key, by: By) -> Result<u32, Clash> {
        let found = match self.seek(parent, key) {
            Slot::Taken(found) => found,
            Slot::Free(siblings) => {
                let mut table = Node::new(Shape::Table, key.range, 0);
                table.flags = match by {
                    By::Header => IMPLICIT,
                    By::Dotted => IMPLICIT | DOTTED,
                    By::Inline => IMPLICIT | DOTTED | INLINE,
                };
                let table = self.push(table);
                self.attach(parent, key, table, siblings);
                return Ok(table);
            }
        };
        let node = self.node(found);
        match node.shape {
            Shape::Array if node.has(BY_HEADERS) && by != By::Inline => Ok(node.halves().1),
            Shape::Table if node.has(INLINE) && by != By::Inline => Err(Clash::Closed(found)),
            Shape::Table if by == By::Header => Ok(found),
            Shape::Table if !node.has(IMPLICIT) => {
                Err(if by == By::Inline { Clash::Closed(found) } else { Clash::MadeByHeader(found) })
            }
            Shape::Table => {
                self.nodes[found as usize].flags |= DOTTED;
                Ok(found)
            }
            Shape::String
            | Shape::Integer
            | Shape::Float
            | Shape::Boolean
            | Shape::Datetime
            | Shape::Array => Err(Clash::NoTable(found)),
        }
    }

    /// The table that `[header]` defines, its last key being `key` below `parent`.
    pub(super) fn define(&mut self, parent: u32, key: &Key, header: Range) -> Result<u32, Clash> {
        let found = match self.seek(parent, key) {
            Slot::Taken(found) => found,
            Slot::Free(siblings) => {
                let table = self.push(Node::new(Shape::Table, header, 0));
                self.attach(parent, key, table, siblings);
                return Ok(table);
            }
        };
        let node = self.node(found);
        if node.shape != Shape::Table {
            return Err(if node.has(BY_HEADERS) { Clash::Twice(found) } else { Clash::NoTable(found) });
        }
        if node.has(INLINE) {
            return Err(Clash::Closed(found));
        }
        if node.has(DOTTED) {
            return Err(Clash::MadeByKeys(found));
        }
        if !node.has(IMPLICIT) {
            return Err(Clash::Twice(found));
        }
        // From now on the table stands where its own header is. A decoded key stays with its node.
        let decoded = node.has(KEY_DECODED) || key.decoded != 0;
        let node = &mut self.nodes[found as usize];
        node.flags &= !IMPLICIT;
        node.span = header;
        if !decoded {
            node.key = key.range;
        }
        Ok(found)
    }

    /// The table that `[[header]]` adds to a list, its last key being `key` below `parent`.
    pub(super) fn define_item(&mut self, parent: u32, key: &Key, header: Range) -> Result<u32, Clash> {
        let list = match self.seek(parent, key) {
            Slot::Taken(found) if self.node(found).has(BY_HEADERS) => found,
            Slot::Taken(found) => {
                let clash =
                    if self.node(found).shape == Shape::Table { Clash::Twice } else { Clash::NoTable };
                return Err(clash(found));
            }
            Slot::Free(siblings) => {
                let mut list = Node::new(Shape::Array, header, 0);
                list.flags = BY_HEADERS;
                let list = self.push(list);
                self.attach(parent, key, list, siblings);
                list
            }
        };
        let table = self.push(Node::new(Shape::Table, header, 0));
        self.link(list, table);
        Ok(table)
    }
}
