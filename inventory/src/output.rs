//! Printing for people: tables and colour.

use std::io::{IsTerminal, Write};

/// Whether standard output may have colour: a terminal, and `NO_COLOR` not set (no-color.org).
pub(crate) fn colour() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Whether standard error may have colour.
pub(crate) fn colour_of_errors() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Asks a question that `y` answers; without a terminal the answer is yes, since nobody is there to ask.
pub(crate) fn confirm(question: &str) -> std::io::Result<bool> {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Ok(true);
    }
    print!("{question} [y/N] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case("y") || answer.trim().eq_ignore_ascii_case("yes"))
}

/// Prints `line`. A reader that went away (`| head`) ends the program quietly, as it ends `ls`.
pub(crate) fn line(line: &str) {
    if writeln!(std::io::stdout(), "{line}").is_err() {
        std::process::exit(0);
    }
}

/// Prints rows in columns as wide as their widest cell. The last column is not padded.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(header.get(column).map(|title| title.chars().count())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let print = |cells: &mut dyn Iterator<Item = &str>, bold: bool| {
        let padded: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let text = padded.join("  ");
        let text = text.trim_end();
        line(&if bold && colour() { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() });
    };
    print(&mut header.iter().copied(), true);
    for row in rows {
        print(&mut row.iter().map(String::as_str), false);
    }
}
