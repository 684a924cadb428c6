//! What connects this crate to `connector-http`.

mod tokens;

pub use self::tokens::VaultTokenStore;
