//! Marks that an unfinished merge leaves: `<<<<<<<`, `|||||||`, `=======`, `>>>>>>>`.
//!
//! A conflict is one mistake: the first side is read, the others are passed over, or everything in
//! the conflict would seem to be defined twice.

use super::super::look;
use super::super::read::Reader;
use crate::diag::{Finding, Rule};

impl Reader<'_, '_> {
    /// Passes over the mark of a conflict, if the line that begins here is one. Whether it was.
    pub(in crate::toml) fn skip_conflict(&mut self) -> bool {
        if !look::is_conflict(self.bytes, self.at) {
            return false;
        }
        let other_side = matches!(self.peek(), b'=' | b'|') && self.in_conflict;
        if !other_side {
            self.report_conflict();
            self.in_conflict = self.peek() == b'<';
            self.skip_line();
            return true;
        }
        self.in_conflict = false;
        while !self.at_end() {
            let last = self.peek() == b'>' && look::is_conflict(self.bytes, self.at);
            self.skip_line();
            if last {
                break;
            }
        }
        true
    }

    fn report_conflict(&mut self) {
        if self.is_full() {
            return;
        }
        let span = self.span(self.at, self.content_end(self.at));
        let mut finding = Finding::new(Rule::Syntax, span, "an unresolved merge conflict")
            .label("left by a merge")
            .help("choose between the two sides and delete the lines `<<<<<<<`, `=======` and `>>>>>>>`");
        if let Some(end) = self.text.get(self.at..).and_then(|rest| rest.find("\n>>>>>>>")) {
            let end = self.at + end + 1;
            finding = finding.other(self.span(end, self.content_end(end)), "it ends here");
        }
        self.report(finding);
    }
}
