//! Reads signups from CSV, row by row, so that one bad row costs one row.

use std::collections::HashMap;
use std::fmt;

/// The columns that a file must have, in any order. Others are ignored.
pub const COLUMNS: [&str; 7] = [
    "id",
    "first_name",
    "last_name",
    "email",
    "phone",
    "company",
    "notes",
];

/// One signup as the form sent it: nothing trimmed, nothing checked.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// The line of the file on which the row begins, counted from 1.
    pub line: u64,
    /// The host application's own id of this signup.
    pub id: String,
    /// The first name, sometimes the whole name.
    pub first_name: String,
    /// The last name, often empty.
    pub last_name: String,
    /// The e-mail address as typed.
    pub email: String,
    /// The phone number as typed.
    pub phone: String,
    /// The company.
    pub company: String,
    /// What the person wrote.
    pub notes: String,
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("line", &self.line)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A row that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RowError {
    /// The line of the file on which the row begins, counted from 1.
    pub line: u64,
    /// What is wrong, without the row's own text.
    pub problem: String,
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

impl std::error::Error for RowError {}

/// Reads every row of `file`; a row that cannot be read is an error in its place.
///
/// A quote that never closes would swallow the rest of the file. Such a row is reported, and reading goes on at the
/// next line.
///
/// # Errors
/// When the header is missing, unreadable, or lacks one of [`COLUMNS`]: then no row can be trusted.
pub fn read(file: &[u8]) -> Result<Vec<Result<Row, RowError>>, RowError> {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let mut reader = reader(file);
    let header_error = |problem: String| RowError { line: 1, problem };
    let header = reader
        .byte_headers()
        .map_err(|e| header_error(e.to_string()))?
        .clone();
    let mut places = HashMap::new();
    for (at, name) in header.iter().enumerate() {
        places.insert(name.trim_ascii().to_ascii_lowercase(), at);
    }
    let missing: Vec<&str> = COLUMNS
        .iter()
        .filter(|name| !places.contains_key(name.as_bytes()))
        .copied()
        .collect();
    if !missing.is_empty() {
        return Err(header_error(format!(
            "the header has no column {}",
            missing.join(", ")
        )));
    }

    let mut rows = Vec::new();
    let mut record = csv::ByteRecord::new();
    let (mut rest, mut lines_before) = (file, 0);
    loop {
        let start = reader.position().clone();
        match reader.read_byte_record(&mut record) {
            Ok(false) => return Ok(rows),
            Ok(true) => {}
            Err(e) => {
                rows.push(Err(RowError {
                    line: lines_before + start.line(),
                    problem: e.to_string(),
                }));
                continue;
            }
        }
        let position = record.position().cloned().unwrap_or(start);
        let line = lines_before + position.line();
        if record.len() == header.len() {
            rows.push(row(line, &record, &places));
            continue;
        }
        let spans_lines = reader.position().line() > position.line() + 1;
        let hint = if spans_lines {
            "; a quote may never close"
        } else {
            ""
        };
        let problem = format!(
            "{} fields where the header has {}{hint}",
            record.len(),
            header.len()
        );
        rows.push(Err(RowError { line, problem }));
        if spans_lines {
            (rest, lines_before) = after_line(rest, position.byte(), line);
            reader = csv_reader_without_header(rest);
        }
    }
}

fn reader(file: &[u8]) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().flexible(true).from_reader(file)
}

fn csv_reader_without_header(file: &[u8]) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .from_reader(file)
}

/// What follows the line that begins at `byte`, and how many lines of the file stand before it.
fn after_line(file: &[u8], byte: u64, line: u64) -> (&[u8], u64) {
    let from = usize::try_from(byte)
        .ok()
        .and_then(|byte| file.get(byte..))
        .unwrap_or_default();
    let rest = from
        .iter()
        .position(|b| *b == b'\n')
        .and_then(|end| from.get(end + 1..))
        .unwrap_or_default();
    (rest, line)
}

fn row(
    line: u64,
    record: &csv::ByteRecord,
    places: &HashMap<Vec<u8>, usize>,
) -> Result<Row, RowError> {
    let field = |name: &str| {
        let bytes = places
            .get(name.as_bytes())
            .and_then(|at| record.get(*at))
            .unwrap_or_default();
        String::from_utf8(bytes.to_vec()).map_err(|_| RowError {
            line,
            problem: format!("{name} is not valid UTF-8"),
        })
    };
    Ok(Row {
        line,
        id: field("id")?,
        first_name: field("first_name")?,
        last_name: field("last_name")?,
        email: field("email")?,
        phone: field("phone")?,
        company: field("company")?,
        notes: field("notes")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "id,first_name,last_name,email,phone,company,notes\n";

    fn lines(file: &[u8]) -> Vec<(u64, bool)> {
        let line = |row: &Result<Row, RowError>| match row {
            Ok(row) => (row.line, true),
            Err(error) => (error.line, false),
        };
        read(file).unwrap().iter().map(line).collect()
    }

    #[test]
    fn the_default_file_has_forty_readable_rows() {
        let rows = read(include_bytes!("../data/signups.csv")).unwrap();
        assert_eq!(rows.len(), 40);
        assert!(rows.iter().all(Result::is_ok));
    }

    #[test]
    fn a_missing_column_is_named() {
        let error = read(b"id,first_name,email\n1,Ana,ana@example.com\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 1: the header has no column last_name, phone, company, notes"
        );
        assert!(read(b"").unwrap_err().problem.contains("id, first_name"));
    }

    #[test]
    fn columns_may_stand_in_any_order_after_a_byte_order_mark() {
        let file =
            "\u{feff}Email,ID,phone,notes,company,last_name,first_name\na@example.com,7,,,,B,A\n";
        let rows = read(file.as_bytes()).unwrap();
        let row = rows[0].as_ref().unwrap();
        assert_eq!(
            (row.id.as_str(), row.first_name.as_str(), row.line),
            ("7", "A", 2)
        );
    }

    #[test]
    fn a_quote_that_never_closes_costs_its_row_only() {
        let file = format!("{HEADER}1,A,,,,,\n2,\"B,,,,,\n3,C,,,,,\n4,D,,,,,\n");
        assert_eq!(
            lines(file.as_bytes()),
            [(2, true), (3, false), (4, true), (5, true)]
        );
        let broken_last = format!("{HEADER}1,A,,,,,\n2,\"B,,,,,");
        assert_eq!(lines(broken_last.as_bytes()), [(2, true), (3, false)]);
    }

    #[test]
    fn a_quoted_line_break_is_part_of_its_row() {
        let file = format!("{HEADER}1,A,,,,,\"one\ntwo\"\n2,B,,,,,\n");
        assert_eq!(lines(file.as_bytes()), [(2, true), (4, true)]);
    }

    #[test]
    fn invalid_utf8_costs_its_row_only_and_is_not_quoted() {
        let mut file = format!("{HEADER}1,A,,,,,\n2,").into_bytes();
        file.extend_from_slice(b"\xff\xfe,,,,,\n3,C,,,,,\n");
        assert_eq!(lines(&file), [(2, true), (3, false), (4, true)]);
        let error = read(&file).unwrap().remove(1).unwrap_err();
        assert_eq!(error.to_string(), "line 3: first_name is not valid UTF-8");
    }

    #[test]
    fn too_few_fields_cost_their_row_only() {
        let file = format!("{HEADER}1,A\n2,B,,,,,\n");
        assert_eq!(lines(file.as_bytes()), [(2, false), (3, true)]);
    }
}
