//! Contacts as rows of CSV.

use std::borrow::Borrow;
use std::cell::Cell;
use std::error::Error as StdError;
use std::io::{self, Write};

use chrono::{DateTime, Utc};
use csv::{QuoteStyle, Terminator, WriterBuilder};
use serde::{Deserialize, Serialize};

use super::cell::{Changes, Guard, Rules};
use super::columns::{Column, Field};
use super::contact::ExportContact;
use super::error::ExportError;
use super::profile::{CreatedDate, LongCells, Profile};

/// What the `csv` crate gathers before it writes.
///
/// It stays in the processor's nearest cache, which is worth more than fewer writes.
const BUFFER: usize = 16 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What an export wrote, and what it changed on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ExportCounts {
    /// Rows below the header.
    pub rows: u64,
    /// Contacts left out because their row would have no text in any cell.
    pub empty_rows: u64,
    /// Contacts left out because they were in the same export already.
    pub repeated: u64,
    /// Contacts left out because an earlier export has them.
    pub exported_before: u64,
    /// Cells whose text is not what it was, for whatever reason.
    pub cells_changed: u64,
    /// Cells that got an apostrophe because they began like a formula.
    pub cells_guarded: u64,
    /// Cells whose end was cut off because no spreadsheet could hold it.
    pub cells_shortened: u64,
    /// Control characters that became blanks.
    pub control_characters_replaced: u64,
}

/// Writes contacts as CSV, header first, one row at a time: however many there are, it takes the memory of one.
///
/// Nothing is remembered: a contact given twice has two rows. [`Exporter`](super::Exporter) writes files, each whole or
/// not at all, and keeps contacts from being exported twice.
///
/// ```
/// use suitedash_client::export::{ExportContact, Profile, export_contacts};
///
/// let contacts = [ExportContact::new("7").first_name("=Ana").phone("+12025550143")];
/// let mut file = Vec::new();
/// let counts = export_contacts(&mut file, contacts, &Profile::default())?;
///
/// assert_eq!((counts.rows, counts.cells_changed), (1, 1));
/// assert!(String::from_utf8(file)?.ends_with(
///     "\r\n\"7\",\"'=Ana\",\"\",\"\",\"+12025550143\",\"\",\"\",\"\",\"\",\"\",\"\"\r\n"
/// ));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`NoColumns`](ExportError::NoColumns), [`DuplicateColumn`](ExportError::DuplicateColumn) or
/// [`ColumnName`](ExportError::ColumnName) before anything is written;
/// [`CellTooLong`](ExportError::CellTooLong), [`DiskFull`](ExportError::DiskFull) or [`Write`](ExportError::Write) on the
/// way, and then a part may have been written.
pub fn export_contacts<W, I>(
    writer: W,
    contacts: I,
    profile: &Profile,
) -> Result<ExportCounts, ExportError>
where
    W: Write,
    I: IntoIterator,
    I::Item: Borrow<ExportContact>,
{
    let mut rows = RowWriter::new(writer, profile)?;
    for contact in contacts {
        rows.write(contact.borrow())?;
    }
    rows.finish()
}

/// Writes contacts as CSV like [`export_contacts`], from a source that may fail.
///
/// ```
/// use suitedash_client::export::{ExportContact, ExportError, Profile, try_export_contacts};
///
/// // Contacts as JSON, one in a line. The second holds half a character.
/// let lines = concat!("{\"id\":\"1\",\"message\":\"hello\"}\n", "{\"id\":\"2\",\"message\":\"\\ud83d\"}\n");
/// let contacts = lines.lines().map(serde_json::from_str::<ExportContact>);
///
/// let result = try_export_contacts(Vec::new(), contacts, &Profile::default());
/// assert!(matches!(result, Err(ExportError::Contacts { .. })));
/// ```
///
/// # Errors
///
/// As [`export_contacts`], and [`Contacts`](ExportError::Contacts) with the source's own error.
pub fn try_export_contacts<W, I, C, E>(
    writer: W,
    contacts: I,
    profile: &Profile,
) -> Result<ExportCounts, ExportError>
where
    W: Write,
    I: IntoIterator<Item = Result<C, E>>,
    C: Borrow<ExportContact>,
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    let mut rows = RowWriter::new(writer, profile)?;
    for contact in contacts {
        let contact = contact.map_err(|error| ExportError::Contacts {
            source: error.into(),
        })?;
        rows.write(contact.borrow())?;
    }
    rows.finish()
}

/// Writes one row after another.
pub(super) struct RowWriter<W: Write> {
    csv: csv::Writer<W>,
    layout: Layout,
    pub(super) counts: ExportCounts,
    /// Contacts that were given, for messages.
    given: u64,
    /// What a cell is put together in.
    cell: String,
    /// What a changed cell is put together in.
    changed: String,
}

impl<W: Write> RowWriter<W> {
    /// Checks the profile and writes the header.
    pub(super) fn new(mut writer: W, profile: &Profile) -> Result<Self, ExportError> {
        profile.check()?;
        if profile.byte_order_mark {
            writer
                .write_all(BYTE_ORDER_MARK)
                .map_err(ExportError::write)?;
        }
        let mut csv = WriterBuilder::new()
            .delimiter(profile.delimiter.byte())
            .terminator(Terminator::CRLF)
            .quote_style(match profile.guard {
                Guard::Apostrophe => QuoteStyle::Always,
                Guard::None => QuoteStyle::Necessary,
            })
            .buffer_capacity(BUFFER)
            .from_writer(writer);
        csv.write_record(profile.columns.iter().map(|column| column.name.as_str()))
            .map_err(|error| ExportError::write(io_error(error)))?;
        Ok(Self {
            csv,
            layout: Layout::of(profile),
            counts: ExportCounts::default(),
            given: 0,
            cell: String::new(),
            changed: String::new(),
        })
    }

    /// Tells whether a contact would have text in any cell.
    pub(super) fn has_text(&self, contact: &ExportContact) -> bool {
        let mut columns = self.layout.columns.iter();
        columns.any(|column| match column.text(contact) {
            Some(text) => !text.is_empty(),
            None => self.layout.puts_together(column.field, contact),
        })
    }

    /// Writes a contact; one without text is counted and left out.
    pub(super) fn write(&mut self, contact: &ExportContact) -> Result<(), ExportError> {
        self.given += 1;
        if !self.has_text(contact) {
            self.counts.empty_rows += 1;
            return Ok(());
        }
        if self.layout.rules.long == LongCells::Refuse {
            self.refuse_long(contact)?;
        }
        for column in &self.layout.columns {
            let text = self.layout.text(column, contact, &mut self.cell);
            let is_phone = column.field == Field::Phone;
            let written = if self.layout.rules.allow(text, is_phone) {
                text
            } else {
                let mut changes = Changes::default();
                let rules = self.layout.rules;
                let text = rules.apply(text, is_phone, &mut self.changed, &mut changes);
                self.counts.note(changes);
                text
            };
            self.csv
                .write_field(written)
                .map_err(|error| ExportError::write(io_error(error)))?;
        }
        self.csv
            .write_record(None::<&[u8]>)
            .map_err(|error| ExportError::write(io_error(error)))?;
        self.counts.rows += 1;
        Ok(())
    }

    /// Refuses a contact before any cell of it is written.
    #[cold]
    fn refuse_long(&mut self, contact: &ExportContact) -> Result<(), ExportError> {
        for column in &self.layout.columns {
            let text = self.layout.text(column, contact, &mut self.cell);
            let field = column.field;
            if self.layout.rules.is_too_long(text, field == Field::Phone) {
                return Err(ExportError::CellTooLong {
                    field,
                    row: self.given,
                });
            }
        }
        Ok(())
    }

    /// Counts a contact that is left out, so that messages still say which one they are about.
    pub(super) fn skip(&mut self) {
        self.given += 1;
    }

    /// Writes what is still in memory.
    pub(super) fn finish(mut self) -> Result<ExportCounts, ExportError> {
        self.csv.flush().map_err(ExportError::write)?;
        Ok(self.counts)
    }
}

impl ExportCounts {
    #[cold]
    fn note(&mut self, changes: Changes) {
        self.cells_changed += u64::from(changes != Changes::default());
        self.cells_guarded += u64::from(changes.guarded);
        self.cells_shortened += u64::from(changes.shortened);
        self.control_characters_replaced += changes.controls_replaced;
    }
}

/// What of a profile a row needs.
struct Layout {
    columns: Vec<Column>,
    rules: Rules,
    tags_separator: String,
    created_date: CreatedDate,
    /// The day that the last date was of, as it is written.
    day: Cell<(Option<i64>, String)>,
    /// What goes into the background info, since it has no column of its own.
    without_column: Vec<Field>,
}

impl Layout {
    fn of(profile: &Profile) -> Self {
        let mut without_column = vec![
            Field::ServiceInterest,
            Field::Message,
            Field::Source,
            Field::CreatedDate,
        ];
        without_column.retain(|field| !profile.has(*field));
        Self {
            columns: profile.columns.clone(),
            rules: Rules {
                guard: profile.guard,
                long: profile.long_cells,
            },
            tags_separator: profile.tags_separator.clone(),
            created_date: profile.created_date,
            day: Cell::default(),
            without_column,
        }
    }

    /// Returns the text of a field, put together in `room` if it is not in the contact as it is.
    #[inline]
    fn text<'t>(
        &self,
        column: &Column,
        contact: &'t ExportContact,
        room: &'t mut String,
    ) -> &'t str {
        if let Some(text) = column.text(contact) {
            return text;
        }
        room.clear();
        self.put_together(column.field, contact, room);
        room
    }

    /// Tells whether [`put_together`](Self::put_together) gives any text.
    fn puts_together(&self, field: Field, contact: &ExportContact) -> bool {
        let mut text = String::new();
        self.put_together(field, contact, &mut text);
        !text.is_empty()
    }

    fn put_together(&self, field: Field, contact: &ExportContact, to: &mut String) {
        match field {
            Field::CreatedDate => {
                if let Some(at) = contact.created {
                    self.push_date(at, to);
                }
            }
            Field::Tags => {
                for (index, tag) in contact.tags.iter().enumerate() {
                    if index > 0 {
                        to.push_str(&self.tags_separator);
                    }
                    to.push_str(tag);
                }
            }
            Field::BackgroundInfo => self.push_background(contact, to),
            _ => {}
        }
    }

    /// The notes, and below them what has no column of its own.
    fn push_background(&self, contact: &ExportContact, to: &mut String) {
        to.push_str(contact.background_info.as_deref().unwrap_or_default());
        for field in &self.without_column {
            let text = field.text(contact);
            if text.is_some_and(str::is_empty) || (text.is_none() && contact.created.is_none()) {
                continue;
            }
            if !to.is_empty() {
                to.push('\n');
            }
            to.push_str(field.label());
            to.push_str(": ");
            match text {
                Some(text) => to.push_str(text),
                None => self.put_together(*field, contact, to),
            }
        }
    }

    /// The day is put into words once per day, the time of day by hand: chrono's own formatting takes as long as the
    /// rest of the row.
    fn push_date(&self, at: DateTime<Utc>, to: &mut String) {
        let day = at.timestamp().div_euclid(SECONDS_A_DAY);
        let mut known = self.day.take();
        if known.0 != Some(day) {
            known = (Some(day), at.format("%Y-%m-%d").to_string());
        }
        to.push_str(&known.1);
        self.day.set(known);
        if self.created_date == CreatedDate::DateOnly {
            return;
        }
        let second = u32::try_from(at.timestamp().rem_euclid(SECONDS_A_DAY)).unwrap_or_default();
        let [h, m, s] = [second / 3600, second / 60 % 60, second % 60].map(two_digits);
        let time = [b'T', h[0], h[1], b':', m[0], m[1], b':', s[0], s[1], b'Z'];
        to.push_str(str::from_utf8(&time).unwrap_or_default());
    }
}

const SECONDS_A_DAY: i64 = 86_400;

fn two_digits(number: u32) -> [u8; 2] {
    [number / 10, number % 10].map(digit)
}

fn digit(number: u32) -> u8 {
    b'0' + u8::try_from(number % 10).unwrap_or_default()
}

/// The `csv` crate wraps what the writer said. Its own errors are about records of unequal lengths, of which there are
/// none here.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use rstest::rstest;

    use super::*;

    fn written(contacts: &[ExportContact], profile: &Profile) -> (String, ExportCounts) {
        let mut file = Vec::new();
        let counts = export_contacts(&mut file, contacts, profile).unwrap();
        (String::from_utf8(file).unwrap(), counts)
    }

    fn ana() -> ExportContact {
        ExportContact::new("c-1")
            .first_name("Ana")
            .message("Two rooms,\nplease")
            .service_interest("Painting")
            .source("website")
            .created(Utc.with_ymd_and_hms(2026, 3, 4, 5, 6, 7).unwrap())
            .tags(["new", "form"])
    }

    #[test]
    fn raw_cells_are_quoted_where_needed() {
        let (file, counts) = written(&[ana().company("=A \"B\"")], &Profile::import_raw());
        assert_eq!(
            file,
            "ID,First Name,Last Name,Email,Phone,Company,Service Interest,Message,Source,Created Date,Tags\r\n\
             c-1,Ana,,,,\"=A \"\"B\"\"\",Painting,\"Two rooms,\nplease\",website,2026-03-04T05:06:07Z,\"new,form\"\r\n"
        );
        assert_eq!((counts.rows, counts.cells_changed), (1, 0));
    }

    #[test]
    fn switches_do_what_they_say() {
        let profile = Profile::import_raw()
            .columns([Field::CreatedDate.into(), Field::Tags.into()])
            .delimiter(super::super::Delimiter::Semicolon)
            .byte_order_mark(true)
            .tags_separator(" | ")
            .created_date(CreatedDate::DateOnly);
        let (file, _) = written(&[ana()], &profile);
        assert_eq!(
            file,
            "\u{feff}Created Date;Tags\r\n2026-03-04;new | form\r\n"
        );
    }

    #[test]
    fn background_info_takes_what_has_no_column() {
        let profile =
            Profile::import_raw().columns([Field::BackgroundInfo.into(), Field::Source.into()]);
        let contact = ana().background_info("Called once.");
        let (file, _) = written(&[contact], &profile);
        assert_eq!(
            file,
            "Background Info,Source\r\n\"Called once.\nService Interest: Painting\nMessage: Two rooms,\nplease\n\
             Created Date: 2026-03-04T05:06:07Z\",website\r\n"
        );
    }

    #[test]
    fn extra_columns_hold_what_has_no_field() {
        let extra = |name| Column::extra(name).unwrap();
        let profile = Profile::default().columns([extra("Plan"), extra("Seats")]);
        let contact = |id: &str| ExportContact::new(id).extra("Seats", "=12");
        let contacts = [
            contact("1").extra("Plan", "basic").extra("Lost", "x"),
            contact("2").extra("Seats", ""),
            ExportContact::new("3").extra(" plan", "family"),
        ];
        let (file, counts) = written(&contacts, &profile);
        assert_eq!(
            file,
            "\"Plan\",\"Seats\"\r\n\"basic\",\"'=12\"\r\n\"family\",\"\"\r\n"
        );
        assert_eq!((counts.rows, counts.empty_rows), (2, 1));
    }

    #[test]
    fn a_contact_without_text_makes_no_row() {
        let profile = Profile::default().without(Field::Id);
        let contacts = [ExportContact::new("1"), ana(), ExportContact::new("2")];
        let (file, counts) = written(&contacts, &profile);
        assert_eq!(file.lines().count(), 3, "one holds a line break");
        assert_eq!((counts.rows, counts.empty_rows), (1, 2));
    }

    #[rstest]
    #[case(0, "1970-01-01T00:00:00Z")]
    #[case(-62_135_596_801, "0000-12-31T23:59:59Z")]
    #[case(1_795_305_599, "2026-11-21T23:59:59Z")]
    #[case(253_402_300_800, "+10000-01-01T00:00:00Z")]
    fn dates_of_any_year_are_written(#[case] seconds: i64, #[case] text: &str) {
        let at = DateTime::from_timestamp(seconds, 999).unwrap();
        let profile = Profile::import_raw().columns([Field::CreatedDate.into()]);
        let contact = ExportContact::new("1").created(at);
        let (file, _) = written(std::slice::from_ref(&contact), &profile);
        assert_eq!(file, format!("Created Date\r\n{text}\r\n"));

        // Another day between two of this one.
        let day = text.split('T').next().unwrap();
        let profile = profile.created_date(CreatedDate::DateOnly);
        let rows = [contact.clone(), ana(), contact];
        let (file, _) = written(&rows, &profile);
        assert_eq!(
            file,
            format!("Created Date\r\n{day}\r\n2026-03-04\r\n{day}\r\n")
        );
    }

    #[test]
    fn a_writer_that_is_full_is_told_from_one_that_is_broken() {
        struct Failing(io::ErrorKind, usize);
        impl Write for Failing {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                if self.1 == 0 {
                    return Err(self.0.into());
                }
                let taken = bytes.len().min(self.1);
                self.1 -= taken;
                Ok(taken)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        for room in [0, 1, 100, BUFFER, BUFFER + 1, 200_000] {
            let contacts = || (0..5_000).map(|n| ExportContact::new(format!("contact-{n}")));
            let full = Failing(io::ErrorKind::StorageFull, room);
            let error = export_contacts(full, contacts(), &Profile::default()).unwrap_err();
            assert!(matches!(error, ExportError::DiskFull { .. }), "{error:?}");
            let broken = Failing(io::ErrorKind::BrokenPipe, room);
            let error = export_contacts(broken, contacts(), &Profile::default()).unwrap_err();
            assert!(matches!(error, ExportError::Write { .. }), "{error:?}");
        }
    }
}
