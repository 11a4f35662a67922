//! The real host over real HTTP, one module a subject.

mod batches;
mod coverage;
mod deliveries;
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
