//! What is found out about a file before the store uses it.
//!
//! No file that is there is opened here but by SQLite: whoever closes a file gives up all locks that his process has on
//! it, also those of another store in it, and other processes would take its log of writes away.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};

use super::failure;
use crate::OpenError;
use crate::failure::{Class, Failure};

/// Makes the file if there is none.
pub(super) fn make(path: PathBuf) -> Result<PathBuf, OpenError> {
    if let Some(address) = address(&path) {
        return Err(OpenError::NotAPath {
            path: named_by(address),
        });
    }
    // Some relative names have a meaning to SQLite (`:memory:`, `file:…`).
    let path = std::path::absolute(&path).unwrap_or(path);
    if path.is_dir() {
        return Err(OpenError::IsDirectory { path });
    }
    if path.parent().is_some_and(|directory| !directory.is_dir()) {
        return Err(OpenError::NoDirectory { path });
    }
    if path.exists() {
        return Ok(path);
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(&path) {
        Ok(_) => Ok(path),
        Err(error) => {
            let class = match error.kind() {
                // Somebody was faster, or it is a link to nowhere, which SQLite will tell.
                io::ErrorKind::AlreadyExists => return Ok(path),
                io::ErrorKind::PermissionDenied
                | io::ErrorKind::ReadOnlyFilesystem
                | io::ErrorKind::StorageFull
                | io::ErrorKind::QuotaExceeded => Class::ReadOnly,
                _ => Class::Refused,
            };
            Err(Failure::new(class, error.to_string()).of_sqlite(Some(path)))
        }
    }
}

/// Returns what stands behind the scheme, where a path is an address such as `sqlite://a.db?mode=rwc`.
fn address(path: &Path) -> Option<&str> {
    let (scheme, rest) = path.to_str()?.split_once(':')?;
    scheme.eq_ignore_ascii_case("sqlite").then_some(rest)
}

/// Returns the file of an address.
fn named_by(address: &str) -> Option<PathBuf> {
    let file = address.strip_prefix("//").unwrap_or(address);
    let file = file.split_once('?').map_or(file, |(file, _)| file);
    (!file.is_empty() && file != ":memory:").then(|| file.into())
}

/// Finds out whether the file has been cut short. SQLite finds out by itself where it has no log of writes and whole
/// pages are gone; else it reads what is gone as zeros, and fails, or loses rows, when it gets there.
///
/// The connection only reads: another would write into the file when it is closed.
pub(super) async fn check_length(
    options: &SqliteConnectOptions,
    path: &Path,
) -> Result<(), OpenError> {
    let options = options.clone().read_only(true).busy_timeout(Duration::ZERO);
    let looked = match options.connect().await {
        Ok(mut connection) => {
            let looked = is_short(&mut connection, path).await;
            let _ = connection.close().await;
            looked
        }
        Err(error) => Err(error),
    };
    let failure = match looked {
        Ok(false) => return Ok(()),
        Ok(true) => Failure::new(Class::Damaged, "the file has been cut short"),
        Err(error) => failure(&error),
    };
    // Whatever else is wrong is told by the connections that come after this one.
    if failure.class == Class::Damaged {
        return Err(failure.of_sqlite(Some(path.to_owned())));
    }
    Ok(())
}

/// What has been read in a transaction stays in the file and the log until its end.
async fn is_short(connection: &mut SqliteConnection, path: &Path) -> Result<bool, sqlx::Error> {
    let mut reading = connection.begin().await?;
    let (count, size): (i64, i64) =
        sqlx::query_as("select page_count, page_size from pragma_page_count, pragma_page_size")
            .fetch_one(&mut *reading)
            .await?;
    let path = path.canonicalize()?;
    let looked = tokio::task::spawn_blocking(move || {
        let (count, size) = (u64::try_from(count).ok()?, u64::try_from(size).ok()?);
        let pages = Pages::cut_off(std::fs::metadata(&path).ok()?.len(), count, size)?;
        let mut log = path.into_os_string();
        log.push("-wal");
        // A process that was killed while it brought the log into the file has left them in the log.
        let logged = File::open(log).and_then(|log| pages.in_log(BufReader::new(log)));
        Some(logged.unwrap_or_default() < pages.count())
    });
    Ok(looked.await.ok().flatten().unwrap_or_default())
}

/// The pages that a file should have and has not.
#[derive(Debug, PartialEq, Eq)]
struct Pages {
    first: u64,
    last: u64,
    size: u64,
}

impl Pages {
    /// Returns the pages behind the end of a file, where there are any. One that is there in part counts as missing.
    fn cut_off(length: u64, count: u64, size: u64) -> Option<Self> {
        let first = length.checked_div(size)?.checked_add(1)?;
        let pages = Self {
            first,
            last: count,
            size,
        };
        (first <= count).then_some(pages)
    }

    /// Returns how many they are, without the one that SQLite never writes because its locks lie there.
    fn count(&self) -> u64 {
        const LOCKS_AT: u64 = 0x4000_0000;
        let of_locks = (LOCKS_AT / self.size).saturating_add(1);
        let unwritten = u64::from((self.first..=self.last).contains(&of_locks));
        self.last
            .saturating_add(1)
            .saturating_sub(self.first)
            .saturating_sub(unwritten)
    }

    /// Returns how many of them lie in a log of writes: a head of 32 bytes, then pages, each behind a head of 24 bytes
    /// that begins with its number (<https://www.sqlite.org/fileformat2.html#walformat>).
    fn in_log(&self, mut log: impl Read) -> io::Result<u64> {
        let mut found = BTreeSet::new();
        skip(&mut log, 32)?;
        let mut head = [0; 24];
        while log.read_exact(&mut head).is_ok() {
            let [a, b, c, d, ..] = head;
            let number = u64::from(u32::from_be_bytes([a, b, c, d]));
            if (self.first..=self.last).contains(&number) {
                found.insert(number);
            }
            skip(&mut log, self.size)?;
        }
        Ok(u64::try_from(found.len()).unwrap_or(u64::MAX))
    }
}

fn skip(from: &mut impl Read, bytes: u64) -> io::Result<()> {
    io::copy(&mut from.take(bytes), &mut io::sink())?;
    Ok(())
}

/// Finds out whether the file can be written. SQLite opens a file that it cannot write for reading, and would say so
/// only when the first row is written.
pub(super) async fn check_writable(
    options: &SqliteConnectOptions,
    path: &Path,
) -> Result<(), OpenError> {
    let look = async || {
        let options = options.clone().busy_timeout(Duration::ZERO);
        let mut connection = options.connect().await?;
        // What has no right to write begins to read instead; a change finds out. It ends with its connection.
        let changed = sqlx::raw_sql("begin immediate; pragma user_version = 0")
            .execute(&mut connection)
            .await;
        let _ = connection.close().await;
        changed
    };
    match look().await.map_err(|error| failure(&error)) {
        // Whoever holds the lock can write, and so can we after him.
        Err(failure) if failure.class != Class::Locked => {
            Err(failure.of_sqlite(Some(path.to_owned())))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::whole(8_192, 2, None)]
    #[case::longer(12_288, 2, None)]
    #[case::new(0, 0, None)]
    #[case::a_page_short(4_096, 2, Some((2, 2)))]
    #[case::a_byte_short(8_191, 2, Some((2, 2)))]
    #[case::empty(0, 3, Some((1, 3)))]
    #[case::a_count_of_nonsense(8_192, u64::MAX, Some((3, u64::MAX)))]
    fn pages_behind_the_end_are_missing(
        #[case] length: u64,
        #[case] count: u64,
        #[case] missing: Option<(u64, u64)>,
    ) {
        let missing = missing.map(|(first, last)| Pages {
            first,
            last,
            size: 4_096,
        });
        assert_eq!(Pages::cut_off(length, count, 4_096), missing);
    }

    #[rstest]
    #[case::one(2, 2, 1)]
    #[case::several(2, 5, 4)]
    #[case::around_the_locks(262_144, 262_146, 2)]
    #[case::all_there_could_be(1, u64::MAX, u64::MAX - 2)]
    fn pages_are_counted(#[case] first: u64, #[case] last: u64, #[case] count: u64) {
        let pages = Pages {
            first,
            last,
            size: 4_096,
        };
        assert_eq!(pages.count(), count);
    }

    #[rstest]
    #[case::none(&[], 0)]
    #[case::others(&[1, 2, 9], 0)]
    #[case::twice(&[3, 3], 1)]
    #[case::all(&[1, 5, 4, 3, 4], 3)]
    fn pages_are_found_in_a_log(#[case] numbers: &[u32], #[case] found: u64) {
        let pages = Pages {
            first: 3,
            last: 5,
            size: 512,
        };
        let mut log = vec![0xff; 32];
        for number in numbers {
            log.extend(number.to_be_bytes());
            log.extend([0; 20 + 512]);
        }
        assert_eq!(pages.in_log(&log[..]).unwrap(), found);
        // The head of another page, and no more.
        log.extend([0, 0, 0]);
        assert_eq!(pages.in_log(&log[..]).unwrap(), found);
        assert_eq!(pages.in_log(&log[..7]).unwrap(), 0);
    }
}
