//! Files that are whole or not there.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::ExportError;

/// The lock of a directory for exports.
const LOCK: &str = ".suitedash-export.lock";
/// How the name of a file begins and ends that is being written.
const PART: (&str, &str) = (".suitedash-contacts-", ".part");

/// A directory into which nobody else exports.
#[derive(Clone, Debug)]
pub(super) struct Place {
    directory: PathBuf,
    /// Held by every part as well, since a part may be worked on after its export was given up.
    _lock: Arc<File>,
}

/// A file that is being written, under a name that nobody takes for an export. Dropped, it is removed.
pub(super) struct Part {
    place: Place,
    file: File,
    path: PathBuf,
    is_in_place: bool,
}

impl Place {
    /// Takes the directory, and removes what a crash left in it.
    pub(super) fn open(directory: &Path) -> Result<Self, ExportError> {
        let refused = |error| ExportError::directory(directory, error);
        if !fs::metadata(directory).map_err(refused)?.is_dir() {
            return Err(refused(io::ErrorKind::NotADirectory.into()));
        }
        let lock = try_lock(&directory.join(LOCK)).map_err(refused)?;
        let place = Self {
            _lock: Arc::new(lock.ok_or_else(|| ExportError::Busy {
                path: directory.to_owned(),
            })?),
            directory: directory.to_owned(),
        };
        place.remove_parts().map_err(refused)?;
        Ok(place)
    }

    fn remove_parts(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let is_part = name
                .to_str()
                .is_some_and(|name| name.starts_with(PART.0) && name.ends_with(PART.1));
            if is_part {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Tells whether a file is there.
    pub(super) fn has(&self, file: &str) -> io::Result<bool> {
        fs::exists(self.directory.join(file))
    }

    /// Begins a file.
    pub(super) fn begin(&self, run: &str) -> Result<Part, ExportError> {
        let path = self.directory.join(format!("{}{run}{}", PART.0, PART.1));
        let file = open_private(&path, |options| options.write(true).create_new(true))
            .map_err(|error| ExportError::directory(&self.directory, error))?;
        Ok(Part {
            place: self.clone(),
            file,
            path,
            is_in_place: false,
        })
    }
}

impl Part {
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Brings what was written to the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// Gives it its name.
    pub(super) fn put_in_place(mut self, file: &str) -> io::Result<()> {
        fs::rename(&self.path, self.place.directory.join(file))?;
        self.is_in_place = true;
        sync_directory(&self.place.directory)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.is_in_place {
            // What cannot be removed now is removed when the next export begins.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes a directory that only this user may enter, unless it is there.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|it| it.is_dir()) {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    match builder.create(path) {
        // Somebody else was faster; what is no directory says so when it is written into.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        done => done,
    }
}

/// Opens a file that only this user may read.
pub(crate) fn open_private(
    path: &Path,
    choose: impl FnOnce(&mut OpenOptions) -> &mut OpenOptions,
) -> io::Result<File> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    choose(&mut options).open(path)
}

/// Locks a file, making it if need be; `None` if somebody else has it. The lock ends with the file or the process.
pub(super) fn try_lock(path: &Path) -> io::Result<Option<File>> {
    let file = open_private(path, |options| {
        options.write(true).create(true).truncate(false)
    })?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Brings the names in a directory to the disk. Where directories cannot be opened, the system sees to it.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(path)?.sync_all()?;
    }
    Ok(())
}

/// Does work that waits for a disk where it holds nobody up.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)
}
