//! `sweep`
