//! `channel-discord`: Discord as a component without any capability. What it does is in the crate
//! `chatly-discord`.

wit_bindgen::generate!({ path: "../../../wit", world: "channel", generate_all });

chatly_canonical::wit_conversions!(crate::chatly::types::types);
chatly_channel::export_channel!(chatly_discord::Discord);
