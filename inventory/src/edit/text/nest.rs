//! Moving keys of a table into a table below it.

use super::{Doc, What, literal};

impl Doc {
    /// Moves `keys` of `table` into the table `below` it, which is not there yet: `mac = …` of
    /// `[host.web1]` goes under a new header `[host.web1.nic.lan]`, with the comment at its end. Without a
    /// header of its own, they become `nic.lan.mac = …` where they are.
    pub(crate) fn nest(&mut self, table: &[&str], keys: &[&str], below: &[&str]) {
        let Some(header) = self.header(table) else { return self.nest_in_place(table, keys, below) };
        let body = self.body(header);
        let moves: Vec<usize> = body
            .filter(|index| {
                let statement = &self.outline.statements[*index];
                let name =
                    statement.path.get(table.len()).filter(|_| statement.path.len() == table.len() + 1);
                matches!(statement.what, What::Entry(_))
                    && name.is_some_and(|name| keys.contains(&name.as_str()))
            })
            .collect();
        let newline = self.newline();
        let path: Vec<String> = table.iter().chain(below).map(|part| literal::key(part)).collect();
        let mut text = format!("[{}]{newline}", path.join("."));
        for index in &moves {
            let line = &self.text[self.outline.statements[*index].span.clone()];
            text += line;
            if !line.ends_with('\n') {
                text += newline;
            }
        }
        let end = self.octets(&(header..self.extent(header).end)).end;
        let at = self.end_line(end);
        self.splice(at..at, &text);
        for index in moves.into_iter().rev() {
            let span = self.outline.statements[index].span.clone();
            self.splice(span, "");
        }
    }

    fn nest_in_place(&mut self, table: &[&str], keys: &[&str], below: &[&str]) {
        let prefix: String = below.iter().map(|part| literal::key(part) + ".").collect();
        for key in keys {
            let mut path = table.to_vec();
            path.push(key);
            for place in self.key_places(&path).into_iter().rev() {
                self.splice(place.start..place.start, &prefix);
            }
        }
    }
}
