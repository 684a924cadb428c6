//! The calls of a month, counted before they are made.
//!
//! SuiteDash sells calls by the month, a few hundred to some accounts, and answers 429 when they are spent. Nothing in
//! its answers says how many are left. So they are counted here, behind the engine's gate: before every attempt, and
//! durably where the store is durable.

mod file;
mod gate;
mod ledger;
mod plan;
mod store;

pub use self::file::FileQuota;
pub(crate) use self::gate::QuotaGate;
pub use self::ledger::{QuotaLedger, QuotaStatus};
pub use self::plan::{QuotaPeriod, QuotaPlan};
pub use self::store::{
    MemoryQuota, QuotaCorrection, QuotaStore, QuotaStoreError, QuotaStoreErrorKind, QuotaUse, Taken,
};
