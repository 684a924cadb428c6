//! The files of import mode: from the contacts that wait to the mark that they were imported.

use std::collections::HashSet;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use chrono::{DateTime, Utc};
use futures_core::Stream;
use suitedash_client::connection::{Connection, ImportPlace};
use suitedash_client::export::{
    ExportContact, ExportError, ExportRun, Exported, HistoryError, NewExport, RunId,
};
use thiserror::Error;
use tokio::sync::mpsc;

use super::import::Version;
use super::record::{Filled, PLACES, To, columns};
use super::{NAME, SuiteDashTarget};
use crate::failure::{ClientUnavailable, ErrorClass};
use crate::ids::{ContactId, TargetName, TenantId};
use crate::mapping::FieldMap;
use crate::store::{Standing, Standings, StoreError, SyncStore};

/// How many contacts are read from the store at a time.
const PAGE: usize = 500;

/// Exports the contacts of a tenant that wait for an import, and takes the word of a person that they were imported.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use chrono::{DateTime, Utc};
/// use contact_sync::targets::suitedash::{ExportsError, SuiteDashExports, SuiteDashTarget};
/// use contact_sync::{SyncStore, TenantId};
/// use suitedash_client::export::NewExport;
///
/// # async fn example(store: Arc<dyn SyncStore>, target: SuiteDashTarget, now: DateTime<Utc>) -> Result<(), ExportsError> {
/// let (exports, acme) = (SuiteDashExports::new(store, &target), TenantId::from("acme"));
/// let done = exports.export(&acme, NewExport::new(now, "user-7")).await?;
/// if let Some(run) = done.run {
///     println!("{} contacts in {}", run.rows(), run.file);
///     // Later, when somebody has imported it:
///     exports.mark_imported(&acme, &run.id, now, "user-7").await?;
/// }
/// # Ok(())
/// # }
/// ```
///
/// - A contact is in one file. It gets into another when it has changed, or when the caller asks for it with
///   [`include_exported`](NewExport::include_exported).
/// - Of several contacts with the same e-mail address, one goes into a file; the others wait until it is imported, and
///   need no import if they say the same.
/// - A process that ends between the file and the history leaves either both or none, and the next export finds out.
/// - A file gets a column for each place that the tenant's field map names, behind those of its profile where it has
///   none. One for a field of the account's own has its name: `custom:Plan` is the column "Plan".
/// - A mark wakes the jobs that wait. Marking twice is the same as once, and wakes them again.
/// - Somebody who changes, is exported, and changes back before that file is imported counts as imported with what came
///   before: nothing tells a file that is still to be imported from one that never will be.
///
/// Finding out who waits reads all contacts of the store, page by page.
#[derive(Clone)]
pub struct SuiteDashExports {
    store: Arc<dyn SyncStore>,
    target: SuiteDashTarget,
}

impl SuiteDashExports {
    /// Works on the contacts of a store, for the connections and settings of a target.
    pub fn new(store: Arc<dyn SyncStore>, target: &SuiteDashTarget) -> Self {
        Self {
            store,
            target: target.clone(),
        }
    }

    /// Writes everybody who waits, and is in no file yet, into one. Without anybody there is no file.
    ///
    /// # Errors
    ///
    /// [`ExportsError`]; then there is no file, and everybody still waits.
    pub async fn export(
        &self,
        tenant: &TenantId,
        export: NewExport,
    ) -> Result<Exported, ExportsError> {
        let place = self.place(tenant).await?;
        let exporter = place.exporter().await?;
        let map = self.target.map(tenant).await?;
        let export = export.with_missing(columns(&map));
        let (sender, receiver) = mpsc::channel(PAGE);
        let collect = Box::pin(self.collect(tenant, &map, sender));
        let written = Box::pin(exporter.export_stream(export, Waiting(receiver)));
        let (written, ()) = tokio::join!(written, collect);
        Ok(written?)
    }

    /// Counts who waits for an import, in a file already or not.
    ///
    /// # Errors
    ///
    /// [`ExportsError::Store`].
    pub async fn waiting(&self, tenant: &TenantId) -> Result<u64, ExportsError> {
        let (mut count, mut after) = (0, None);
        loop {
            let page = self.store.standings(after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(count);
            };
            after = Some(last.contact);
            count += page.iter().filter(|it| waits(it, tenant)).count() as u64;
        }
    }

    /// Returns the exports of a tenant, newest first.
    ///
    /// # Errors
    ///
    /// [`ExportsError`], but for those of the store.
    pub async fn runs(&self, tenant: &TenantId) -> Result<Vec<ExportRun>, ExportsError> {
        let place = self.place(tenant).await?;
        Ok(place.exporter().await?.runs().await?)
    }

    /// Takes somebody's word that a file was imported into SuiteDash: its contacts are synced, as soon as their jobs
    /// look. Nothing can check it.
    ///
    /// # Errors
    ///
    /// [`ExportsError`], but for those of the store.
    pub async fn mark_imported(
        &self,
        tenant: &TenantId,
        run: &RunId,
        at: DateTime<Utc>,
        by: &str,
    ) -> Result<ExportRun, ExportsError> {
        let place = self.place(tenant).await?;
        let exporter = place.exporter().await?;
        // After a crash, a file that is there may not be in the history as such.
        exporter.runs().await?;
        let marked = exporter.history().mark_imported(run, at, by).await;
        let marked = marked.map_err(ExportError::from)?;
        self.store.resume(tenant, &TargetName::from(NAME)).await?;
        Ok(marked)
    }

    async fn place(&self, tenant: &TenantId) -> Result<ImportPlace, ExportsError> {
        match self.target.connections.client(tenant).await? {
            Connection::Import(place) => Ok(place),
            _ => Err(ExportsError::NotImportMode),
        }
    }

    /// Sends everybody who waits, until that is all or nobody listens.
    async fn collect(&self, tenant: &TenantId, map: &FieldMap, to: mpsc::Sender<Item>) {
        if let Err(error) = self.send_waiting(tenant, map, &to).await {
            // Without a listener, the export has failed by itself.
            let _ = to.send(Err(error)).await;
        }
    }

    async fn send_waiting(
        &self,
        tenant: &TenantId,
        map: &FieldMap,
        to: &mpsc::Sender<Item>,
    ) -> Result<(), ExportsError> {
        let settings = self.target.settings.settings(tenant).await?;
        let (mut after, mut emails) = (None, HashSet::<String>::new());
        loop {
            let page = self.store.standings(after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some(last.contact);
            for waiting in page.iter().filter(|it| waits(it, tenant)) {
                let Some(stored) = self.store.stored(tenant, waiting.contact).await? else {
                    continue;
                };
                let contact = &stored.contact;
                let mapped = map.apply(contact, &PLACES);
                let key = contact.key().external(stored.id);
                let link = waiting.targets.iter().find(|it| it.target == NAME);
                let link = link.and_then(|it| it.remote.as_ref());
                let version = Version::of(&mapped, &key, link);
                let filled = Filled::new(mapped, To::File, &settings);
                let email = filled.email();
                if email.is_some_and(|email| !emails.insert(email.to_owned())) {
                    continue;
                }
                let mut row = filled.into_row(version.id, &settings);
                row.created = accepted_at(stored.id);
                if to.send(Ok(row)).await.is_err() {
                    return Ok(());
                }
            }
        }
    }
}

impl fmt::Debug for SuiteDashExports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SuiteDashExports")
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

type Item = Result<ExportContact, ExportsError>;

/// Why there is no export, or no mark.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExportsError {
    /// The tenant's contacts go through the API: there are no files.
    #[error("the integration is not in import mode")]
    NotImportMode,
    /// There is no connection to be had.
    #[error("no connection: {0}")]
    Unavailable(#[from] ClientUnavailable),
    /// The contacts could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file or the history could not be written.
    #[error(transparent)]
    Export(#[from] ExportError),
}

impl From<HistoryError> for ExportsError {
    fn from(error: HistoryError) -> Self {
        Self::Export(error.into())
    }
}

/// Tells whether a contact waits for an import.
fn waits(standings: &Standings, tenant: &TenantId) -> bool {
    standings.tenant == *tenant
        && standings.targets.iter().any(|it| {
            it.target == NAME
                && matches!(&it.standing, Standing::Retrying(note) if note.class == ErrorClass::AwaitsImport)
        })
}

/// When a contact was accepted: its id says so.
fn accepted_at(id: ContactId) -> Option<DateTime<Utc>> {
    let (seconds, nanos) = id.as_uuid().get_timestamp()?.to_unix();
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos)
}

/// The contacts as they are found.
struct Waiting(mpsc::Receiver<Item>);

impl Stream for Waiting {
    type Item = Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        self.0.poll_recv(cx)
    }
}
