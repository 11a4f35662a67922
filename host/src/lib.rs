//! The embedded Spin-compatible host behind `chatly`.
#![deny(missing_docs)]

pub mod builder;
pub mod cli;
pub mod manifest;
pub mod state_dir;
