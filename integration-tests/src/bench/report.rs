//! What a run says: tables in Markdown, on the terminal and in a file.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::machine::Machine;

/// A table: its title, what stands above it, its columns and rows.
#[derive(Clone, Debug)]
pub struct Table {
    /// Title.
    pub title: String,
    /// What was done, in a sentence or two.
    pub about: String,
    /// Heads of the columns.
    pub columns: Vec<&'static str>,
    /// Rows.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    pub fn new(title: impl Into<String>, about: impl Into<String>, columns: &[&'static str]) -> Table {
        Table { title: title.into(), about: about.into(), columns: columns.to_vec(), rows: Vec::new() }
    }

    /// One more row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// As Markdown, the columns in line.
    pub fn markdown(&self) -> String {
        let heads: Vec<String> = self.columns.iter().map(|&head| head.to_owned()).collect();
        let width = |column: usize| {
            let cells = self.rows.iter().chain([&heads]).filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..heads.len()).map(width).collect();
        let line = |cells: &[String]| {
            let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
        };
        let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        let mut text = format!("## {}\n\n{}\n\n", self.title, self.about);
        text.push_str(&line(&heads));
        text.push_str(&line(&rule));
        self.rows.iter().for_each(|row| text.push_str(&line(row)));
        text
    }
}

/// What stands at the head of a report.
pub fn heading(machine: &Machine, command: &str) -> String {
    let mut text = String::from("# Measurements\n\n");
    let _ = writeln!(
        text,
        "Written by `{command}`. {}, {} cores, Linux {}. A busy thread was granted {:.0} % of a core, its longest \
         pause was {:.1} ms, and {:.1} others wanted the cores on average: so the figures are processor time of the \
         server (user and system, to the nanosecond), and what counts are the ratios. The servers take turns within \
         each round; a figure is the median of the rounds, with the least and the greatest. Server and load are on \
         different cores. Every answer is checked.",
        machine.processor,
        machine.cores,
        machine.kernel,
        machine.granted * 100.0,
        machine.longest_gap.as_secs_f64() * 1000.0,
        machine.load,
    );
    text
}

/// Writes a file of the report.
///
/// # Panics
/// It cannot be written.
pub fn save(directory: &Path, name: &str, text: &str) {
    fs::create_dir_all(directory).unwrap();
    fs::write(directory.join(name), text).unwrap();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_markdown_in_line() {
        let mut table = Table::new("Title", "About.", &["server", "µs"]);
        table.row(["a".to_owned(), "1.25".to_owned()]);
        assert_eq!(
            table.markdown(),
            "## Title\n\nAbout.\n\n| server | µs   |\n| ------ | ---- |\n| a      | 1.25 |\n"
        );
    }
}
