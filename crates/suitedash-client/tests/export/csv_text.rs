//! Any text goes into a file and comes out of a reader as it was, but for what the profile documents.

use csv::ReaderBuilder;
use proptest::prelude::*;
use suitedash_client::export::{
    Column, Delimiter, ExportContact, Field, LongCells, Profile, export_contacts,
};

const DELIMITERS: [(Delimiter, u8); 3] = [
    (Delimiter::Comma, b','),
    (Delimiter::Semicolon, b';'),
    (Delimiter::Tab, b'\t'),
];
const FIELDS: [Field; 3] = [Field::Message, Field::Phone, Field::Company];

/// Texts that break files and spreadsheets more often than chance would have it.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        "[\"',;\t\r\n=+@\0 -]{0,6}",
        "\\+[0-9]{6,16}",
        Just("\u{feff}".to_owned()),
        Just("\u{200b}=1".to_owned()),
        Just("\"\r\n=1,\"\"".to_owned()),
        Just("\u{1}\u{85}\u{7f}".to_owned()),
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn rows() -> impl Strategy<Value = Vec<[String; 3]>> {
    prop::collection::vec([text(), text(), text()], 0..6)
}

/// Writes and reads back; rows without text are left out, as documented.
fn round_trip(profile: &Profile, delimiter: u8, rows: &[[String; 3]]) -> (Vec<[String; 3]>, u64) {
    let contacts = rows.iter().map(|[message, phone, company]| {
        ExportContact::new("never shown")
            .message(message)
            .phone(phone)
            .company(company)
    });
    let mut file = Vec::new();
    let counts = export_contacts(&mut file, contacts, profile).unwrap();
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .from_reader(file.as_slice());
    assert_eq!(
        reader.headers().unwrap(),
        vec!["Message", "Phone", "Company"]
    );
    let read: Vec<[String; 3]> = reader
        .deserialize()
        .map(|record: Result<(String, String, String), _>| record.unwrap().into())
        .collect();
    assert_eq!(counts.rows, read.len() as u64);
    assert_eq!(counts.rows + counts.empty_rows, rows.len() as u64);
    (read, counts.cells_changed)
}

fn with_text(rows: &[[String; 3]]) -> impl Iterator<Item = &[String; 3]> {
    rows.iter()
        .filter(|row| row.iter().any(|cell| !cell.is_empty()))
}

/// Control characters but tab and line breaks become blanks, in every profile.
fn without_controls(text: &str) -> String {
    let blank = |c: char| c.is_control() && !"\t\r\n".contains(c);
    text.replace(blank, " ")
}

/// What OWASP and CWE-1236 call a trigger, written down without the code under test.
fn is_dangerous(cell: &str) -> bool {
    let seen = cell.trim_start_matches(|c: char| {
        c == ' ' || c == '\u{a0}' || ('\u{200b}'..='\u{200f}').contains(&c) || c == '\u{feff}'
    });
    seen.starts_with([
        '=', '+', '-', '@', '\t', '\r', '\n', '\0', '＝', '＋', '－', '＠',
    ])
}

fn is_phone_number(cell: &str) -> bool {
    let Some(digits) = cell.strip_prefix('+') else {
        return false;
    };
    (7..=15).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_digit())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_raw_file_round_trips(rows in rows(), which in 0..3_usize, mark in any::<bool>()) {
        let (delimiter, byte) = DELIMITERS[which];
        let profile = Profile::import_raw()
            .columns(FIELDS.map(Column::from))
            .delimiter(delimiter)
            .byte_order_mark(mark);
        let (read, _) = round_trip(&profile, byte, &rows);
        let expected: Vec<_> = with_text(&rows)
            .map(|row| row.each_ref().map(|cell| without_controls(cell)))
            .collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn a_safe_file_round_trips_but_for_apostrophes(rows in rows(), which in 0..3_usize) {
        let (delimiter, byte) = DELIMITERS[which];
        let profile = Profile::spreadsheet_safe()
            .columns(FIELDS.map(Column::from))
            .delimiter(delimiter);
        let (read, changed) = round_trip(&profile, byte, &rows);
        let mut differing = 0;
        for (row, given) in read.iter().zip(with_text(&rows)) {
            for (at, (cell, given)) in row.iter().zip(given).enumerate() {
                let plain = without_controls(given);
                let guarded = *cell == format!("'{plain}");
                prop_assert!(guarded || *cell == plain, "{cell:?} of {given:?}");
                let is_number = at == 1 && is_phone_number(cell);
                prop_assert!(!is_dangerous(cell) || is_number, "{cell:?}");
                differing += u64::from(cell != given);
            }
        }
        prop_assert_eq!(changed, differing);
    }

    #[test]
    fn every_cell_of_a_safe_file_is_quoted(rows in rows()) {
        let contacts = rows.iter().map(|[message, phone, company]| {
            ExportContact::new("1").message(message).phone(phone).company(company)
        });
        let profile = Profile::spreadsheet_safe();
        let mut file = Vec::new();
        export_contacts(&mut file, contacts, &profile).unwrap();
        let file = String::from_utf8(file).unwrap();
        // Without what is quoted, commas and line ends are left.
        let bare: String = file.split('"').step_by(2).collect();
        let line = format!("{}\r\n", ",".repeat(10));
        prop_assert_eq!(bare, line.repeat(rows.len() + 1));
    }
}

#[test]
fn a_cell_of_a_megabyte_is_written_cut_or_refused_and_counted() {
    let contact = || [ExportContact::new("1").message("x,\"\n".repeat(250_000))];
    let export = |profile: &Profile| {
        let mut file = Vec::new();
        let result = export_contacts(&mut file, contact(), profile);
        let mut reader = csv::Reader::from_reader(file.as_slice());
        let cell = reader
            .records()
            .next()
            .map(|record| record.unwrap()[7].to_owned());
        (result, cell)
    };
    let (counts, cell) = export(&Profile::import_raw());
    assert_eq!(counts.unwrap().cells_changed, 0);
    assert_eq!(cell.unwrap().len(), 1_000_000);

    let (counts, cell) = export(&Profile::default());
    let counts = counts.unwrap();
    assert_eq!((counts.cells_changed, counts.cells_shortened), (1, 1));
    assert_eq!(cell.unwrap().len(), 32_767);

    let (refused, _) = export(&Profile::default().long_cells(LongCells::Refuse));
    let text = refused.unwrap_err().to_string();
    assert!(text.starts_with("the Message of contact 1"), "{text}");
}
