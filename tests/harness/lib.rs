//! Boots the real host, as the binary that users run, on a free port with a fresh state folder,
//! and talks to it as platforms and frontends do.
//!
//! It waits for conditions with a generous bound and never for a fixed time.

mod app;
mod artifacts;
mod browser;
mod client;
mod guest;
mod media_host;
mod model;
mod postgres;
mod servers;
mod sse;
mod upstream;

pub use app::{Options, TestApp, eventually};
pub use artifacts::{chatly, guest, guest_for, root};
pub use browser::{Browser, keys};
pub use client::{Answer, Client};
pub use guest::{GuestApp, Setup};
pub use media_host::{Asked, Gives, MediaHost};
pub use model::{Model, Says};
pub use postgres::Postgres;
pub use servers::{Server, find, free_port, skip};
pub use sse::{Stream, StreamEvent};
pub use upstream::{Turn, Upstream};

/// The secrets that test apps run with. Unlike any word in the code, so that a scan finds leaks.
pub mod secrets {
    /// `whatsapp_app_secret`, current and previous.
    pub const WHATSAPP_APP: [&str; 2] = ["qZ4current-app-secret-81", "qZ4previous-app-secret-80"];
    /// `whatsapp_verify_token`.
    pub const WHATSAPP_VERIFY: &str = "qZ4verify-token-17";
    /// `whatsapp_access_token`.
    pub const WHATSAPP_ACCESS: &str = "qZ4access-token-63";
    /// `api_key`.
    pub const API_KEY: &str = "qZ4operator-key-55";
    /// `sweep_secret`.
    pub const SWEEP: &str = "qZ4sweep-secret-29";
    /// What most channels but WhatsApp are signed with.
    pub const CHANNEL: &str = "qZ4channel-secret-33";
    /// A private key of Ed25519, in hex.
    const ED25519: &str = "715a3465643235353139207072697661746520736565642c2033322062797465";
    /// A secret of Standard Webhooks.
    const STANDARD: &str = "whsec_cVo0c3RhbmRhcmQgd2ViaG9va3Mgc2VjcmV0LCAzMg==";

    /// What the platform signs with.
    pub fn signing(channel: &str) -> &'static str {
        match channel {
            "whatsapp" => WHATSAPP_APP[0],
            "discord" => ED25519,
            "standard" => STANDARD,
            _ => CHANNEL,
        }
    }

    /// What the channel checks with: `{channel}_app_secret`.
    pub fn verifying(channel: &str) -> String {
        let platform = chatly_simulator::find(channel);
        platform.map_or_else(String::new, |it| it.checked_with(signing(channel)))
    }

    /// A secret of the same form that nobody accepts.
    pub fn other_signing(channel: &str) -> &'static str {
        match channel {
            "discord" => "615a3465643235353139207072697661746520736565642c2033322062797465",
            "standard" => "whsec_Ylo0c3RhbmRhcmQgd2ViaG9va3Mgc2VjcmV0LCAzMg==",
            _ => "qZ4secret-of-nobody-34",
        }
    }
}
