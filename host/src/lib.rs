//! The embedded Spin-compatible host behind `chatly`.
#![deny(missing_docs)]

pub mod manifest;
pub mod outbound;
pub mod sqlite;
pub mod variables;
