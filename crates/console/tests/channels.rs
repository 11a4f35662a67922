//! What the page knows of the channels is what they say of themselves.

use chatly_channel::AfterWindow;
use serde_json::{Map, Value, json};

const HEAD: &str = "\
// What each channel takes, as it describes itself. Written by a test:
// `BLESS=1 cargo test -p chatly-console --test channels`.

export const CHANNELS = ";

/// The facts that the form for answers needs.
fn channels() -> Value {
    let all = chatly_channels::ALL.iter().map(|plugin| {
        let channel = (plugin.describe)();
        let window = channel.window.as_ref();
        let after = window.map(|window| match window.after {
            AfterWindow::Refuse => "refuse",
            AfterWindow::Template => "template",
            AfterWindow::Tag(..) => "tag",
        });
        let facts = json!({
            "label": channel.label, "sends": channel.sends,
            "buttons": channel.limits.buttons, "button_title": channel.limits.button_title,
            "window_secs": window.map(|window| window.secs), "after": after,
        });
        (channel.name, facts)
    });
    Value::Object(all.collect::<Map<_, _>>())
}

#[test]
fn the_page_knows_what_each_channel_takes() {
    let want = format!(
        "{HEAD}{};\n",
        serde_json::to_string_pretty(&channels()).unwrap()
    );
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/channels.js");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, &want).unwrap();
    }
    let page = chatly_console::page::find("/console/channels.js").unwrap();
    assert_eq!(
        std::str::from_utf8(page.bytes).unwrap(),
        want,
        "run it again with BLESS=1"
    );
}
