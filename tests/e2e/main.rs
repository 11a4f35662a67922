//! The real host over real HTTP, one module a subject.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that panics has failed, which is all that it is for"
)]

mod batches;
mod console;
mod coverage;
mod deliveries;
mod enrichment;
mod forwarding;
mod handshake;
mod hostile_clients;
mod identities;
mod incoming_handler;
mod key_value;
mod kill;
mod leases;
mod manifest;
mod mqtt;
mod operations;
mod outgoing;
mod payload;
mod recovery;
mod redis;
mod refusals;
mod routing;
mod sandbox;
mod secrecy;
mod statuses;
mod telemetry;
mod tls;
