//! A text on every channel: what the platform gets is the request that its reference documents.

use anyhow::{Context as _, Result, ensure};
use chatly_simulator::{Sent, Wish, find};
use harness::{Options, TestApp, Upstream, eventually, secrets};
use http::Method;
use serde_json::{Value, json};

const TEXT: &str = "Olá & 👋";
/// In a form's body.
const FORM_TEXT: &str = "Ol%C3%A1+%26+%F0%9F%91%8B";
const TOKEN: &str = "4839574812:AAFD39kkdpWt3ywyRZergyOLMaJhac60qc";

/// Whoever wrote to us, as the API names them.
struct Theirs {
    account: String,
    /// The person, where it is no group.
    chat: String,
    id: String,
    /// Ours of the message that is sent.
    message: String,
}

/// The documented request.
struct Want {
    path: String,
    /// Name and value of the header that carries the token.
    token: (&'static str, String),
    body: Value,
}

struct Case {
    channel: &'static str,
    /// What the customer does first.
    kind: &'static str,
    token: &'static str,
    want: fn(&Theirs) -> Want,
}

const CASES: [Case; 8] = [
    Case {
        channel: "messenger",
        kind: "text",
        token: TOKEN,
        want: |it| Want {
            path: format!("/v26.0/{}/messages", it.account),
            token: ("authorization", format!("Bearer {TOKEN}")),
            body: json!({
                "recipient": { "id": it.id }, "messaging_type": "RESPONSE",
                "message": { "text": TEXT, "metadata": it.message },
            }),
        },
    },
    Case {
        channel: "instagram",
        kind: "text",
        token: TOKEN,
        want: |it| Want {
            path: format!("/v26.0/{}/messages", it.account),
            token: ("authorization", format!("Bearer {TOKEN}")),
            body: json!({ "recipient": { "id": it.id }, "message": { "text": TEXT } }),
        },
    },
    Case {
        channel: "telegram",
        kind: "text",
        token: TOKEN,
        want: |it| Want {
            path: format!("/bot{TOKEN}/sendMessage"),
            token: ("content-type", "application/json".to_owned()),
            body: json!({ "chat_id": number(&it.chat), "text": TEXT }),
        },
    },
    Case {
        channel: "line",
        kind: "text",
        token: TOKEN,
        want: |it| Want {
            path: "/v2/bot/message/push".to_owned(),
            token: ("authorization", format!("Bearer {TOKEN}")),
            body: json!({ "to": it.id, "messages": [{ "type": "text", "text": TEXT }] }),
        },
    },
    Case {
        channel: "twilio",
        kind: "text",
        token: "12345",
        want: |it| {
            let (ours, theirs) = it.chat.split_once('/').unwrap_or_default();
            let escaped = |address: &str| address.replace(':', "%3A").replace('+', "%2B");
            Want {
                path: format!("/2010-04-01/Accounts/{}/Messages.json", it.account),
                token: ("authorization", basic(&it.account)),
                body: json!(format!(
                    "To={}&From={}&Body={FORM_TEXT}",
                    escaped(theirs),
                    escaped(ours)
                )),
            }
        },
    },
    Case {
        channel: "slack",
        kind: "text",
        token: TOKEN,
        want: |it| Want {
            path: "/api/chat.postMessage".to_owned(),
            token: ("authorization", format!("Bearer {TOKEN}")),
            body: json!({ "channel": it.chat, "text": "Olá &amp; 👋" }),
        },
    },
    Case {
        channel: "viber",
        kind: "text",
        token: TOKEN,
        want: |it| Want {
            path: "/pa/send_message".to_owned(),
            token: ("x-viber-auth-token", TOKEN.to_owned()),
            body: json!({
                "receiver": it.id, "min_api_version": 1, "sender": { "name": it.account },
                "tracking_data": it.message, "type": "text", "text": TEXT,
            }),
        },
    },
    Case {
        channel: "discord",
        kind: "command",
        // The variable holds the scheme, too.
        token: "Bot MTk4NjIyNDgzNDcxOTI1MjQ4",
        want: |it| Want {
            path: format!("/api/v10/channels/{}/messages", it.chat),
            token: ("authorization", "Bot MTk4NjIyNDgzNDcxOTI1MjQ4".to_owned()),
            body: json!({ "content": TEXT, "allowed_mentions": { "parse": [] } }),
        },
    },
];

fn number(text: &str) -> Value {
    text.parse::<i64>().map_or(Value::Null, Value::from)
}

/// The credentials of an account whose token is `12345`.
fn basic(account: &str) -> String {
    use base64::Engine as _;
    let pair = format!("{account}:12345");
    format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(pair))
}

/// The customer acts first; who that is.
async fn opened(app: &TestApp, case: &Case) -> Result<(String, Theirs)> {
    let platform = find(case.channel).context(case.channel)?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let wish = Wish {
        kind: case.kind.to_owned(),
        at_secs: Some(now.as_secs()),
        ..Wish::default()
    };
    let secret = secrets::signing(case.channel);
    let delivery = platform.sign(
        platform.unsigned(&[wish])?,
        app.base(),
        secret,
        now.as_secs(),
    );
    let answer = app.deliver(&delivery).await?;
    ensure!(answer.status == 200, "{}: {}", case.channel, answer.status);
    app.settle().await?;
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let path = format!("/v1/conversations?channel={}", case.channel);
    let conversations = app.list(&path).await?;
    let [conversation] = conversations.as_slice() else {
        anyhow::bail!("{}: {conversations:?}", case.channel);
    };
    let path = format!("/v1/contacts?channel={}", case.channel);
    let contacts = app.list(&path).await?;
    let id = word(&contacts[0]["identities"][0]["id"]);
    let chat = conversation["chat"].as_str();
    let theirs = Theirs {
        account: word(&conversation["account"]),
        chat: chat.unwrap_or(&id).to_owned(),
        id,
        message: String::new(),
    };
    Ok((word(&conversation["id"]), theirs))
}

/// What the platform got, with a form's body as one text.
fn body(sent: &Sent) -> Value {
    serde_json::from_slice(&sent.body)
        .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&sent.body)))
}

#[tokio::test]
async fn a_text_reaches_every_platform_as_its_reference_documents_it() -> Result<()> {
    let mut options = Options {
        arguments: vec!["--allow-private".to_owned(), "127.0.0.0/8".to_owned()],
        ..Options::default()
    };
    let mut upstreams = Vec::new();
    for case in &CASES {
        let upstream = Upstream::start(case.channel, &[]).await?;
        let name = case.channel;
        options.variables.extend([
            (format!("{name}_base_url"), upstream.base().to_owned()),
            (format!("{name}_access_token"), case.token.to_owned()),
        ]);
        upstreams.push(upstream);
    }
    let app = TestApp::start_with(options).await?;
    for (case, upstream) in CASES.iter().zip(&upstreams) {
        let name = case.channel;
        let (conversation, mut theirs) = opened(&app, case).await?;
        let bearer = format!("Bearer {}", secrets::API_KEY);
        let path = format!("/v1/conversations/{conversation}/messages");
        let text = json!({ "type": "text", "text": TEXT }).to_string();
        let headers = [("authorization", bearer.as_str())];
        let answer = app.request(Method::POST, &path, &headers, text).await?;
        ensure!(answer.status == 201, "{name}: {}", answer.status);
        theirs.message = answer.json()?["id"].as_str().context("id")?.to_owned();
        let sent = eventually(&format!("{name} has it"), async || {
            let path = format!("/v1/conversations/{conversation}/messages?order=newest");
            let newest = app.list(&path).await?.swap_remove(0);
            ensure!(newest["state"] != "failed", "{name}: {newest}");
            Ok((newest["state"] == "sent").then_some(newest))
        })
        .await?;
        assert_ne!(sent["message"]["id"], "", "{name}");

        let got = upstream.got();
        let [got] = got.as_slice() else {
            anyhow::bail!("{name}: {} requests", got.len());
        };
        let want = (case.want)(&theirs);
        assert_eq!((got.method.as_str(), &got.path), ("POST", &want.path));
        assert_eq!(body(got), want.body, "{name}");
        let (header, value) = want.token;
        assert_eq!(got.header(header), Some(value.as_str()), "{name}");
        let kind = got.header("content-type").unwrap_or_default();
        let form = "application/x-www-form-urlencoded";
        assert_eq!(kind.starts_with(form), name == "twilio", "{name}: {kind}");
    }
    let (output, _) = app.stop()?;
    for case in &CASES {
        assert!(!output.contains(case.token), "{}", case.channel);
    }
    Ok(())
}
