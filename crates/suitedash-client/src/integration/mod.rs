//! SuiteDash as an integration: what a tenant fills in, and how it is connected and tested.
//!
//! The host registers [`SuiteDash`] with `integration_core`, which does the rest: forms from [`Config`] and
//! [`Settings`], sealed keys, states. Calls are scarce, so nothing is probed: health is judged by what real calls say.
//!
//! ```
//! use integration_core::instance::{ConnectOptions, Health, Vendor};
//! use suitedash_client::integration::{Config, Plan, SuiteDash};
//!
//! let vendor = SuiteDash::new().export_directory("/var/lib/forms/suitedash");
//! assert_eq!((vendor.template().name.as_str(), vendor.health()), ("suitedash", Health::Passive));
//!
//! let config = Config::api("00000000-0000-0000-0000-000000000000", "DummySecretKey").plan(Plan::Start);
//! let connection = vendor.connect(&config, &ConnectOptions::default())?; // nothing is sent yet
//! assert_eq!(connection.client().map(|it| it.base_url().path()), Some("/secure-api"));
//!
//! let connection = vendor.connect(&Config::import(), &ConnectOptions::default())?;
//! assert!(connection.import_place().is_some());
//! # Ok::<(), suitedash_client::Error>(())
//! ```

mod config;
mod vendor;

pub use self::config::{Config, Plan};
pub use self::vendor::SuiteDash;
pub use crate::connection::{CallOrder, Connection, ImportPlace, Messages, NewRole, Settings};
pub use crate::export::Mode;
