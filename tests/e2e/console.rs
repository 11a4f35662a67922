//! The page for operators: how it is served, what its test message may do, and what a real browser
//! makes of it.

use anyhow::{Context, Result};
use chatly_simulator::whatsapp;
use harness::{Answer, Browser, Options, TestApp, keys, root, secrets};
use http::Method;
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use crate::forwarding::{CURRENT, Receiver};

const TEXT: &str =
    "Hola, quiero 20 unidades azules, presupuesto 500 USD, mi correo es ana@example.com";
/// What would run if any of it became markup.
const HOSTILE: &str = "<img src=x onerror=\"window.pwned=1\"><script>window.pwned=1</script>";

async fn get(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Result<Answer> {
    app.request(Method::GET, path, headers, "").await
}

async fn trial(app: &TestApp, method: Method, key: &str, body: &Value) -> Result<Answer> {
    let key = format!("Bearer {key}");
    let body = if method == Method::GET {
        String::new()
    } else {
        body.to_string()
    };
    app.request(
        method,
        "/console/test-message",
        &[("authorization", &key)],
        body,
    )
    .await
}

/// A message of now: what an old one shows has faded.
fn from(name: &str, phone: &str, text: &str) -> chatly_simulator::Delivery {
    let now = std::time::UNIX_EPOCH.elapsed().expect("the clock is set");
    let item = whatsapp::text(text)
        .at(now.as_secs())
        .name(name)
        .from_phone(phone)
        .id(&format!("wamid.{phone}"));
    item.signed_with(secrets::WHATSAPP_APP[0])
}

#[tokio::test]
async fn the_page_comes_with_its_policy_and_only_once() -> Result<()> {
    let app = TestApp::start().await?;
    for (path, media_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/console", "text/html; charset=utf-8"),
        ("/console/app.js", "text/javascript; charset=utf-8"),
        ("/console/style.css", "text/css; charset=utf-8"),
    ] {
        let page = get(&app, path, &[]).await?;
        assert_eq!(page.status, 200, "{path}");
        assert_eq!(page.header("content-type"), media_type, "{path}");
        assert_eq!(
            page.header("content-length"),
            page.body.len().to_string(),
            "{path}"
        );
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(page.header("referrer-policy"), "no-referrer", "{path}");
        let policy = page.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; "),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        let again = get(&app, path, &[("if-none-match", page.header("etag"))]).await?;
        assert_eq!(
            (again.status.as_u16(), again.body.len()),
            (304, 0),
            "{path}"
        );
    }
    let head = app.request(Method::HEAD, "/", &[], "").await?;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    assert_eq!(get(&app, "/console/none.js", &[]).await?.status, 404);
    assert_eq!(app.request(Method::POST, "/", &[], "").await?.status, 405);
    Ok(())
}

#[tokio::test]
async fn a_test_message_takes_the_way_of_a_customers() -> Result<()> {
    let app = TestApp::start().await?;
    let draft = json!({ "text": TEXT, "name": "Ana Pérez", "phone": "12025550143" });
    for (name, method, key, body, want) in [
        ("no key", Method::POST, "", &draft, 401),
        ("a wrong key", Method::POST, "wrong", &draft, 401),
        (
            "a wrong key that only asks",
            Method::GET,
            "wrong",
            &draft,
            401,
        ),
        ("another method", Method::PUT, secrets::API_KEY, &draft, 405),
        ("no text", Method::POST, secrets::API_KEY, &json!({}), 400),
        (
            "too large",
            Method::POST,
            secrets::API_KEY,
            &json!("x".repeat(70_000)),
            413,
        ),
    ] {
        assert_eq!(trial(&app, method, key, body).await?.status, want, "{name}");
    }
    assert!(app.list("/v1/inbox").await?.is_empty());

    let ready = trial(&app, Method::GET, secrets::API_KEY, &draft)
        .await?
        .json()?;
    assert_eq!(ready, json!({ "available": true, "reason": null }));
    let mut ids = Vec::new();
    for _ in 0..2 {
        let sent = trial(&app, Method::POST, secrets::API_KEY, &draft).await?;
        assert_eq!(sent.status, 202, "{sent:?}");
        ids.push(sent.json()?["message_id"].clone());
    }
    app.settle().await?;
    let messages = app.messages().await?;
    let stored: Vec<_> = messages
        .iter()
        .map(|row| row["message"]["id"].clone())
        .collect();
    assert_eq!(stored, ids);
    assert_eq!(messages[0]["message"]["text"], TEXT);
    // The webhook checked it: nothing was refused there, and nothing went around it.
    assert_eq!(app.api("/v1/refused").await?.json()?["data"], json!([]));
    Ok(())
}

#[tokio::test]
async fn without_a_secret_or_switched_off_no_test_message_is_sent_and_the_reason_is_said()
-> Result<()> {
    for (variable, value, status, word) in [
        ("console_test_messages", "off", 403, "console_test_messages"),
        ("whatsapp_app_secret", "", 503, "whatsapp_app_secret"),
    ] {
        let mut options = Options::default();
        options
            .variables
            .insert(variable.to_owned(), value.to_owned());
        let app = TestApp::start_with(options).await?;
        let ready = trial(&app, Method::GET, secrets::API_KEY, &Value::Null)
            .await?
            .json()?;
        assert_eq!(ready["available"], false, "{variable}");
        assert!(
            ready["reason"].as_str().context("reason")?.contains(word),
            "{ready}"
        );
        let sent = trial(
            &app,
            Method::POST,
            secrets::API_KEY,
            &json!({ "text": "Hi" }),
        )
        .await?;
        assert_eq!(sent.status, status, "{variable}");
        assert!(app.list("/v1/inbox").await?.is_empty(), "{variable}");
    }
    Ok(())
}

/// Signs in as a person would: the key is typed, Enter is pressed.
pub async fn sign_in(browser: &Browser, app: &TestApp) -> Result<()> {
    browser.open(app.base()).await?;
    browser
        .until("document.activeElement?.id === 'key'")
        .await?;
    browser.press("not-the-key").await?;
    browser.press(keys::ENTER).await?;
    browser
        .until("document.getElementById('login-error').textContent")
        .await?;
    // The wrong key is selected now, so that typing replaces it.
    browser.press(secrets::API_KEY).await?;
    browser.press(keys::ENTER).await?;
    browser
        .until("document.getElementById('live').dataset.state === 'live'")
        .await?;
    // Whoever reloads the page loses this.
    browser.run("window.sameDocument = true", json!([])).await?;
    Ok(())
}

#[tokio::test]
async fn a_browser_shows_messages_live_and_never_as_markup() -> Result<()> {
    let Some(browser) = Browser::start(1280, 800).await? else {
        return Ok(());
    };
    let app = TestApp::start().await?;
    sign_in(&browser, &app).await?;
    app.deliver(&from("Eve <b>", "16505550001", HOSTILE))
        .await?;
    browser
        .until("document.querySelectorAll('#conversations li').length === 1")
        .await?;
    app.deliver(&from("Ana Pérez", "12025550143", TEXT)).await?;
    browser
        .until("document.querySelectorAll('#conversations li').length === 2")
        .await?;
    let names = "return [...document.querySelectorAll('#conversations strong')].map((name) => name.textContent)";
    assert_eq!(
        browser.run(names, json!([])).await?,
        json!(["Ana Pérez", "Eve <b>"]),
        "newest first"
    );

    // By keyboard: into the list, one down, open.
    browser
        .run(
            "document.querySelector('#conversations a').focus()",
            json!([]),
        )
        .await?;
    browser.press(keys::DOWN).await?;
    browser.press(keys::ENTER).await?;
    browser
        .until("document.querySelector('.message .text')")
        .await?;
    let text = browser
        .run(
            "return document.querySelector('.message .text').textContent",
            json!([]),
        )
        .await?;
    assert_eq!(text, HOSTILE);
    browser
        .until("document.querySelector('#card .facts')")
        .await?;

    // A second message of the conversation that is open arrives below the first.
    let second = whatsapp::text("Still there?")
        .from_phone("16505550001")
        .name("Eve <b>")
        .id("wamid.second");
    app.deliver(&second.signed_with(secrets::WHATSAPP_APP[0]))
        .await?;
    browser
        .until("document.querySelectorAll('.message').length === 2")
        .await?;
    browser
        .until("document.getElementById('announcer').textContent.includes('Still there?')")
        .await?;

    let state = "return [window.pwned ?? null, document.querySelectorAll('#app .message img, #app script, #conversations img').length, window.sameDocument]";
    assert_eq!(browser.run(state, json!([])).await?, json!([null, 0, true]));
    // The policy was not even tried.
    let log = browser.log().await?;
    assert!(
        !log.iter()
            .any(|line| line.contains("Content Security Policy") || line.contains("Uncaught")),
        "{log:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_phone_shows_one_pane_at_a_time_and_nothing_sticks_out() -> Result<()> {
    let Some(browser) = Browser::start(390, 844).await? else {
        return Ok(());
    };
    let app = TestApp::start().await?;
    sign_in(&browser, &app).await?;
    app.deliver(&from("Ana Pérez", "12025550143", &"Abcdefghij".repeat(40)))
        .await?;
    browser
        .until("document.querySelector('#conversations a')")
        .await?;
    let seen = "return ['list-pane', 'thread-pane', 'details-pane'].filter((id) => document.getElementById(id).offsetWidth > 0)";
    let wide = "return document.documentElement.scrollWidth > innerWidth || document.documentElement.scrollHeight > innerHeight";
    for (step, pane) in [
        (
            "document.querySelector('#conversations a').focus()",
            "list-pane",
        ),
        (
            "document.querySelector('#conversations a').click()",
            "thread-pane",
        ),
        (
            "document.getElementById('details-open').click()",
            "details-pane",
        ),
        (
            "document.getElementById('details-back').click()",
            "thread-pane",
        ),
        (
            "document.getElementById('thread-back').click()",
            "list-pane",
        ),
    ] {
        browser.run(step, json!([])).await?;
        browser
            .until(&format!(
                "document.getElementById('{pane}').offsetWidth > 0"
            ))
            .await?;
        assert_eq!(
            browser.run(seen, json!([])).await?,
            json!([pane]),
            "after {step}"
        );
        assert_eq!(browser.run(wide, json!([])).await?, false, "after {step}");
    }
    let size = "return parseFloat(getComputedStyle(document.querySelector('#conversations strong')).fontSize)";
    assert_eq!(browser.run(size, json!([])).await?, json!(16));
    Ok(())
}

/// Stores a rule.
async fn rule(app: &TestApp, rule: Value) -> Result<()> {
    let key = format!("Bearer {}", secrets::API_KEY);
    let headers = [
        ("authorization", key.as_str()),
        ("content-type", "application/json"),
    ];
    let saved = app.request(Method::POST, "/v1/rules", &headers, rule.to_string());
    assert_eq!(saved.await?.status, 201, "{rule}");
    Ok(())
}

/// The first conversation, as the README shows it. `BLESS=1` writes the picture.
#[tokio::test]
async fn a_browser_shows_the_score_and_the_forward_of_a_message_without_reload() -> Result<()> {
    let Some(browser) = Browser::start(1360, 1620).await? else {
        return Ok(());
    };
    let mut options = Options::default();
    let secret = ("n8n_signing_secret".to_owned(), CURRENT.to_owned());
    options.variables.extend([secret]);
    options.arguments = vec!["--allow-private".to_owned(), "127.0.0.0/8".to_owned()];
    let app = TestApp::start_with(options).await?;
    let receiver = Receiver::start(&[]).await?;
    let target = format!("{}/webhook/leads", receiver.base);
    let budget = json!({ "id": "budget", "name": "Names a budget", "priority": 10,
        "when": "message.text.contains(\"presupuesto\")",
        "then": [{ "do": "tag", "tags": ["budget"] }, { "do": "enrich" }] });
    let promising = json!({ "id": "promising", "name": "Promising lead", "priority": 20,
        "when": "lead.score > 60",
        "then": [{ "do": "assign", "to": "sales" }, { "do": "forward", "url": target }] });
    for each in [budget, promising] {
        rule(&app, each).await?;
    }
    sign_in(&browser, &app).await?;
    app.deliver(&from("Ana Pérez", "12025550143", TEXT)).await?;
    let first = "document.querySelector('#conversations a')";
    browser.until(first).await?;
    browser.run(&format!("{first}.click()"), json!([])).await?;
    for shown in [
        "document.querySelector('.message .text')",
        "document.querySelector('.understood .chip')",
        "Number(document.querySelector('#score')?.dataset.score) > 60",
        "document.querySelector('.reasons a[data-message]')",
        "document.querySelectorAll('#routing .run').length === 2",
        "document.querySelector('#routing .run:last-child .rules li[data-verdict=matched]')",
        "document.getElementById('thread-facts').textContent.includes('assigned to sales')",
        "document.querySelector('#deliveries li[data-status=\"200\"]')",
    ] {
        browser.until(shown).await?;
    }
    shows_the_forward(&browser, &app, &receiver, &target).await?;
    // A reason leads to the message that shows it.
    browser
        .run(
            "document.querySelector('.reasons a[data-message]').click()",
            json!([]),
        )
        .await?;
    browser
        .until("document.activeElement.classList.contains('message')")
        .await?;
    // Everything is in the picture, and the page was never loaded again.
    let whole = "document.activeElement.blur();
        const pane = document.querySelector('#details-pane .scroll');
        return [pane.scrollHeight - pane.clientHeight, window.sameDocument]";
    assert_eq!(browser.run(whole, json!([])).await?, json!([0, true]));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(root().join("docs/console.png"), browser.screenshot().await?)?;
    }
    Ok(())
}

/// The receiver got the message once and can verify it, and the page says so.
async fn shows_the_forward(
    browser: &Browser,
    app: &TestApp,
    receiver: &Receiver,
    target: &str,
) -> Result<()> {
    let got = receiver.got();
    assert_eq!(got.len(), 1);
    assert_eq!(got[0].path, "/webhook/leads");
    Webhook::new(CURRENT)?.verify(&got[0].body, &got[0].headers)?;
    let event: Value = serde_json::from_slice(&got[0].body)?;
    assert_eq!(event["data"]["event"]["message"]["text"], TEXT);

    let calls = app.list("/v1/external-calls").await?;
    assert_eq!(calls.len(), 1, "{calls:?}");
    let millis = calls[0]["millis"].as_u64().context("millis")?;
    let line = "const [line, more] = document.querySelectorAll('#deliveries li');
        const text = (part) => line.querySelector(part).textContent;
        return [text('.target'), text('.chip'), text('.hint'), more ?? null]";
    let shown = browser.run(line, json!([])).await?;
    assert_eq!(shown[0], target);
    assert_eq!(shown[1], "200");
    let words = shown[2].as_str().context("words")?;
    let want = format!("forward · attempt 1 · {millis} ms · ");
    assert!(words.starts_with(&want), "{words}");
    assert_eq!(shown[3], Value::Null, "one try");
    Ok(())
}
