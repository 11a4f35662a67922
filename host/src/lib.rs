//! The embedded Spin-compatible host behind `chatly`.
#![deny(missing_docs)]

pub mod builder;
pub mod cli;
pub mod http;
pub mod instance;
pub mod manifest;
pub mod schedule;
pub mod sqlite;
pub mod state_dir;
