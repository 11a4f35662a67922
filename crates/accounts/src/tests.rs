use proptest::prelude::*;

use super::*;

const ACCOUNTS: &str = r#"[
  {"channel": "whatsapp", "account": "own", "platform_client_id": "acme", "secrets": ["acme-new", "acme-old"], "verify_token": "acme-verify"},
  {"channel": "whatsapp", "account": "twin", "platform_client_id": "acme", "secrets": ["acme-new"]},
  {"channel": "whatsapp", "account": "mapped", "platform_client_id": "beta"},
  {"channel": "telegram", "account": "bot", "platform_client_id": "beta", "secrets": ["telegram-secret"]}
]"#;

fn book(secrets: &str, accounts: &str) -> Book {
    Book::read(Sources {
        channel: "whatsapp",
        secrets,
        verify_tokens: "verify-new, verify-old",
        accounts,
        ..Sources::default()
    })
    .unwrap()
}

/// The keyring that `secret` is on, as a verifier would find it.
fn holder<'a>(book: &'a Book, route: Option<&str>, secret: &str) -> Option<&'a Keyring> {
    let is_on = |keyring: &&Keyring| keyring.secrets().contains(&Secret::new(secret));
    book.keyrings(route).into_iter().find(is_on)
}

#[test]
fn a_list_keeps_its_order_and_drops_blanks() {
    for (name, variable, want) in [
        ("two", "new,old", &["new", "old"][..]),
        ("spaces", " new , old ", &["new", "old"]),
        ("blanks", ",new,, ,", &["new"]),
        ("empty", "", &[]),
        ("only blanks", " , ", &[]),
    ] {
        let secrets = list(variable);
        let got: Vec<_> = secrets.iter().map(Secret::expose).collect();
        assert_eq!(got, want, "{name}");
    }
}

#[test]
fn a_secret_opens_its_own_accounts_and_no_other() {
    let book = book("general", ACCOUNTS);
    for (secret, account, want) in [
        ("general", "unlisted", Ok("default")),
        ("general", "mapped", Ok("beta")),
        ("general", "own", Err(NotYours)),
        ("general", "twin", Err(NotYours)),
        ("general", "", Ok("default")),
        ("acme-new", "own", Ok("acme")),
        ("acme-new", "twin", Ok("acme")),
        ("acme-old", "own", Ok("acme")),
        ("acme-old", "twin", Err(NotYours)),
        ("acme-new", "mapped", Err(NotYours)),
        ("acme-new", "unlisted", Err(NotYours)),
        ("acme-new", "", Ok("acme")),
    ] {
        let keyring = holder(&book, None, secret).unwrap();
        assert_eq!(
            book.tenant(keyring, account),
            want,
            "{secret} for {account:?}"
        );
    }
}

#[test]
fn a_general_secret_that_an_account_lists_too_opens_both() {
    let book = book("acme-new", ACCOUNTS);
    let keyring = holder(&book, None, "acme-new").unwrap();
    for (account, want) in [
        ("own", "acme"),
        ("mapped", "beta"),
        ("unlisted", "default"),
        ("", "default"),
    ] {
        assert_eq!(book.tenant(keyring, account), Ok(want), "{account}");
    }
}

#[test]
fn a_route_with_an_account_leaves_only_what_opens_it() {
    let book = book("general", ACCOUNTS);
    for (route, secret, found) in [
        (Some("own"), "acme-new", true),
        (Some("own"), "acme-old", true),
        (Some("own"), "general", false),
        (Some("twin"), "acme-old", false),
        (Some("mapped"), "general", true),
        (Some("unlisted"), "general", true),
        (Some("unlisted"), "acme-new", false),
        (None, "general", true),
        (None, "acme-old", true),
        (None, "telegram-secret", false),
    ] {
        assert_eq!(
            holder(&book, route, secret).is_some(),
            found,
            "{secret} at {route:?}"
        );
    }
}

#[test]
fn without_a_secret_there_is_no_keyring() {
    for (name, secrets, accounts, want) in [
        ("nothing", "", "", 0),
        ("blanks", " , ", "[]", 0),
        ("only an account's own", "", ACCOUNTS, 2),
        ("general and own", "g1,g2", ACCOUNTS, 3),
        ("many general are one", "g1,g2,g3", "", 1),
    ] {
        let book = book(secrets, accounts);
        assert_eq!(book.keyrings(None).len(), want, "{name}");
        assert_eq!(
            book.keyrings(Some("unlisted")).is_empty(),
            list(secrets).is_empty(),
            "{name}"
        );
    }
}

#[test]
fn an_account_may_have_a_verify_token_of_its_own() {
    let book = book("general", ACCOUNTS);
    for (route, want) in [
        (None, &["verify-new", "verify-old", "acme-verify"][..]),
        (Some("own"), &["acme-verify"]),
        (Some("twin"), &["verify-new", "verify-old"]),
        (Some("unlisted"), &["verify-new", "verify-old"]),
    ] {
        let tokens: Vec<_> = book
            .verify_tokens(route)
            .into_iter()
            .map(Secret::expose)
            .collect();
        assert_eq!(tokens, want, "{route:?}");
    }
}

#[test]
fn a_malformed_document_names_the_place_and_not_the_value() {
    let entry = |fields: &str| {
        format!(r#"[{{"channel": "c", "account": "a", "platform_client_id": "t"}}, {{{fields}}}]"#)
    };
    let base = r#""channel": "c", "account": "b", "platform_client_id": "t""#;
    for (document, want) in [
        ("[".to_owned(), "accounts: not JSON at line 1, column 1"),
        ("{}".to_owned(), "accounts: not a list of objects"),
        (
            r#"["hunter2"]"#.to_owned(),
            "accounts: entry 1: not an object",
        ),
        (
            entry(r#""account": "b", "platform_client_id": "t""#),
            "accounts: entry 2: channel is missing or blank",
        ),
        (
            entry(r#""channel": "c", "platform_client_id": "t""#),
            "accounts: entry 2: account is missing or blank",
        ),
        (
            entry(r#""channel": "c", "account": "b""#),
            "accounts: entry 2: platform_client_id is missing or blank",
        ),
        (
            entry(r#""channel": "c", "account": 7, "platform_client_id": "t""#),
            "accounts: entry 2: account is not a text with something in it",
        ),
        (
            entry(&format!(r#"{base}, "access_token": " ""#)),
            "accounts: entry 2: access_token is not a text with something in it",
        ),
        (
            entry(&format!(r#"{base}, "secrets": "hunter2""#)),
            "accounts: entry 2: secrets is not a list of texts, or all of them are blank",
        ),
        (
            entry(&format!(r#"{base}, "secrets": ["", " "]"#)),
            "accounts: entry 2: secrets is not a list of texts, or all of them are blank",
        ),
        (
            entry(&format!(r#"{base}, "secret": ["hunter2"]"#)),
            "accounts: entry 2: it has a field that is none of channel, account, platform_client_id, secrets, \
             verify_token, access_token, base_url",
        ),
        (
            entry(r#""channel": "c", "account": "a", "platform_client_id": "u""#),
            "accounts: entry 2: the same channel and account are listed twice",
        ),
    ] {
        let error = Book::read(Sources {
            channel: "c",
            accounts: &document,
            ..Sources::default()
        });
        assert_eq!(error.unwrap_err().to_string(), want, "{document}");
    }
}

#[test]
fn secrets_are_never_printed() {
    let book = book("general-secret", ACCOUNTS);
    let printed = format!("{book:?}");
    for secret in [
        "general-secret",
        "acme-new",
        "acme-old",
        "acme-verify",
        "verify-new",
    ] {
        assert!(!printed.contains(secret), "{secret}");
    }
    assert!(printed.contains("[redacted]"));
}

proptest! {
    #[test]
    fn no_document_makes_it_panic_or_repeat_a_value(value in "[a-z]{12}", shape in 0..6usize) {
        let document = [
            format!("\"{value}\""), format!("[{value}]"), format!("[[\"{value}\"]]"),
            format!("[{{\"channel\": \"{value}\"}}]"), format!("[{{\"{value}\": 1}}]"),
            format!("[{{\"channel\": [\"{value}\"]}}]"),
        ];
        let error = Book::read(Sources { accounts: &document[shape], ..Sources::default() }).unwrap_err();
        let printed = format!("{error} {error:?}");
        prop_assert!(!printed.contains(&value));
    }

    /// Whatever is shared between accounts, one that lists secrets is opened by exactly those.
    #[test]
    fn a_secret_opens_an_account_if_and_only_if_it_is_listed_for_it(
        general in proptest::collection::vec(0..4u8, 0..3),
        own in proptest::collection::vec(proptest::collection::vec(0..4u8, 0..3), 0..4),
    ) {
        let text = |list: &[u8]| list.iter().map(|n| format!("s{n}")).collect::<Vec<_>>();
        let entries: Vec<_> = own.iter().enumerate().map(|(n, list)| serde_json::json!({
            "channel": "whatsapp", "account": format!("a{n}"), "platform_client_id": "t", "secrets": text(list),
        })).collect();
        let book = book(&text(&general).join(","), &serde_json::Value::from(entries).to_string());
        for secret in 0..4u8 {
            for (n, list) in own.iter().enumerate() {
                let keyring = holder(&book, None, &format!("s{secret}"));
                let opened = keyring.is_some_and(|keyring| book.tenant(keyring, &format!("a{n}")).is_ok());
                let listed = if list.is_empty() { &general } else { list };
                prop_assert_eq!(opened, listed.contains(&secret));
            }
        }
    }
}
