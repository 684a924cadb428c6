//! Import mode: contacts as CSV for SuiteDash's import screen, and the history of such files.
//!
//! Where the plan has no room for API calls, a person imports a file (CRM > *Import Contacts*). **SuiteDash's own format
//! is not published**: neither column names nor encoding, row limit, or what happens to duplicates, tags and the welcome
//! mail. So this is a plain file that the import screen's mapping takes, with columns to rename, reorder and drop;
//! import two rows first. ID, Service Interest, Source and Created Date have no standard field in SuiteDash: map them to
//! custom fields, or let [`Profile::attribute_columns`] put them into Background Info.
//!
//! [`export_contacts`] writes rows into anything; [`Exporter`] makes files in a directory, each whole or not there, and
//! exports no contact twice. Both stream.
//!
//! Cells that come from a form may hold formulas. The default [`Profile`] disarms them; read
//! [`Profile::import_raw`] before using that.

mod cell;
mod columns;
mod contact;
mod env;
mod error;
mod exporter;
mod history;
mod place;
mod profile;
mod rows;

pub use columns::{Column, Field};
pub use contact::ExportContact;
pub use env::{Mode, directory_from_env};
pub use error::ExportError;
pub use exporter::{ExportProgress, ExportStep, Exported, Exporter, NewExport};
pub use history::{
    ExportHistory, ExportRun, FileHistory, HistoryError, Inclusion, MemoryHistory, OpenRun, RunId,
    RunState, Standing,
};
pub(crate) use place::{blocking, make_private, open_private};
pub use profile::{CreatedDate, Delimiter, LongCells, Profile};
pub use rows::{ExportCounts, export_contacts, try_export_contacts};
