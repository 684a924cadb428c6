//! What the runnable programs of this package share.
//!
//! The programs themselves stand beside this folder: `signup_sync.rs`, `send_sms.rs`, `export_calls.rs`,
//! `webhook_receiver.rs`, `strict_crm.rs`, `settings_page.rs`, `suitedash_form.rs`,
//! `suitedash_export.rs`. Each names what it needs, so that running one compiles no more than that.

pub mod call_export;
pub mod master_key;
pub mod openphone;
pub mod output;
#[cfg(feature = "store")]
pub mod prompt;
pub mod signup_csv;
#[cfg(feature = "suitedash")]
pub mod suitedash;
#[cfg(feature = "suitedash")]
pub mod suitedash_files;
pub mod sync_store;
pub mod table;
