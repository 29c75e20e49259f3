//! Records on their way to the disk: which position comes next, and up to which all are durable.

/// Where the writing of records is.
#[derive(Debug, Default)]
pub(super) struct Journal {
    last: u64,
    committed: u64,
    failing: bool,
}

impl Journal {
    /// A journal whose records up to `last` are durable.
    pub(super) fn after(last: u64) -> Journal {
        Journal { last, committed: last, failing: false }
    }

    /// The position of the record that is written next.
    pub(super) fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// All records up to `position` are durable.
    pub(super) fn commit(&mut self, position: u64) {
        self.committed = self.committed.max(position.min(self.last));
        self.failing = false;
    }

    /// Records can't be made durable for now.
    pub(super) fn fail(&mut self) {
        self.failing = true;
    }

    /// Whether records can't be made durable for now.
    pub(super) fn is_failing(&self) -> bool {
        self.failing
    }

    /// What a reply waits for that promises what the record at `position` says.
    pub(super) fn waits_for(&self, position: u64) -> Option<u64> {
        (position > self.committed).then_some(position)
    }
}
