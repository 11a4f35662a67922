//! The embedded Spin-compatible host behind `chatly`.
#![deny(missing_docs)]

pub mod admin;
pub mod app;
pub mod builder;
pub mod cache;
pub mod capabilities;
pub mod cli;
pub mod compose;
pub mod download;
pub mod engine;
pub mod fence;
pub mod http;
pub mod inspect;
pub mod instance;
pub mod metrics;
pub mod private_folder;
pub mod runtime_config;
pub mod schedule;
pub mod state_dir;
pub mod telemetry;
pub mod watch;

pub use chatly_files as files;
pub use chatly_key_value as key_value;
pub use chatly_llm as llm;
pub use chatly_manifest as manifest;
pub use chatly_mqtt as mqtt;
pub use chatly_outbound as outbound;
pub use chatly_postgres as postgres;
pub use chatly_redis as redis;
pub use chatly_sqlite as sqlite;
pub use chatly_variables as variables;
