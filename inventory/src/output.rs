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
/// too narrow, lists go on below, and then the widest columns are cut, but never an address.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) {
    for (index, row) in layout(header, rows, terminal_width()).iter().enumerate() {
        line(&if index == 0 && colour() { format!("\x1b[1m{row}\x1b[0m") } else { row.clone() });
    }
}

/// The lines of a table, in at most `room` characters where that can be.
fn layout(header: &[&str], rows: &[Vec<String>], room: Option<usize>) -> Vec<String> {
    let widest = |column: usize, measure: fn(&str) -> usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| measure(cell));
        cells.chain(header.get(column).map(|title| title.chars().count())).max().unwrap_or(0)
    };
    let of_cells = |cell: &str| cell.chars().count();
    let of_words = |cell: &str| cell.split(' ').map(|word| word.chars().count()).max().unwrap_or(0);
    let mut widths: Vec<usize> = (0..header.len()).map(|column| widest(column, of_cells)).collect();
    if let Some(room) = room {
        let words: Vec<usize> = (0..header.len()).map(|column| widest(column, of_words)).collect();
        fit(&mut widths, &words, room);
        let least = |(title, word): (&&str, usize)| if WHOLE.contains(title) { word } else { COLUMN_MIN };
        let least: Vec<usize> = header.iter().zip(words).map(least).collect();
        fit(&mut widths, &least, room);
    }
    let mut lines = Vec::new();
    let titles: Vec<String> = header.iter().map(|title| (*title).to_owned()).collect();
    for row in std::iter::once(&titles).chain(rows) {
        let cells: Vec<Vec<String>> =
            row.iter().zip(&widths).map(|(cell, width)| wrapped(cell, *width)).collect();
        for index in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
            let parts = cells.iter().map(|cell| cell.get(index).map_or("", String::as_str));
            let padded: Vec<String> =
                parts.zip(&widths).map(|(part, width)| format!("{part:<width$}")).collect();
            lines.push(padded.join("  ").trim_end().to_owned());
        }
    }
    lines
}

/// Columns that are of no use if they are cut.
const WHOLE: [&str; 5] = ["MAC", "ADDRESS", "ADDRESSES", "IPV4", "IPV6"];
/// Characters that any other column keeps, however narrow the terminal is.
const COLUMN_MIN: usize = 6;

/// Narrows the widest columns that are wider than their `least`, until all of them, with two blanks between,
/// have `room`.
fn fit(widths: &mut [usize], least: &[usize], room: usize) {
    let blanks = 2 * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + blanks > room {
        let wider = widths.iter_mut().zip(least).filter(|(width, least)| **width > **least);
        let Some((widest, _)) = wider.max() else { return };
        *widest -= 1;
    }
}

/// `text` in lines of at most `width` characters, broken at blanks; a word that is longer is cut.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    if text.chars().count() <= width {
        return vec![text.to_owned()];
    }
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(last) if last.chars().count() + 1 + word.chars().count() <= width => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(cut(word, width)),
        }
    }
    lines
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
        fit(&mut widths, &[6; 5], 80);
        assert_eq!(widths, [21, 6, 8, 17, 20]);
        fit(&mut widths, &[6, 6, 6, 17, 6], 20);
        assert_eq!(widths, [6, 6, 6, 17, 6]);
        let mut fitting = [3, 4];
        fit(&mut fitting, &[0; 2], 9);
        assert_eq!(fitting, [3, 4]);
    }

    #[test]
    fn addresses_are_whole_and_lists_go_on_below() {
        let header = ["HOST", "STATE", "MAC", "ADDRESSES"];
        let row = ["web1.lab.example.org", "active", "52:54:00:aa:00:11", "10.20.0.11 2001:db8:20::11"];
        let rows = [row.map(str::to_owned).to_vec()];
        assert_eq!(layout(&header, &rows, None)[1], row.join("  "));
        assert_eq!(
            layout(&header, &rows, Some(60)),
            [
                "HOST              STATE   MAC                ADDRESSES",
                "web1.lab.exampl…  active  52:54:00:aa:00:11  10.20.0.11",
                "                                             2001:db8:20::11",
            ]
        );
    }

    #[test]
    fn what_is_cut_off_is_marked() {
        assert_eq!(
            (cut("web1.lab", 8), cut("web1.lab", 5), cut("", 0)),
            ("web1.lab".into(), "web1…".into(), String::new())
        );
    }
}
