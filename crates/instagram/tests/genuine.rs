//! The signature, by the rules that hold for every scheme.

use chatly_cases::Genuine;
use chatly_instagram::Instagram;
use chatly_simulator::{Wish, find};

#[test]
fn only_what_the_platform_signed_is_accepted() {
    let platform = find("instagram").unwrap();
    let wish = Wish {
        kind: "text".into(),
        text: Some("Grüße / 😀".into()),
        ..Wish::default()
    };
    let delivery = platform.unsigned(&[wish]).unwrap();
    let delivery = platform.sign(delivery, "https://chat.example.org", "secret", 0);
    Genuine {
        delivery: delivery.received_at("https://chat.example.org"),
        secrets: vec!["secret".into()],
        now: 1_749_416_383,
        headers: &["x-hub-signature-256"],
        proofs: &["x-hub-signature-256"],
        covers_body: true,
        tolerance_secs: None,
    }
    .check::<Instagram>()
    .unwrap();
}
