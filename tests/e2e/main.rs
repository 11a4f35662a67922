//! The real host over real HTTP, one module a subject.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that panics has failed, which is all that it is for"
)]

mod batches;
mod coverage;
mod deliveries;
mod forwarding;
mod handshake;
mod identities;
mod kill;
mod leases;
mod manifest;
mod payload;
mod refusals;
mod sandbox;
mod secrecy;
mod statuses;
