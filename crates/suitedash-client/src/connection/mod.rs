//! How contacts reach one account: through the Secure API, or through files that a person imports.
//!
//! What hands contacts over takes a [`Connection`] and need not know which of both it is; [`Settings`] are what an
//! account's owner chooses about them.
//!
//! ```
//! use suitedash_client::Client;
//! use suitedash_client::connection::{Connection, ImportPlace};
//!
//! let client = Client::builder().dummy_credentials().build()?;
//! let through_the_api = Connection::from(client);
//! let through_files = Connection::from(ImportPlace::new("/var/lib/forms/suitedash"));
//! assert!(through_the_api.client().is_some() && through_files.client().is_none());
//! # Ok::<(), suitedash_client::Error>(())
//! ```

mod place;
mod places;
mod settings;

pub use self::place::ImportPlace;
pub use self::places::CONTACT_FIELDS;
pub use self::settings::{CallOrder, Messages, NewRole, Settings};
use crate::client::Client;
use crate::export::Mode;

/// One way into one account. Cheap to clone.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Connection {
    /// Through the Secure API, a call and more per contact.
    Api(Client),
    /// Through files that a person imports.
    Import(ImportPlace),
}

impl Connection {
    /// Returns which of both it is.
    pub fn mode(&self) -> Mode {
        match self {
            Self::Api(_) => Mode::Api,
            Self::Import(_) => Mode::Import,
        }
    }

    /// Returns the client, in API mode.
    pub fn client(&self) -> Option<&Client> {
        match self {
            Self::Api(client) => Some(client),
            Self::Import(_) => None,
        }
    }

    /// Returns where files are written, in import mode.
    pub fn import_place(&self) -> Option<&ImportPlace> {
        match self {
            Self::Import(place) => Some(place),
            Self::Api(_) => None,
        }
    }
}

impl From<Client> for Connection {
    fn from(client: Client) -> Self {
        Self::Api(client)
    }
}

impl From<ImportPlace> for Connection {
    fn from(place: ImportPlace) -> Self {
        Self::Import(place)
    }
}
