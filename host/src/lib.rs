//! The embedded Spin-compatible host behind `chatly`.
#![deny(missing_docs)]

pub mod app;
pub mod builder;
pub mod cache;
pub mod cli;
pub mod compose;
pub mod engine;
pub mod fence;
pub mod http;
pub mod inspect;
pub mod instance;
pub mod manifest;
pub mod outbound;
pub mod schedule;
pub mod sqlite;
pub mod state_dir;
pub mod variables;
