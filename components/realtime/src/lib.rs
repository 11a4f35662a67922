//! `realtime`
