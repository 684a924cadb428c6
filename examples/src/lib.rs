//! Runnable programs; see the examples of this package.
