//! Whose a message is, and which account it came to.

use super::*;

#[test]
fn an_unknown_message_still_says_whose_it_is() {
    let event =
        parse_message(json!({ "from": "16505551234", "timestamp": "1749416383", "type": "text" }));
    assert_eq!(
        (event.body.kind(), event.at),
        ("unknown", Some(1_749_416_383_000))
    );
    assert_eq!(ids(&event.sender), [Identity::new("phone", "16505551234")]);
}

#[test]
fn the_sender_is_every_id_that_is_given() {
    let phone = || Identity::new("phone", "1650");
    let bsuid = || Identity::new("bsuid", "US.1");
    let parent = || Identity::new("parent_bsuid", "US.ENT.2");
    for (name, message, contact, want, profile) in [
        (
            "phone only",
            json!({ "from": "1650" }),
            json!({ "wa_id": "1650", "profile": { "name": "A" } }),
            vec![phone()],
            Some("A"),
        ),
        (
            "BSUID only",
            json!({ "from_user_id": "US.1" }),
            json!({ "user_id": "US.1", "profile": { "name": "A" } }),
            vec![bsuid()],
            Some("A"),
        ),
        (
            "BSUID in from",
            json!({ "from": "US.1" }),
            json!({ "wa_id": "US.1", "profile": { "name": "A" } }),
            vec![bsuid()],
            Some("A"),
        ),
        (
            "phone in from_user_id",
            json!({ "from_user_id": "1650" }),
            json!({}),
            vec![phone()],
            None,
        ),
        (
            "joined by one, given two",
            json!({ "from_user_id": "US.1" }),
            json!({ "wa_id": "1650", "user_id": "US.1" }),
            vec![phone(), bsuid()],
            None,
        ),
        (
            "all",
            json!({ "from": "1650", "from_user_id": "US.1", "from_parent_user_id": "US.ENT.2" }),
            json!({}),
            vec![phone(), bsuid(), parent()],
            None,
        ),
        (
            "another's contact",
            json!({ "from": "1650" }),
            json!({ "wa_id": "1651", "profile": { "name": "B" } }),
            vec![phone()],
            None,
        ),
        (
            "nobody",
            json!({}),
            json!({ "wa_id": "1651" }),
            vec![],
            None,
        ),
    ] {
        let mut message = message;
        message["id"] = "wamid.A".into();
        let value = json!({ "metadata": { "phone_number_id": "1" }, "contacts": [contact], "messages": [message] });
        let events = parse_value("messages", &value.to_string());
        assert_eq!(ids(&events[0].sender), want, "{name}");
        assert_eq!(
            events[0]
                .sender
                .as_ref()
                .and_then(|sender| sender.name.as_deref()),
            profile,
            "{name}"
        );
    }
}

#[test]
fn the_account_is_the_phone_number_and_else_the_business() {
    let value = r#"{"statuses":[{"id":"a","status":"sent"}],"metadata":{"phone_number_id":123456789012345678901}}"#;
    for (name, value, account, scope) in [
        (
            "named, as a number",
            value,
            "123456789012345678901",
            AccountScope::Account,
        ),
        (
            "not named",
            r#"{"event":"a"}"#,
            "WABA",
            AccountScope::Business,
        ),
        (
            "named badly",
            r#"{"event":"a","metadata":[]}"#,
            "WABA",
            AccountScope::Business,
        ),
    ] {
        let event = parse_value("account_update", value).remove(0);
        assert_eq!(
            (event.account.as_str(), event.account_scope),
            (account, scope),
            "{name}"
        );
        assert!(
            event.key.starts_with(&format!("whatsapp:{account}:")),
            "{name}"
        );
    }
    let delivery = Delivery {
        body: br#"{"entry":[7]}"#.to_vec(),
        ..Delivery::default()
    };
    assert_eq!(
        WhatsApp::parse(&delivery, Some("route"))[0].account,
        "route"
    );
}
