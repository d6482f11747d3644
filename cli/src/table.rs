//! Plain tables.
//!
//! Owns: laying rows out in columns. Must not know: what is in them.

use crate::output::printable;

/// Rows of cells under headings, as lines: columns as wide as their widest cell, two spaces between.
pub(crate) fn lines<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> Vec<String> {
    let rows: Vec<[String; N]> = std::iter::once(headings.map(str::to_owned))
        .chain(rows.iter().cloned())
        .map(|row| row.map(|cell| printable(&cell)))
        .collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    rows.iter()
        .map(|row| {
            let cells: Vec<String> =
                row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            cells.join("  ").trim_end().to_owned()
        })
        .collect()
}

/// A text of no more than so many characters: the end of a longer one is left out, and that shows.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_shows_it() {
        assert_eq!(cut("Größe", 5), "Größe");
        assert_eq!(cut("Größen", 5), "Größ…");
        assert_eq!(cut("a bcd", 3), "a…");
    }

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let rows = [["a".to_owned(), "Größe".to_owned()], ["long\tname".to_owned(), String::new()]];
        assert_eq!(
            lines(["NAME", "SIZE"], &rows),
            ["NAME       SIZE", "a          Größe", "long\u{fffd}name"]
        );
        assert_eq!(lines(["NAME"], &[]), ["NAME"]);
    }
}
