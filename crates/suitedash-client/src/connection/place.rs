//! The directory that an account's files are written into.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::export::{ExportError, Exporter, blocking, make_private, open_private};

/// What [`ImportPlace::check`] writes and removes again.
const PROBE: &str = ".suitedash-test";

/// Where the files of one account go, with the history of what went into them. Nothing is touched before it is used.
///
/// Clones share the history. **One directory per account**: its history says who was exported.
#[derive(Clone)]
pub struct ImportPlace(Arc<Inner>);

struct Inner {
    directory: PathBuf,
    exporter: OnceCell<Exporter>,
}

impl ImportPlace {
    /// Names a directory. It is made when it is first used; the one that it is in must exist.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self(Arc::new(Inner {
            directory: directory.into(),
            exporter: OnceCell::new(),
        }))
    }

    /// Takes an exporter with a history of the host's own, which is of this directory and no other.
    pub fn with_exporter(directory: impl Into<PathBuf>, exporter: Exporter) -> Self {
        Self(Arc::new(Inner {
            directory: directory.into(),
            exporter: OnceCell::new_with(Some(exporter)),
        }))
    }

    /// Returns the directory.
    pub fn directory(&self) -> &Path {
        &self.0.directory
    }

    /// Returns what writes the files, and knows which there are. Needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`ExportError::Directory`] when the directory is not there and cannot be made, and those of
    /// [`Exporter::open`]. A failure is not remembered.
    pub async fn exporter(&self) -> Result<&Exporter, ExportError> {
        let open = || Exporter::open(self.directory());
        self.0.exporter.get_or_try_init(open).await
    }

    /// Checks that files can be written here, by writing one and removing it. Makes the directory if need be.
    ///
    /// # Errors
    ///
    /// [`ExportError::Directory`], or [`ExportError::DiskFull`].
    pub async fn check(&self) -> Result<(), ExportError> {
        self.make().await?;
        let path = self.directory().join(PROBE);
        self.blocking(move || {
            let file = open_private(&path, |options| options.write(true).create(true))?;
            io::Write::write_all(&mut &file, b"test")?;
            file.sync_all()?;
            fs::remove_file(&path)
        })
        .await
    }

    async fn make(&self) -> Result<(), ExportError> {
        let directory = self.directory().to_owned();
        self.blocking(move || make_private(&directory)).await
    }

    async fn blocking(
        &self,
        work: impl FnOnce() -> io::Result<()> + Send + 'static,
    ) -> Result<(), ExportError> {
        let done = blocking(work).await.and_then(|done| done);
        done.map_err(|error| ExportError::directory(self.directory(), error))
    }
}

impl fmt::Debug for ImportPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportPlace")
            .field("directory", &self.0.directory)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_directory_is_made_where_it_may_be() {
        let root = tempfile::tempdir().unwrap();
        let place = ImportPlace::new(root.path().join("acme"));
        place.check().await.unwrap();
        place.check().await.unwrap();
        assert_eq!(fs::read_dir(place.directory()).unwrap().count(), 0);
        let exporter = place.exporter().await.unwrap();
        assert_eq!(exporter.runs().await.unwrap(), []);

        let lost = ImportPlace::new(root.path().join("no/such"));
        for error in [
            lost.check().await.unwrap_err(),
            lost.exporter().await.map(drop).unwrap_err(),
        ] {
            assert!(matches!(error, ExportError::Directory { .. }), "{error:?}");
        }
        fs::write(root.path().join("file"), "").unwrap();
        let file = ImportPlace::new(root.path().join("file"));
        assert!(file.check().await.is_err());
    }
}
