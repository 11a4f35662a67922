//! The embedded Spin-compatible host behind `chatly`.
#![deny(missing_docs)]

pub mod http;
pub mod instance;
pub mod manifest;
pub mod schedule;
pub mod sqlite;
