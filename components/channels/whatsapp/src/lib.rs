//! `channel-whatsapp`
