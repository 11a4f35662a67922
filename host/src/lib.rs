//! The embedded Spin-compatible host behind `chatly`.
#![deny(missing_docs)]

pub mod cache;
pub mod compose;
pub mod engine;
pub mod fence;
pub mod inspect;
pub mod manifest;
