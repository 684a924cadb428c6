//! The count in a small file, for programs without a database.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::plan::QuotaPeriod;
use super::store::{
    Months, QuotaCorrection, QuotaStore, QuotaStoreError, QuotaStoreErrorKind, QuotaUse, Taken,
};

const VERSION: u32 = 1;

/// Counts in a file, which several processes of one machine may share.
///
/// Each count writes the whole of it beside itself, flushes it to the disk and puts it in place: after a crash there is
/// the old state or the new one. A file beside it, ending in `.lock`, keeps processes apart; do not put it on a network
/// drive. A file that is no count is an error and never read as zero.
///
/// ```
/// use suitedash_client::{FileQuota, QuotaLedger, QuotaPlan};
///
/// let ledger = QuotaLedger::new(QuotaPlan::Start).store(FileQuota::new("/var/lib/forms/suitedash-quota.json"));
/// # drop(ledger);
/// ```
#[derive(Clone, Debug)]
pub struct FileQuota {
    path: Arc<Path>,
}

impl FileQuota {
    /// Names the file. It is made with the first count; its directory must exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into().into(),
        }
    }

    /// Runs what waits for the disk where it keeps nobody else from running.
    async fn on_disk<T, F>(&self, work: F) -> Result<T, QuotaStoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Path) -> Result<T, QuotaStoreError> + Send + 'static,
    {
        let path = Arc::clone(&self.path);
        let work = tokio::task::spawn_blocking(move || work(&path));
        // Only a runtime that shuts down cancels it.
        work.await
            .map_err(|error| unreachable_at(&self.path).because(error))?
    }
}

#[async_trait::async_trait]
impl QuotaStore for FileQuota {
    async fn read(&self, period: &QuotaPeriod) -> Result<QuotaUse, QuotaStoreError> {
        let period = period.clone();
        self.on_disk(move |path| Ok(load(path)?.read(&period)))
            .await
    }

    async fn take(&self, period: &QuotaPeriod, ceiling: u64) -> Result<Taken, QuotaStoreError> {
        let period = period.clone();
        self.on_disk(move |path| {
            let _lock = lock(path)?;
            let mut months = load(path)?;
            let taken = months.change(&period, |month| month.take(ceiling));
            if matches!(taken, Taken::Counted(_)) {
                save(path, &months)?;
            }
            Ok(taken)
        })
        .await
    }

    async fn give_back(&self, period: &QuotaPeriod) -> Result<(), QuotaStoreError> {
        let period = period.clone();
        self.on_disk(move |path| {
            let _lock = lock(path)?;
            let mut months = load(path)?;
            months.change(&period, QuotaUse::give_back);
            save(path, &months)
        })
        .await
    }

    async fn correct(
        &self,
        period: &QuotaPeriod,
        correction: QuotaCorrection,
    ) -> Result<(), QuotaStoreError> {
        let period = period.clone();
        self.on_disk(move |path| {
            let _lock = lock(path)?;
            let mut months = load(path)?;
            months.change(&period, |month| month.correct(correction));
            save(path, &months)
        })
        .await
    }
}

/// The file's content.
#[derive(Serialize, Deserialize)]
struct Record {
    version: u32,
    months: Vec<Month>,
}

#[derive(Serialize, Deserialize)]
struct Month {
    credential: String,
    starts: NaiveDate,
    used: u64,
    spent_by_vendor: bool,
}

/// Holds others off until it is dropped.
fn lock(path: &Path) -> Result<File, QuotaStoreError> {
    let open = || {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(beside(path, ".lock"))?;
        file.lock()?;
        Ok(file)
    };
    open().map_err(|error| refused(path, error))
}

fn load(path: &Path) -> Result<Months, QuotaStoreError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Months::default()),
        Err(error) => return Err(refused(path, error)),
    };
    let place = path.display().to_string();
    let corrupt = || QuotaStoreError::new(QuotaStoreErrorKind::Corrupt).at(&*place);
    let record: Record = serde_json::from_slice(&bytes).map_err(|_| corrupt())?;
    if record.version != VERSION {
        return Err(corrupt());
    }
    let months = record.months.into_iter().map(|month| {
        let period = QuotaPeriod::new(month.credential, month.starts);
        (period, QuotaUse::new(month.used, month.spent_by_vendor))
    });
    Ok(Months(months.collect()))
}

fn save(path: &Path, months: &Months) -> Result<(), QuotaStoreError> {
    let record = Record {
        version: VERSION,
        months: months
            .0
            .iter()
            .map(|(period, month)| Month {
                credential: period.credential.clone(),
                starts: period.starts,
                used: month.used,
                spent_by_vendor: month.spent_by_vendor,
            })
            .collect(),
    };
    let write = || {
        let bytes = serde_json::to_vec_pretty(&record)?;
        let new = beside(path, ".new");
        let mut file = File::create(&new)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        std::fs::rename(&new, path)?;
        // The name is as durable as the content only once its directory is.
        if let Some(directory) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
            File::open(directory)?.sync_all()?;
        }
        Ok(())
    };
    write().map_err(|error| refused(path, error))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// What the system says is a part of what is shown: without it nobody knows what to mend.
fn refused(path: &Path, error: io::Error) -> QuotaStoreError {
    let place = format!("{} ({})", path.display(), error.kind());
    QuotaStoreError::new(QuotaStoreErrorKind::Unavailable)
        .at(place)
        .because(error)
}

fn unreachable_at(path: &Path) -> QuotaStoreError {
    QuotaStoreError::new(QuotaStoreErrorKind::Unavailable).at(path.display().to_string())
}
