//! How a file is written.

use super::cell::{self, Guard};
use super::columns::{ATTRIBUTES, Column, DEFAULT, Field, is_same_name};
use super::error::ExportError;

/// How a file is written: its columns, and what is done to cells.
///
/// [`spreadsheet_safe`](Self::spreadsheet_safe) is the default. A person who checks an export before the import opens it
/// in a spreadsheet, and what strangers typed into a form runs there if a cell begins like a formula.
///
/// ```
/// use suitedash_client::export::{Column, Delimiter, Field, Profile};
///
/// let profile = Profile::spreadsheet_safe()
///     .rename(Field::Phone, "Mobile")
///     .without(Field::Id)
///     .with(Field::Role)
///     .delimiter(Delimiter::Semicolon)
///     .byte_order_mark(true);
///
/// let few = Profile::import_raw().columns([Column::named(Field::Email, "E-mail"), Field::Tags.into()]);
/// # let _ = (profile, few);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    pub(super) columns: Vec<Column>,
    pub(super) guard: Guard,
    pub(super) delimiter: Delimiter,
    pub(super) byte_order_mark: bool,
    pub(super) tags_separator: String,
    pub(super) created_date: CreatedDate,
    pub(super) long_cells: LongCells,
}

/// What stands between cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delimiter {
    /// `,`, as RFC 4180 says.
    #[default]
    Comma,
    /// `;`, which spreadsheets expect where a comma is the decimal sign.
    Semicolon,
    /// A tab.
    Tab,
}

/// How the column "Created Date" is written. Always in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CreatedDate {
    /// `2026-11-21T14:30:00Z`
    #[default]
    Rfc3339,
    /// `2026-11-21`
    DateOnly,
}

/// What is done with a cell of more than 32,767 UTF-16 units, the most that a spreadsheet's cell takes.
///
/// Excel lets the rest of such a cell run over into the next rows of the sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LongCells {
    /// Its end is cut off, and the cell counted in [`cells_shortened`](super::ExportCounts::cells_shortened).
    Shorten,
    /// It is written whole.
    Keep,
    /// The export fails with [`ExportError::CellTooLong`].
    Refuse,
}

impl Default for Profile {
    fn default() -> Self {
        Self::spreadsheet_safe()
    }
}

impl Profile {
    /// Makes a file that may be opened in a spreadsheet.
    ///
    /// Every cell is quoted. A cell that begins like a formula gets an apostrophe in front: its first character, after
    /// white space and invisible characters, is one of `=`, `+`, `-`, `@`, `'` or their full-width forms, or it begins
    /// with a tab, a line break or NUL. A phone number of `+` and 7 to 15 digits stays as it is, since it can only be a
    /// number. NUL and other control characters become blanks, cells of more than 32,767 characters are
    /// [shortened](LongCells::Shorten).
    ///
    /// No such rule is perfect. Excel may drop the apostrophe when the file is saved and opened again, and a spreadsheet
    /// whose list separator is not the file's takes cells apart in other places: choose its
    /// [`delimiter`](Self::delimiter).
    pub fn spreadsheet_safe() -> Self {
        Self {
            columns: DEFAULT.map(Column::from).into(),
            guard: Guard::Apostrophe,
            delimiter: Delimiter::Comma,
            byte_order_mark: false,
            tags_separator: ",".to_owned(),
            created_date: CreatedDate::Rfc3339,
            long_cells: LongCells::Shorten,
        }
    }

    /// Makes a file for an importer, and **never for a spreadsheet**: a cell may hold a formula that a stranger typed
    /// into a form, and a spreadsheet would run it.
    ///
    /// Cells are quoted where RFC 4180 asks for it and otherwise written as they are, of any length; only NUL and other
    /// control characters become blanks.
    pub fn import_raw() -> Self {
        Self {
            guard: Guard::None,
            long_cells: LongCells::Keep,
            ..Self::spreadsheet_safe()
        }
    }

    /// Takes these columns, in this order, in place of all others.
    pub fn columns(mut self, columns: impl IntoIterator<Item = Column>) -> Self {
        self.columns = columns.into_iter().collect();
        self
    }

    /// Takes the columns that match attributes of a contact in the Secure API one to one: First Name, Last Name, Email,
    /// Phone, Role, Company, Title, Website, Address Line 1, Address Line 2, City, State, Country, Zip, Tags and
    /// Background Info. Message, source and date go into the last.
    pub fn attribute_columns(self) -> Self {
        self.columns(ATTRIBUTES.map(Column::from))
    }

    /// Calls the column of a field something else. Nothing happens if there is no such column, or for
    /// [`Field::Extra`], whose name says what it holds.
    pub fn rename(mut self, field: Field, name: impl Into<String>) -> Self {
        let name = name.into();
        for column in &mut self.columns {
            if column.field == field && field != Field::Extra {
                column.name.clone_from(&name);
            }
        }
        self
    }

    /// Leaves the column of a field out.
    pub fn without(mut self, field: Field) -> Self {
        self.columns.retain(|column| column.field != field);
        self
    }

    /// Adds a column at the end.
    pub fn with(mut self, column: impl Into<Column>) -> Self {
        self.columns.push(column.into());
        self
    }

    /// Adds those of these columns that are not there yet, at the end: one of the same field, or an
    /// [extra](Column::extra) one of the same name, is.
    pub fn with_missing(mut self, columns: impl IntoIterator<Item = Column>) -> Self {
        for column in columns {
            if !self.columns.iter().any(|it| it.holds_same(&column)) {
                self.columns.push(column);
            }
        }
        self
    }

    /// Chooses what stands between cells.
    pub fn delimiter(mut self, delimiter: Delimiter) -> Self {
        self.delimiter = delimiter;
        self
    }

    /// Chooses whether the file begins with a byte order mark: Excel needs one to read UTF-8 as such, some importers
    /// choke on it. Without one unless told otherwise.
    pub fn byte_order_mark(mut self, yes: bool) -> Self {
        self.byte_order_mark = yes;
        self
    }

    /// Chooses what stands between tags in their cell, a comma unless told otherwise.
    pub fn tags_separator(mut self, separator: impl Into<String>) -> Self {
        self.tags_separator = separator.into();
        self
    }

    /// Chooses how "Created Date" is written.
    pub fn created_date(mut self, style: CreatedDate) -> Self {
        self.created_date = style;
        self
    }

    /// Chooses what is done with cells that no spreadsheet can hold.
    pub fn long_cells(mut self, long_cells: LongCells) -> Self {
        self.long_cells = long_cells;
        self
    }

    /// Checks that a header can be made of it.
    ///
    /// # Errors
    ///
    /// [`ExportError::NoColumns`], [`ExportError::DuplicateColumn`] (blanks around a name and case make no difference,
    /// nor do they to importers), or [`ExportError::ColumnName`] if a name is empty, begins like a formula or holds a
    /// control character. Exporting checks it first of all.
    pub fn check(&self) -> Result<(), ExportError> {
        if self.columns.is_empty() {
            return Err(ExportError::NoColumns);
        }
        let mut seen: Vec<&str> = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            if !cell::is_header(&column.name) {
                return Err(ExportError::ColumnName {
                    field: column.field,
                });
            }
            if seen.iter().any(|name| is_same_name(name, &column.name)) {
                return Err(ExportError::DuplicateColumn {
                    field: column.field,
                });
            }
            seen.push(&column.name);
        }
        Ok(())
    }

    /// Returns whether a field has a column.
    pub(super) fn has(&self, field: Field) -> bool {
        self.columns.iter().any(|column| column.field == field)
    }
}

impl Delimiter {
    pub(super) fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn names(profile: &Profile) -> Vec<&str> {
        profile.columns.iter().map(|c| c.name.as_str()).collect()
    }

    #[test]
    fn the_default_columns_are_these_in_this_order() {
        assert_eq!(
            names(&Profile::default()).join(", "),
            "ID, First Name, Last Name, Email, Phone, Company, Service Interest, Message, Source, Created Date, Tags"
        );
    }

    #[test]
    fn columns_are_renamed_dropped_and_added() {
        let profile = Profile::default()
            .columns([Field::Tags, Field::Email, Field::Id].map(Column::from))
            .rename(Field::Email, "E-mail")
            .without(Field::Id)
            .with(Field::Zip);
        assert_eq!(names(&profile), ["Tags", "E-mail", "Zip"]);
        assert!(profile.check().is_ok());
        assert!(Profile::import_raw().attribute_columns().check().is_ok());
    }

    #[test]
    fn missing_columns_are_added_once() {
        let extra = |name| Column::extra(name).unwrap();
        let profile = Profile::default()
            .columns([Column::from(Field::Email), extra("Plan")])
            .with_missing([Field::Email.into(), Field::Title.into()])
            .with_missing([extra("plan "), extra("Seats"), Field::Title.into()])
            .rename(Field::Extra, "Other");
        assert_eq!(names(&profile), ["Email", "Plan", "Title", "Seats"]);
        assert!(profile.check().is_ok());
        for taken in [
            "Plan\n",
            "=Plan",
            " ",
            "e-mail\0",
            " EMAIL",
            "background info",
        ] {
            assert_eq!(Column::extra(taken), None, "{taken:?}");
        }
    }

    #[rstest]
    #[case("email")]
    #[case(" EMAIL ")]
    fn two_columns_of_one_name_are_refused(#[case] name: &str) {
        let refused = Profile::default().rename(Field::Phone, name).check();
        assert!(
            matches!(
                refused,
                Err(ExportError::DuplicateColumn {
                    field: Field::Phone
                })
            ),
            "{refused:?}"
        );
    }

    #[rstest]
    #[case("")]
    #[case(" ")]
    #[case("=1+1")]
    #[case("\u{feff}Phone")]
    #[case("Pho\0ne")]
    #[case("Pho\nne")]
    fn a_name_that_breaks_the_header_is_refused(#[case] name: &str) {
        let refused = Profile::import_raw().rename(Field::Phone, name).check();
        assert!(
            matches!(
                refused,
                Err(ExportError::ColumnName {
                    field: Field::Phone
                })
            ),
            "{refused:?}"
        );
    }

    #[test]
    fn a_file_without_columns_is_refused() {
        assert!(matches!(
            Profile::default().columns([]).check(),
            Err(ExportError::NoColumns)
        ));
    }
}
