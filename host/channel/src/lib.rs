//! One channel plugin, alone: run from documents, and held against what every plugin promises.
//!
//! 1. A plugin gets no import but types, bounded memory, time and, for [`check`], instructions.
//! 2. [`Task`] is what `chatly channel` reads and prints: JSON in, JSON out.
//! 3. [`check`] is the conformance kit for anyone's plugin.
//!
//! It knows no manifest and finds no files: a caller names the component's bytes.
#![deny(missing_docs)]

mod bindings;
pub mod check;
mod documents;
mod outbound;
mod plugin;
mod task;

pub use plugin::{Error, Plugin};
pub use task::{Outcome, Task};
