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

/// Characters of a line of the terminal; `None` where standard output is none, and lines may be of any length.
pub(crate) fn terminal_width() -> Option<usize> {
    let (terminal_size::Width(width), _) = terminal_size::terminal_size_of(std::io::stdout())?;
    Some(width.into()).filter(|width| *width > 0)
}

/// Prints rows in columns as wide as their widest cell. The last column is not padded. On a terminal that is
/// too narrow, the widest columns are cut.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(header.get(column).map(|title| title.chars().count())).max().unwrap_or(0)
    };
    let mut widths: Vec<usize> = (0..header.len()).map(width).collect();
    if let Some(room) = terminal_width() {
        fit(&mut widths, room);
    }
    let print = |cells: &mut dyn Iterator<Item = &str>, bold: bool| {
        let cells = cells.zip(&widths).map(|(cell, width)| (cut(cell, *width), *width));
        let padded: Vec<String> = cells.map(|(cell, width)| format!("{cell:<width$}")).collect();
        let text = padded.join("  ");
        let text = text.trim_end();
        line(&if bold && colour() { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() });
    };
    print(&mut header.iter().copied(), true);
    for row in rows {
        print(&mut row.iter().map(String::as_str), false);
    }
}

/// Characters that a column keeps, however narrow the terminal is.
const COLUMN_MIN: usize = 6;

/// Narrows the widest columns until all of them, with two blanks between, have `room`.
fn fit(widths: &mut [usize], room: usize) {
    let blanks = 2 * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + blanks > room {
        let Some(widest) = widths.iter_mut().max().filter(|widest| **widest > COLUMN_MIN) else { return };
        *widest -= 1;
    }
}

/// `text` in at most `width` characters; what is cut off is marked.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_columns_give_way_first_and_none_vanishes() {
        let mut widths = [22, 6, 8, 17, 28];
        fit(&mut widths, 80);
        assert_eq!(widths, [21, 6, 8, 17, 20]);
        fit(&mut widths, 20);
        assert_eq!(widths, [6; 5]);
        let mut fitting = [3, 4];
        fit(&mut fitting, 9);
        assert_eq!(fitting, [3, 4]);
    }

    #[test]
    fn what_is_cut_off_is_marked() {
        assert_eq!(
            (cut("web1.lab", 8), cut("web1.lab", 5), cut("", 0)),
            ("web1.lab".into(), "web1…".into(), String::new())
        );
    }
}
