//! What a vendor's models are made of: tolerant readers and plain request structs.

mod id;
pub mod lenient;
mod masked;
mod open_enum;
mod patch;
mod setters;

pub use self::masked::{Mask, Maskable};
pub use self::patch::Patch;
