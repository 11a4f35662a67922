//! The real host over real HTTP, one module a subject.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that panics has failed, which is all that it is for"
)]

mod batches;
mod changes;
mod channel_check;
mod channels;
mod client_tls;
mod composer;
mod console;
mod core_module;
mod coverage;
mod deliveries;
mod delivery_chaos;
mod dry_run;
mod endurance;
mod enrichment;
mod files;
mod forwarding;
mod handshake;
mod holds;
mod hostile_clients;
mod identities;
mod incoming_handler;
mod insight;
mod key_value;
mod kill;
mod large;
mod leases;
mod manifest;
mod media;
mod mqtt;
mod operations;
mod outbound;
mod outgoing;
mod patch;
mod payload;
mod postgres;
mod recovery;
mod redis;
mod refusals;
mod routing;
mod rule_actions;
mod runtime_config;
mod safety;
mod sandbox;
mod secrecy;
mod sends;
mod spans;
mod spin2;
mod sqlite_3_0;
mod static_response;
mod statuses;
mod telemetry;
mod tenants;
mod thread;
mod thread_media;
mod tls;
mod uncertainty;
mod understanding;
mod wasi_config;
mod wasi_keyvalue;
mod watch;
