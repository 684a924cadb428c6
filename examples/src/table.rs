//! A plain table for a terminal.

use unicode_width::UnicodeWidthStr;

/// Lays out rows in columns as wide as their widest cell. The first row is the heading.
///
/// Cells come from files that strangers wrote: control characters are shown as `·`, so that none reaches the
/// terminal.
pub fn layout<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let shown: Vec<[String; COLUMNS]> = rows
        .iter()
        .map(|row| row.each_ref().map(|cell| visible(cell)))
        .collect();
    let mut widths = [0; COLUMNS];
    for row in &shown {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let mut text = String::new();
    for (index, row) in shown.iter().enumerate() {
        text.push_str(&line(row, &widths));
        if index == 0 {
            let rule = widths.map(|width| "-".repeat(width));
            text.push_str(&line(&rule, &widths));
        }
    }
    text
}

fn line<const COLUMNS: usize>(cells: &[String; COLUMNS], widths: &[usize; COLUMNS]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        line.push_str(cell);
        line.push_str(&" ".repeat(width.saturating_sub(cell.width()).saturating_add(2)));
    }
    line.truncate(line.trim_end().len());
    line.push('\n');
    line
}

fn visible(cell: &str) -> String {
    cell.chars()
        .map(|c| if c.is_control() { '·' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_the_script_and_no_control_character_gets_through() {
        let row = |a: &str, b: &str| [a.to_owned(), b.to_owned()];
        let text = layout(&[row("name", "n"), row("佐藤", "1"), row("a\u{1b}[31m", "22")]);
        assert_eq!(text, "name    n\n------  --\n佐藤    1\na·[31m  22\n");
    }
}
