//! OpenPhone (Quo).

pub(crate) mod v1;
