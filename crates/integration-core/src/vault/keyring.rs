//! The master keys of a vault, in order.

use std::env::VarError;

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::error::{KeyError, KeyErrorKind};
use super::key::{KeyId, MasterKey};

/// The environment variable that [`Keyring::from_env`] reads.
pub const KEY_VARIABLE: &str = "API_KEY_ENCRYPTION_SECRET";

/// The keys of a vault: a primary, which seals, and others, which only open what was sealed under them.
///
/// One of the keys is also the **index key**: blind indexes and fingerprints are made with it. That is the key the
/// keyring was begun with, and [`promote`](Self::promote) leaves it so: what is stored under it is looked for by
/// equality, so a rotation must not change it. It stays in the keyring after it has been rotated away from, as long as
/// any blind index of it is stored.
///
/// ```
/// use integration_core::vault::{KeyId, Keyring, MasterKey};
///
/// let (k1, k2) = (KeyId::new("k1")?, KeyId::new("k2")?);
/// let keyring = Keyring::new(k1.clone(), MasterKey::generate()?)
///     .and(k2.clone(), MasterKey::generate()?)?
///     .promote(&k2)?;
/// assert_eq!(keyring.primary_id(), &k2);
/// assert_eq!(keyring.index_id(), &k1);
/// # Ok::<(), integration_core::vault::KeyError>(())
/// ```
#[derive(Debug)]
pub struct Keyring {
    pub(super) primary: Named,
    pub(super) others: Vec<Named>,
    pub(super) index: KeyId,
}

/// A key with its id.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) id: KeyId,
    pub(super) key: MasterKey,
}

impl Keyring {
    /// Begins a keyring with one key. It is the primary and the index key.
    pub fn new(id: KeyId, key: MasterKey) -> Self {
        Self {
            index: id.clone(),
            primary: Named { id, key },
            others: Vec::new(),
        }
    }

    /// Adds a key that only opens.
    ///
    /// # Errors
    ///
    /// [`KeyErrorKind::DuplicateId`], [`KeyErrorKind::DuplicateKey`].
    pub fn and(mut self, id: KeyId, key: MasterKey) -> Result<Self, KeyError> {
        if self.named().any(|named| named.id == id) {
            return Err(KeyErrorKind::DuplicateId.into());
        }
        if self.named().any(|named| named.key.is_same(&key)) {
            return Err(KeyErrorKind::DuplicateKey.into());
        }
        self.others.push(Named { id, key });
        Ok(self)
    }

    /// Makes a key the primary. The one that was it only opens from now on.
    ///
    /// # Errors
    ///
    /// [`KeyErrorKind::UnknownId`].
    pub fn promote(mut self, id: &KeyId) -> Result<Self, KeyError> {
        if self.primary.id != *id {
            let other = self.others.iter_mut().find(|named| named.id == *id);
            let other = other.ok_or(KeyErrorKind::UnknownId)?;
            std::mem::swap(&mut self.primary, other);
        }
        Ok(self)
    }

    /// Names another key as the one that blind indexes and fingerprints are made with. Those that are stored have to be
    /// made anew.
    ///
    /// # Errors
    ///
    /// [`KeyErrorKind::UnknownId`].
    pub fn index_with(mut self, id: &KeyId) -> Result<Self, KeyError> {
        if !self.named().any(|named| named.id == *id) {
            return Err(KeyErrorKind::UnknownId.into());
        }
        self.index = id.clone();
        Ok(self)
    }

    /// Takes a retired key out.
    ///
    /// # Errors
    ///
    /// [`KeyErrorKind::InUse`] for the primary and the index key, [`KeyErrorKind::UnknownId`].
    pub fn without(mut self, id: &KeyId) -> Result<Self, KeyError> {
        if self.primary.id == *id || self.index == *id {
            return Err(KeyErrorKind::InUse.into());
        }
        let before = self.others.len();
        self.others.retain(|named| named.id != *id);
        if self.others.len() == before {
            return Err(KeyErrorKind::UnknownId.into());
        }
        Ok(self)
    }

    /// Reads the keyring from the environment variable `API_KEY_ENCRYPTION_SECRET`; [`parse`](Self::parse) says what may
    /// stand there.
    ///
    /// # Errors
    ///
    /// A [`KeyError`] that names the variable and says how to make a key, and does not repeat what was there:
    /// [`KeyErrorKind::Missing`] when it is not set, and those of [`parse`](Self::parse).
    #[expect(
        clippy::disallowed_methods,
        reason = "a from_env constructor is where a library may read the environment"
    )]
    pub fn from_env() -> Result<Self, KeyError> {
        Self::from_lookup(std::env::var)
    }

    /// Reads the keyring as [`from_env`](Self::from_env) does, from variables that `lookup` gives.
    ///
    /// # Errors
    ///
    /// As [`from_env`](Self::from_env).
    pub fn from_lookup(
        lookup: impl FnOnce(&'static str) -> Result<String, VarError>,
    ) -> Result<Self, KeyError> {
        let text = match lookup(KEY_VARIABLE) {
            Ok(text) => Ok(Zeroizing::new(text)),
            Err(VarError::NotPresent) => Err(KeyErrorKind::Missing),
            // The value it carries may be the key: it is dropped.
            Err(VarError::NotUnicode(_)) => Err(KeyErrorKind::Encoding),
        };
        text.map_err(KeyError::from)
            .and_then(|text| parse(&text))
            .map_err(|error| error.in_variable(KEY_VARIABLE))
    }

    /// Reads a keyring from text.
    ///
    /// - One key, as [`MasterKey::parse`] takes it: `KEY`.
    /// - Several, the primary first, separated by commas, each with an id or without: `k2:KEY,k1:KEY,index=k1`. A key
    ///   without an id gets one that is derived from it, and so a replaced key gets another.
    /// - With several keys, `index=` and an id says which of them is the index key, because nothing else would tell, and
    ///   the wrong one would silently find nothing.
    ///
    /// ```
    /// use integration_core::vault::{KeyErrorKind, Keyring, MasterKey};
    /// use secrecy::ExposeSecret;
    ///
    /// let (old, new) = (MasterKey::generate()?.to_base64(), MasterKey::generate()?.to_base64());
    /// let (old, new) = (old.expose_secret(), new.expose_secret());
    ///
    /// let keyring = Keyring::parse(&format!("k2:{new},k1:{old},index=k1").into())?;
    /// assert_eq!(keyring.primary_id().as_str(), "k2");
    ///
    /// let unclear = Keyring::parse(&format!("k2:{new},k1:{old}").into()).unwrap_err();
    /// assert_eq!(unclear.kind(), KeyErrorKind::IndexKeyNotNamed);
    /// # Ok::<(), integration_core::vault::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`MasterKey::parse`], [`KeyErrorKind::KeyId`], [`KeyErrorKind::DuplicateId`],
    /// [`KeyErrorKind::DuplicateKey`], [`KeyErrorKind::DuplicateIndex`], [`KeyErrorKind::IndexKeyNotNamed`],
    /// [`KeyErrorKind::Separator`], [`KeyErrorKind::UnknownId`] for an index key that is not there.
    pub fn parse(text: &SecretString) -> Result<Self, KeyError> {
        parse(text.expose_secret())
    }

    /// Returns the id of the key that seals.
    pub fn primary_id(&self) -> &KeyId {
        &self.primary.id
    }

    /// Returns the id of the key that blind indexes and fingerprints are made with.
    pub fn index_id(&self) -> &KeyId {
        &self.index
    }

    /// Returns all ids, the primary's first.
    pub fn ids(&self) -> impl Iterator<Item = &KeyId> {
        self.named().map(|named| &named.id)
    }

    fn named(&self) -> impl Iterator<Item = &Named> {
        std::iter::once(&self.primary).chain(&self.others)
    }
}

fn parse(text: &str) -> Result<Keyring, KeyError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(KeyErrorKind::Empty.into());
    }
    let several = text.contains(',');
    let mut keyring: Option<Keyring> = None;
    let mut index = None;
    if is_separated_otherwise(text) {
        return Err(KeyErrorKind::Separator.into());
    }
    for (position, entry) in (1..).zip(text.split(',')) {
        let located = |error: KeyError| {
            if several {
                error.in_entry(position)
            } else {
                error
            }
        };
        if let Some(id) = entry.trim().strip_prefix("index=") {
            if index.is_some() {
                return Err(located(KeyErrorKind::DuplicateIndex.into()));
            }
            index = Some((position, KeyId::new(id).map_err(located)?));
            continue;
        }
        let (id, key) = named(entry).map_err(located)?;
        keyring = Some(match keyring {
            None => Keyring::new(id, key),
            Some(keyring) => keyring.and(id, key).map_err(located)?,
        });
    }
    let keyring = keyring.ok_or(KeyErrorKind::Missing)?;
    match index {
        Some((position, id)) => keyring
            .index_with(&id)
            .map_err(|error| error.in_entry(position)),
        None if keyring.others.is_empty() => Ok(keyring),
        None => Err(KeyErrorKind::IndexKeyNotNamed.into()),
    }
}

/// Whether several keys, or a key and `index=`, stand there with a semicolon, a line break or the like between them.
/// Neither a key nor an id has any of these in it.
fn is_separated_otherwise(text: &str) -> bool {
    text.split(',').any(|entry| {
        let mut parts = entry
            .split(|c: char| c.is_whitespace() || matches!(c, ';' | '|'))
            .filter(|part| part.len() > 1);
        let begins = |part: &str| part.find(':') > Some(0) || part.starts_with("index=");
        parts.next().is_some() && (entry.contains(';') || parts.any(begins))
    })
}

/// `id:key` or `key`.
fn named(entry: &str) -> Result<(KeyId, MasterKey), KeyError> {
    let Some((id, key)) = entry.split_once(':') else {
        let key = MasterKey::parse_str(entry)?;
        return Ok((key.derived_id(), key));
    };
    let id = id.trim();
    // Some texts of keys would pass for ids, and ids are no secret: whoever swapped the two must hear of it.
    if MasterKey::parse_str(id).is_ok() {
        return Err(KeyErrorKind::KeyId.into());
    }
    Ok((KeyId::new(id)?, MasterKey::parse_str(key)?))
}
