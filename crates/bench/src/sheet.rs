//! Tables, as text for a terminal and as Markdown, and the numbers in them.

use std::fmt::Write;

/// A table: what it shows, and its cells.
#[derive(Debug)]
pub struct Sheet {
    /// What it shows.
    pub title: String,
    /// Names of its columns.
    pub header: Vec<String>,
    /// Cells, row by row.
    pub rows: Vec<Vec<String>>,
}

/// Tables for a terminal.
#[must_use]
pub fn text(sheets: Vec<Sheet>) -> String {
    let mut out = String::new();
    for sheet in sheets {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING).set_header(sheet.header);
        for row in sheet.rows {
            table.add_row(row);
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(comfy_table::CellAlignment::Right);
        }
        // Writing to a string does not fail.
        let _ = writeln!(out, "\n{}\n{table}", sheet.title);
    }
    out
}

/// A page: `introduction`, the `facts` about a run, and tables.
#[must_use]
pub fn markdown(introduction: &str, facts: &[(&str, String)], sheets: Vec<Sheet>) -> String {
    let mut out = format!("{introduction}\n| | |\n|---|---|\n");
    for (name, value) in facts {
        let _ = writeln!(out, "| {name} | {value} |");
    }
    for sheet in sheets {
        let _ = writeln!(out, "\n## {}\n", sheet.title);
        let _ = writeln!(out, "| {} |", sheet.header.join(" | "));
        let _ = writeln!(out, "|---{}|", "|--:".repeat(sheet.header.len().saturating_sub(1)));
        for row in sheet.rows {
            let _ = writeln!(out, "| {} |", row.join(" | "));
        }
    }
    out
}

/// Names of columns.
#[must_use]
pub fn header<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

/// A whole number with commas.
#[must_use]
pub fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number of bytes in megabytes.
#[must_use]
pub fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// A number of bytes in gigabytes.
#[must_use]
pub fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(thousands(0.4), "0");
        assert_eq!(thousands(999.0), "999");
        assert_eq!(thousands(1_234_567.0), "1,234,567");
        assert_eq!(megabytes(1_250_000), "1.2 MB");
    }

    #[test]
    fn tables_have_a_header_and_a_rule() {
        let sheet = || Sheet {
            title: "T".into(),
            header: header(["a", "b"]),
            rows: vec![vec!["1".into(), "2".into()]],
        };
        let page = markdown("# X\n", &[("date", "today".into())], vec![sheet()]);
        assert_eq!(
            page,
            "# X\n\n| | |\n|---|---|\n| date | today |\n\n## T\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n"
        );
        assert!(text(vec![sheet()]).contains("T\n"));
    }
}
