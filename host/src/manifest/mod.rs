//! Reads `spin.toml`, manifest version 2.

mod model;

pub use model::*;
