//! Golden cases: for every kind that the simulator knows, the canonical events of one delivery.
//! `BLESS=1 cargo test -p chatly-whatsapp` rewrites them; read the difference before committing it.

use std::path::Path;

use chatly_channel::Channel as _;
use chatly_simulator::whatsapp;
use chatly_whatsapp::WhatsApp;

#[test]
fn every_kind_gives_the_events_of_its_case() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let bless = std::env::var_os("BLESS").is_some();
    let mut known = Vec::new();
    for name in whatsapp::kinds() {
        let item = whatsapp::kind(name).unwrap().from_phone("16505551234").from_bsuid("US.11111").username("sheena");
        let delivery = item.unsigned().received_at("https://example.org");
        let events = WhatsApp::parse(&delivery, None);
        let lines: Vec<String> = events.iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect();
        let file = folder.join(name).with_extension("jsonl");
        if bless {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&file, lines.concat()).unwrap();
        }
        let want = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(lines.concat(), want, "{name}: run with BLESS=1 to accept");
        known.push(file);
    }
    for file in std::fs::read_dir(&folder).unwrap() {
        let file = file.unwrap().path();
        assert!(known.contains(&file), "{} is a case of nothing", file.display());
    }
}
