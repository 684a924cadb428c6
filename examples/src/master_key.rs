//! The master key of a program that keeps credentials in a file: in the environment, or beside the database.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use integration_core::vault::{Keyring, MasterKey};
use secrecy::{ExposeSecret, SecretString};

/// The variable that a service keeps its key in. It wins over the file.
pub const VARIABLE: &str = "API_KEY_ENCRYPTION_SECRET";

/// Where a keyring came from, to be said to whoever starts the program.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The environment.
    Environment,
    /// A file that was there.
    File(PathBuf),
    /// A file that was made just now.
    NewFile(PathBuf),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Environment => write!(f, "the master key is that of {VARIABLE}"),
            Self::File(path) => write!(f, "the master key is in {}", path.display()),
            Self::NewFile(path) => write!(
                f,
                "made a new master key in {} (mode 0600): keep it, and keep it apart from copies of the database",
                path.display()
            ),
        }
    }
}

/// Returns the keyring for a database: from the environment, else from `FILE.key` beside it, which is made together
/// with a new database. The file holds what the variable would: a key, or several with their ids.
///
/// A key beside its database protects copies of the database alone. A service keeps its key elsewhere, in the
/// environment or in a key service.
///
/// # Errors
///
/// When the variable or the file holds no key, when others may read the file, when it cannot be made, or when it is
/// missing beside a database that was written before: another key would open nothing in it.
pub fn for_database(database: &Path) -> Result<(Keyring, Origin), Box<dyn std::error::Error>> {
    if std::env::var_os(VARIABLE).is_some() {
        return Ok((Keyring::from_env()?, Origin::Environment));
    }
    beside(database)
}

fn beside(database: &Path) -> Result<(Keyring, Origin), Box<dyn std::error::Error>> {
    let mut path = database.as_os_str().to_owned();
    path.push(".key");
    let path = PathBuf::from(path);
    let place = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    if let Some(text) = read(&path).map_err(|e| place(&e))? {
        let keyring = Keyring::parse(&text).map_err(|e| place(&e))?;
        return Ok((keyring, Origin::File(path)));
    }
    if database.is_dir() {
        return Err(format!("{} is a directory: name a file in it", database.display()).into());
    }
    if fs::metadata(database).is_ok_and(|file| file.len() > 0) {
        let missing = "the key this database was written with is not there; put it back, set \
                       API_KEY_ENCRYPTION_SECRET, or choose another database";
        return Err(place(&missing).into());
    }
    let text = MasterKey::generate()?.to_base64();
    let keyring = Keyring::parse(&text)?;
    write(&path, &text)
        .map_err(|e| format!("a new master key could not be written: {}", place(&e)))?;
    Ok((keyring, Origin::NewFile(path)))
}

fn read(path: &Path) -> std::io::Result<Option<SecretString>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => SecretString::from(text),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    refuse_strangers(path)?;
    Ok(Some(SecretString::from(text.expose_secret().trim())))
}

/// Writes the key to a file that did not exist, so that no key is ever overwritten.
fn write(path: &Path, key: &SecretString) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(key.expose_secret().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

#[cfg(unix)]
fn refuse_strangers(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = fs::metadata(path)?.permissions().mode() & 0o777;
    let of_others = mode & 0o077;
    if of_others == 0 {
        return Ok(());
    }
    Err(std::io::Error::new(
        ErrorKind::PermissionDenied,
        format!("others may read it (mode {mode:03o}); chmod 600 it"),
    ))
}

#[cfg(not(unix))]
fn refuse_strangers(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn folder(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("master-key-{name}-{}", std::process::id()))
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        let folder = folder("made");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("app.db.key");
        assert_eq!(read(&path).unwrap().map(drop), None);
        let key = MasterKey::generate().unwrap().to_base64();
        write(&path, &key).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let again = read(&path).unwrap().unwrap();
        assert_eq!(again.expose_secret(), key.expose_secret());
        assert_eq!(
            write(&path, &key).unwrap_err().kind(),
            ErrorKind::AlreadyExists
        );
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_directory_is_no_database_and_gets_no_key() {
        let folder = folder("directory");
        fs::create_dir_all(&folder).unwrap();
        let error = beside(&folder).unwrap_err().to_string();
        assert!(
            error.ends_with("is a directory: name a file in it"),
            "{error}"
        );
        assert!(!folder.with_extension("key").exists());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_database_whose_key_is_gone_gets_no_other() {
        let folder = folder("gone");
        fs::create_dir_all(&folder).unwrap();
        let database = folder.join("app.db");
        let (_, origin) = beside(&database).unwrap();
        let key = folder.join("app.db.key");
        assert_eq!(origin, Origin::NewFile(key.clone()));
        fs::write(&database, "a database").unwrap();
        let (_, origin) = beside(&database).unwrap();
        assert_eq!(origin, Origin::File(key.clone()));
        fs::remove_file(&key).unwrap();
        let error = beside(&database).unwrap_err().to_string();
        assert!(error.contains(VARIABLE), "{error}");
        assert!(!key.exists());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let folder = folder("open");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("app.db.key");
        fs::write(&path, "key").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = read(&path).unwrap_err();
        assert!(error.to_string().contains("644"), "{error}");
        fs::remove_dir_all(folder).unwrap();
    }
}
