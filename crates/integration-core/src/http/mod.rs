//! What connects this crate to `connector-http`.
