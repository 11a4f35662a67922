//! Calls to models as spans that a collector of OpenTelemetry takes.
//!
//! 1. Names of attributes: OpenTelemetry's semantic conventions for generative AI, v1.37
//!    (`docs/gen-ai/gen-ai-spans.md`, "Inference"). What they have no name for begins with `chatly.`.
//! 2. Form: OTLP over HTTP with JSON, one request for one span (opentelemetry-proto,
//!    `docs/specification.md`, "OTLP/HTTP Request": ids in hex, 64-bit numbers as strings).
//! 3. What was said is in a span only where the tenant asked for it, and then without personal data.
//!
//! No clock, no network.
#![deny(missing_docs)]

mod call;
mod headers;

pub use call::{Content, ModelCall};
pub use headers::headers;
