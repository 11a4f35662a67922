use super::*;

fn read(json: &str) -> Result<(Content, Option<String>), String> {
    let fields: Fields = serde_json::from_str(json).map_err(|error| error.to_string())?;
    fields.content().map_err(|error| error.to_string())
}

#[test]
fn a_member_is_read_once_and_by_its_name() {
    for (name, json, want) in [
        (
            "all of it",
            r#"{"type":"text","text":"Hi","reply_to":"m"}"#,
            Ok(("Hi", Some("m"))),
        ),
        (
            "null is absent",
            r#"{"type":"text","text":"Hi","list":null,"reply_to":null}"#,
            Ok(("Hi", None)),
        ),
        (
            "twice",
            r#"{"type":"text","text":"Hi","text":"Ho"}"#,
            Err("duplicate field `text`"),
        ),
        (
            "another",
            r#"{"type":"text","text":"Hi","to":"me"}"#,
            Err("unknown field `to`, expected one of `type`, `text`"),
        ),
        (
            "without a type",
            r#"{"text":"Hi"}"#,
            Err("missing field `type`"),
        ),
        (
            "no object",
            r#"["text","Hi"]"#,
            Err("expected the object of a message"),
        ),
        (
            "another type",
            r#"{"type":"txt"}"#,
            Err("no such type; write one of text, media,"),
        ),
        (
            "too little",
            r#"{"type":"list","text":"Hi"}"#,
            Err("a message of this type needs list"),
        ),
        (
            "too much",
            r#"{"type":"text","text":"Hi","message_id":"m"}"#,
            Err("a message of this type takes no message_id"),
        ),
        (
            "no medium",
            r#"{"type":"media","media":{"kind":"image"}}"#,
            Err("media needs either url or id"),
        ),
        (
            "inside",
            r#"{"type":"reaction","reaction":{"message_id":"m","emojis":[]}}"#,
            Err("unknown field `emojis`"),
        ),
    ] {
        match (read(json), want) {
            (Ok((content, reply_to)), Ok((text, reply))) => {
                assert_eq!(content, Content::Text(text.into()), "{name}");
                assert_eq!(reply_to.as_deref(), reply, "{name}");
            }
            (Err(error), Err(want)) => assert!(error.contains(want), "{name}: {error}"),
            (got, want) => panic!("{name}: {got:?}, not {want:?}"),
        }
    }
}

#[test]
fn every_name_is_a_member() {
    for name in Fields::NAMES {
        let json = format!(r#"{{"type":"text","text":"Hi","{name}":null}}"#);
        let known = !read(&json).is_err_and(|error| error.contains("unknown"));
        assert!(known, "{name}");
    }
}

#[test]
fn every_kind_is_a_type() {
    for kind in KINDS.split(", ") {
        let error = read(&format!(r#"{{"type":"{kind}"}}"#)).err();
        assert_ne!(error, Some(Error::Type.to_string()), "{kind}");
    }
}
