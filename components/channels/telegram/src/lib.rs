//! `channel-telegram`: the Telegram Bot API as a component without any capability. What it does
//! is in the crate `chatly-telegram`.

wit_bindgen::generate!({ path: "../../../wit", world: "channel", generate_all });

chatly_canonical::wit_conversions!(crate::chatly::types::types);
chatly_channel::export_channel!(chatly_telegram::Telegram);
