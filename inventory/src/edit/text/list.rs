//! Items of arrays and entries of inline tables: put in, taken out, replaced.

use super::outline::{Element, Inner, Value, decoded};
use super::{Doc, Literal, What};

/// One step from a list to another; indices count in the list as it is before the step.
enum Step {
    Replace(usize, String),
    Insert(usize, String),
    Remove(usize),
}

impl Doc {
    /// Makes the items of the array at octet `start` equal to `wanted`. Items that stay keep their place
    /// and comments.
    pub(super) fn replace_items(&mut self, start: usize, wanted: &[String]) {
        let items = self.elements_at(start);
        let old: Vec<String> =
            items.iter().map(|item| decoded(&self.text[item.value.span.clone()])).collect();
        let new: Vec<String> = wanted.iter().map(|literal| decoded(literal)).collect();
        for step in steps(&old, &new, wanted).into_iter().rev() {
            match step {
                Step::Replace(index, literal) => {
                    let place = self.elements_at(start)[index].value.span.clone();
                    let literal = Doc::like(&self.text[place.clone()], &Literal::One(literal));
                    self.splice(place, &literal);
                }
                Step::Insert(index, literal) => self.insert_element(start, index, &literal),
                Step::Remove(index) => self.remove_element(start, index),
            }
        }
    }

    /// Puts `element` before the one with this index, or at the end, of the brackets at octet `start`.
    pub(super) fn insert_element(&mut self, start: usize, index: usize, element: &str) {
        let elements = self.elements_at(start);
        if let Some(next) = elements.get(index) {
            let at = next.span().start;
            let own_line = self.indent_of_own_line(at);
            let gap = own_line.map_or_else(|| " ".to_owned(), |indent| format!("{}{indent}", self.newline()));
            self.splice(at..at, &format!("{element},{gap}"));
            return;
        }
        let Some(last) = elements.last() else { return self.fill(start, element) };
        let (end, comma) = (last.span().end, last.comma);
        let Some(indent) = self.indent_of_own_line(last.span().start).map(str::to_owned) else {
            match comma {
                Some(comma) => self.splice(comma..comma, &format!(" {element},")),
                None => self.splice(end..end, &format!(", {element}")),
            }
            return;
        };
        let close = self.end_of(start).saturating_sub(1);
        let line_end = self.text[end..].find(['\n', '\r']).map_or(close, |at| end + at);
        let at = if line_end > close { comma.unwrap_or(end) } else { line_end };
        let after = if comma.is_some() { "," } else { "" };
        let line = format!("{}{indent}{element}{after}", self.newline());
        self.splice(at..at, &line);
        if comma.is_none() {
            self.splice(end..end, ",");
        }
    }

    /// Takes out the element with this index of the brackets at octet `start`.
    pub(super) fn remove_element(&mut self, start: usize, index: usize) {
        let elements = self.elements_at(start);
        let Some(element) = elements.get(index) else { return };
        let span = element.span();
        let end = element.comma.unwrap_or(span.end);
        let before = index.checked_sub(1).and_then(|before| elements.get(before));
        let line_start = self.text[..span.start].rfind('\n').map_or(0, |at| at + 1);
        let rest = &self.text[end..];
        let line_end = rest.find('\n').map(|at| end + at + 1);
        let tail = rest.split('\n').next().unwrap_or_default().trim();
        let alone =
            (tail.is_empty() || tail.starts_with('#')) && self.indent_of_own_line(span.start).is_some();
        if let (true, Some(line_end)) = (alone, line_end) {
            let drops_comma = element.comma.is_none().then_some(before).flatten().and_then(|one| one.comma);
            self.splice(line_start..line_end, "");
            if let Some(comma) = drops_comma {
                self.splice(comma - 1..comma, "");
            }
        } else if element.comma.is_some() {
            let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
            self.splice(span.start..end + blanks, "");
        } else {
            let from = before.map_or(span.start, |before| before.span().end);
            let from = if self.text[from..span.start].contains(['\n', '#']) { span.start } else { from };
            self.splice(from..end, "");
        }
        self.tidy(start);
    }

    /// Empty brackets are written without anything in them, unless a comment is there.
    fn tidy(&mut self, start: usize) {
        let end = self.end_of(start);
        let inside = start + 1..end.saturating_sub(1);
        if self.text.get(inside.clone()).is_some_and(|text| text.trim().is_empty()) {
            self.splice(inside, "");
        }
    }

    /// Puts the first element into empty brackets.
    fn fill(&mut self, start: usize, element: &str) {
        let inside = start + 1..self.end_of(start).saturating_sub(1);
        let braces = self.text.as_bytes().get(start) == Some(&b'{');
        let filled = if braces { format!(" {element} ") } else { element.to_owned() };
        let blank = self.text.get(inside.clone()).is_some_and(|text| text.trim().is_empty());
        self.splice(if blank { inside } else { start + 1..start + 1 }, &filled);
    }

    /// Blanks before octet `at` if nothing else stands before it on its line.
    fn indent_of_own_line(&self, at: usize) -> Option<&str> {
        let line_start = self.text[..at].rfind('\n')? + 1;
        let indent = &self.text[line_start..at];
        indent.trim().is_empty().then_some(indent)
    }

    fn elements_at(&self, start: usize) -> Vec<Element> {
        match self.brackets(start).map(|value| &value.inner) {
            Some(Inner::Array(elements) | Inner::Table(elements)) => elements.clone(),
            _ => Vec::new(),
        }
    }

    fn end_of(&self, start: usize) -> usize {
        self.brackets(start).map_or(start, |value| value.span.end)
    }

    /// The array or inline table that starts at octet `start`.
    fn brackets(&self, start: usize) -> Option<&Value> {
        fn within(value: &Value, start: usize) -> Option<&Value> {
            if value.span.start == start {
                return Some(value);
            }
            match &value.inner {
                Inner::Array(elements) | Inner::Table(elements) => {
                    elements.iter().find_map(|element| within(&element.value, start))
                }
                Inner::Scalar => None,
            }
        }
        let statements = &self.outline.statements;
        let index = statements.partition_point(|statement| statement.span.end <= start);
        match &statements.get(index)?.what {
            What::Entry(value) => within(value, start),
            _ => None,
        }
    }
}

/// The steps from `old` to `new`, whose texts are `literals`, in ascending order.
fn steps(old: &[String], new: &[String], literals: &[String]) -> Vec<Step> {
    use similar::DiffOp;

    let mut steps = Vec::new();
    let literal = |index: usize| literals.get(index).cloned().unwrap_or_default();
    for op in similar::capture_diff_slices(similar::Algorithm::Myers, old, new) {
        match op {
            DiffOp::Equal { .. } => {}
            DiffOp::Delete { old_index, old_len, .. } => {
                steps.extend((old_index..old_index + old_len).map(Step::Remove));
            }
            DiffOp::Insert { old_index, new_index, new_len } => {
                // Run from the last to the first, each pushes those after it up.
                steps.extend((new_index..new_index + new_len).map(|at| Step::Insert(old_index, literal(at))));
            }
            DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                let both = old_len.min(new_len);
                steps.extend((0..both).map(|at| Step::Replace(old_index + at, literal(new_index + at))));
                steps.extend((both..old_len).map(|at| Step::Remove(old_index + at)));
                steps.extend(
                    (both..new_len).map(|at| Step::Insert(old_index + both, literal(new_index + at))),
                );
            }
        }
    }
    steps
}
