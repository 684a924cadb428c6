//! OpenPhone as an integration: what a tenant fills in, and how it is connected, tested and told of events.
//!
//! The host registers [`OpenPhone`] with `integration_core`, which does the rest: forms from [`Config`] and
//! [`Settings`], sealed keys, states, health checks.
//!
//! ```
//! use integration_core::instance::{ConnectOptions, Vendor};
//! use openphone_client::integration::{Config, OpenPhone, Settings};
//!
//! let vendor = OpenPhone::new();
//! assert_eq!(vendor.template().name, "openphone");
//!
//! let config = Config::new("0123456789abcdef");
//! let settings = Settings::new().phone_number_id("PNabc101").auto_log_messages(false);
//! assert_eq!(vendor.source_ids(&config, &settings), ["PNabc101"]);
//!
//! let client = vendor.connect(&config, &ConnectOptions::default())?; // nothing is sent yet
//! assert_eq!(client.base_url().as_str(), "https://api.quo.com/");
//! # Ok::<(), openphone_client::Error>(())
//! ```

mod config;
mod registration;
mod settings;
mod vendor;

pub use self::config::Config;
pub use self::settings::Settings;
pub use self::vendor::OpenPhone;
