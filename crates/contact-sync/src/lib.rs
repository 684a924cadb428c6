#![doc = include_str!("../README.md")]

mod contact;
mod directory;
mod failure;
mod hook;
mod ids;
#[cfg(feature = "integrations")]
pub mod integrations;
mod lease;
mod links;
mod mapping;
mod memory;
mod receipt;
mod reconcile;
mod retry;
mod store;
mod strict;
mod target;
pub mod targets;
mod worker;

pub use connector_http::{Lane, Timer, TokioTimer};
pub use contact::{
    Contact, ContactKey, E164, Email, ExternalKey, Field, Identifier, InvalidE164, Issue,
    PersonName, Phone, Region, Signup, UnknownRegion, matching,
};
pub use directory::{SkipReason, StaticDirectory, Switch, TargetDirectory};
pub use failure::{ClientUnavailable, ErrorClass, FailureNote, TargetError};
pub use hook::{ContactRef, NotAccepted, Plan, SignupHook};
pub use ids::{ContactId, JobId, LeaseToken, OperationId, RemoteId, TargetName, TenantId};
pub use links::Links;
pub use mapping::{
    FieldMap, Mapped, MappedValue, Mappings, Place, Places, Source, StaticMappings, UnknownField,
};
pub use memory::MemoryStore;
pub use receipt::{Reason, Receipt, TargetReceipt};
pub use reconcile::{Missing, Reconciled, Reconciler};
pub use retry::RetryPolicy;
pub use store::limits;
pub use store::{
    Accepted, Ack, Begun, Claim, ClaimRequest, Claims, DeliveryState, Erased, Held, JobKind,
    JobStore, Link, LinkChange, LinkStore, LogEntry, LogOutcome, NewJob, Outcome, Outcomes,
    Planner, Removal, Signal, SignupStore, Snapshot, Standing, Standings, StatusEvent, StoppedJob,
    StoreError, StoredContact, StrictStore, StrictTarget, SyncStore, Undo, Work,
};
pub use strict::{Confirmation, CrmHook, StrictError, Ticket};
pub use target::{
    Action, CallBudget, ClientProvider, Context, Delivered, Delivery, Hit, Known, Person,
    SharedClient, Target, Unmapped, Updated,
};
pub use worker::{Event, Progress, RunningWorker, StatusSink, Stopped, Worker};
