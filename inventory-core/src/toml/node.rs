//! One node of the arena: a key with its value, or an item of a list.

/// A byte range of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Range {
    pub(super) const EMPTY: Range = Range { start: 0, end: 0 };

    /// `start..end`. The caller has made sure that the text is shorter than 4 GiB.
    #[expect(clippy::cast_possible_truncation, reason = "`parse` refuses texts of 4 GiB and more")]
    pub(super) const fn new(start: usize, end: usize) -> Range {
        Range { start: start as u32, end: end as u32 }
    }
}

/// What a node holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    String,
    Integer,
    Float,
    Boolean,
    Datetime,
    Array,
    Table,
}

/// The table was made by a longer path (`[a.b]` makes `a`, `a.b = 1` makes `a`), not by its own header.
pub(super) const IMPLICIT: u8 = 1;
/// The table was made or extended by a dotted key; no header may define it any more.
pub(super) const DOTTED: u8 = 2;
/// The table is an inline table or part of one: closed.
pub(super) const INLINE: u8 = 4;
/// The array grows by `[[headers]]`.
pub(super) const BY_HEADERS: u8 = 8;
/// The table's children are in the tree's index.
pub(super) const INDEXED: u8 = 16;
/// The string had escapes: its payload is an index into the decoded strings.
pub(super) const DECODED: u8 = 32;
/// The key had escapes: it is in the list of decoded keys.
pub(super) const KEY_DECODED: u8 = 64;
/// Something below this table could not be read.
pub(super) const GAPS: u8 = 128;

/// A node. Kept at 32 octets: there are some twenty per host.
///
/// `payload` is, by shape: the range of a string's content (or its index among the decoded
/// strings), the bits of a number or boolean, the first and last child of an array or table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// The key as written, with its quotes; empty for items.
    pub(super) key: Range,
    /// The value as written; see [`super::Table::span`] for tables.
    pub(super) span: Range,
    pub(super) payload: u64,
    /// The next sibling, or 0: the root is nobody's sibling.
    pub(super) next: u32,
    /// Upper half of the key's hash.
    pub(super) hash: u16,
    pub(super) shape: Shape,
    pub(super) flags: u8,
}

const _: () = assert!(size_of::<Node>() == 32);

impl Node {
    pub(super) const fn new(shape: Shape, span: Range, payload: u64) -> Node {
        Node { key: Range::EMPTY, span, payload, next: 0, hash: 0, shape, flags: 0 }
    }

    pub(super) const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The two halves of the payload: a range's ends, or the first and last child.
    #[expect(clippy::cast_possible_truncation, reason = "halves")]
    pub(super) const fn halves(&self) -> (u32, u32) {
        ((self.payload >> 32) as u32, self.payload as u32)
    }
}

/// A payload of two halves.
pub(super) const fn pack(first: u32, second: u32) -> u64 {
    ((first as u64) << 32) | second as u64
}
