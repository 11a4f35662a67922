//! `store-sqlite`
