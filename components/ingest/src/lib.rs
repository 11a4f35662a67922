//! `ingest`
