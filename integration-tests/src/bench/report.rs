//! What a run says: tables in Markdown, on the terminal and in a file.

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

/// What stands above the sections.
const HEAD: &str = "# Measurements

A section for each part of `hostbook-bench`, as its last run left it; below each, that run. The figures are processor time of the server
(user and system, to the nanosecond), and what counts are the ratios within a section. The servers take turns within each round; a figure is
the median of the rounds, with the least and the greatest. Server and load are on different cores. Every answer is checked.
";

/// By what and where a part was measured, in a sentence for its end.
pub fn measured(machine: &Machine, command: &str) -> String {
    format!(
        "Measured by `{command}`. {}, {} cores, Linux {}. A busy thread was granted {:.0} % of a core, its longest pause was \
         {:.1} ms, and {:.1} others wanted the cores on average.",
        machine.processor,
        machine.cores,
        machine.kernel,
        machine.granted * 100.0,
        machine.longest_gap.as_secs_f64() * 1000.0,
        machine.load,
    )
}

/// Writes the section of `part` to `parts/`, and `results.md` of all sections that are there, in this order.
///
/// # Panics
/// A file cannot be written.
pub fn save_part(directory: &Path, part: &str, section: &str, order: &[&str]) {
    let parts = directory.join("parts");
    let file = |part: &str| format!("{part}.md");
    save(&parts, &file(part), section);
    let sections = order.iter().filter_map(|part| fs::read_to_string(parts.join(file(part))).ok());
    let text = sections.fold(HEAD.to_owned(), |text, section| text + "\n" + &section);
    save(directory, "results.md", &text);
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
    use crate::temp::TempDir;

    #[test]
    fn a_part_that_is_measured_again_leaves_the_others() {
        let directory = TempDir::new("report");
        let save = |part: &str, text: &str| save_part(directory.path(), part, text, &["dns", "dhcp", "pool"]);
        save("pool", "## Pool\n");
        save("dns", "## DNS\n\nold\n");
        save("dns", "## DNS\n\nnew\n");
        let results = fs::read_to_string(directory.path().join("results.md")).unwrap();
        assert_eq!(results, format!("{HEAD}\n## DNS\n\nnew\n\n## Pool\n"));
    }

    #[test]
    fn the_results_in_the_tree_are_made_of_the_parts_in_the_tree() {
        let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/benchmarks");
        let results = fs::read_to_string(tree.join("results.md")).unwrap();
        assert!(results.starts_with(HEAD), "{results:.400}");
        let sections: Vec<String> = fs::read_dir(tree.join("parts"))
            .unwrap()
            .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
            .collect();
        assert!(!sections.is_empty() && sections.iter().all(|section| section.contains("Measured by `")));
        let length = sections.iter().map(|section| section.len() + 1).sum::<usize>();
        assert!(sections.iter().all(|section| results.contains(section.as_str())));
        assert_eq!(results.len(), HEAD.len() + length, "something of no part");
    }

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
