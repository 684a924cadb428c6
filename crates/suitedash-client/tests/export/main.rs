//! Import mode: what is in a file, when there is one, and what the history says about it.

#![cfg(feature = "export")]

mod contacts;
mod crash;
mod csv_text;
mod failure;
mod files;
mod history;
mod model;
