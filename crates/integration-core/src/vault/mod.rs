//! Keeps credentials: each value sealed for one tenant, one instance and one field.
