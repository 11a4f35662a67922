//! Answers that are written in the console's thread, against a platform that is played.

use anyhow::{Context, Result};
use harness::{Browser, Options, TestApp, Turn, Upstream, eventually};
use serde_json::{Value, json};

use crate::console::sign_in;
use crate::payload;

const PHONE: &str = "16505551234";
/// The state of the newest message, and its text.
const NEWEST: &str = "const all = document.querySelectorAll('.message[data-direction=outbound]');
    const last = all[all.length - 1];
    return [all.length, last.querySelector('.bubble').textContent, last.querySelector('.state').dataset.state]";

/// A host whose WhatsApp is `upstream`, with a conversation that is open in the browser.
struct Desk {
    browser: Browser,
    app: TestApp,
    upstream: Upstream,
}

impl Desk {
    async fn open(width: u32, plan: &[Turn]) -> Result<Option<Self>> {
        let Some(browser) = Browser::start(width, 900).await? else {
            return Ok(None);
        };
        let upstream = Upstream::start("whatsapp", plan).await?;
        let mut options = Options {
            arguments: vec!["--allow-private".to_owned(), "127.0.0.0/8".to_owned()],
            ..Options::default()
        };
        let base = upstream.base().to_owned();
        options
            .variables
            .insert("whatsapp_base_url".to_owned(), base);
        let app = TestApp::start_with(options).await?;
        sign_in(&browser, &app).await?;
        let desk = Desk {
            browser,
            app,
            upstream,
        };
        let hello = payload::fresh_text_delivery(PHONE, "wamid.theirs", "Hi");
        desk.app.deliver(&hello).await?;
        let first = "document.querySelector('#conversations a')";
        desk.browser.until(first).await?;
        desk.run(&format!("{first}.click()")).await?;
        desk.browser
            .until("document.querySelector('.message') && document.getElementById('compose-type').dataset.types")
            .await?;
        Ok(Some(desk))
    }

    async fn run(&self, script: &str) -> Result<Value> {
        self.browser.run(script, json!([])).await
    }

    /// Chooses what is sent.
    async fn choose(&self, kind: &str) -> Result<()> {
        let choose = "const type = document.getElementById('compose-type');
            type.value = arguments[0];
            for (const name of ['input', 'change']) type.dispatchEvent(new Event(name, { bubbles: true }))";
        self.browser.run(choose, json!([kind])).await?;
        Ok(())
    }

    /// Types into a field, as a keyboard does.
    async fn write(&self, field: &str, text: &str) -> Result<()> {
        let focus = "document.querySelector(arguments[0]).focus()";
        self.browser.run(focus, json!([field])).await?;
        self.browser.press(text).await
    }

    async fn click_send(&self) -> Result<()> {
        self.run("document.getElementById('compose-send').click()")
            .await?;
        Ok(())
    }

    /// Waits until the newest answer is the `count`th and in this state; its words.
    async fn shows(&self, count: usize, state: &str) -> Result<String> {
        let shown = format!(
            "(() => {{ const all = document.querySelectorAll('.message[data-direction=outbound]');
               return all.length === {count} && all[all.length - 1].querySelector('.state').dataset.state === '{state}'; }})()"
        );
        self.browser.until(&shown).await?;
        let newest = self.run(NEWEST).await?;
        Ok(newest[1].as_str().context("words")?.to_owned())
    }

    /// The body of the platform's `number`th request.
    fn body(&self, number: usize) -> Result<Value> {
        let got = self.upstream.got();
        Ok(serde_json::from_slice(
            &got.get(number).context("a request")?.body,
        )?)
    }

    /// The platform says what became of the newest message.
    async fn status(&self, state: &str) -> Result<()> {
        let messages = self.app.messages().await?;
        let id = messages.last().context("a message")?["message"]["id"].clone();
        let status = payload::status(PHONE, id.as_str().context("id")?, state);
        let value = payload::value(json!({ "statuses": [status] }));
        self.app
            .deliver(&payload::signed(&payload::envelope(value)))
            .await?;
        Ok(())
    }
}

#[tokio::test]
async fn every_kind_of_answer_goes_out_and_its_state_shows_live() -> Result<()> {
    let Some(desk) = Desk::open(1280, &[]).await? else {
        return Ok(());
    };
    // By keyboard alone.
    desk.write("#compose-text", "Yes, in blue <b>").await?;
    desk.run(
        "document.getElementById('compose-text').dispatchEvent(new KeyboardEvent('keydown', \
         { key: 'Enter', ctrlKey: true, bubbles: true, cancelable: true }))",
    )
    .await?;
    assert_eq!(desk.shows(1, "sent").await?, "Yes, in blue <b>");
    assert_eq!(desk.body(0)?["text"]["body"], "Yes, in blue <b>");
    for state in ["delivered", "read"] {
        desk.status(state).await?;
        desk.shows(1, state).await?;
    }
    let left = "return document.getElementById('compose-text').value";
    assert_eq!(desk.run(left).await?, "", "what was taken is cleared");

    desk.choose("template").await?;
    desk.write("#compose-name", "order_shipped").await?;
    desk.write("#compose-language", "en_US").await?;
    desk.write(
        "#compose-components",
        r#"[{"type":"body","parameters":[{"type":"text","text":"17"}]}]"#,
    )
    .await?;
    desk.click_send().await?;
    assert_eq!(desk.shows(2, "sent").await?, "template order_shipped en_US");
    let template = &desk.body(1)?["template"];
    assert_eq!(template["name"], "order_shipped");
    assert_eq!(template["language"]["code"], "en_US");
    assert_eq!(template["components"][0]["parameters"][0]["text"], "17");

    desk.choose("buttons").await?;
    desk.write("#compose-text", "Which one?").await?;
    desk.write("#compose-buttons input:nth-child(1)", "Blue")
        .await?;
    desk.write("#compose-buttons input:nth-child(2)", "Green")
        .await?;
    desk.click_send().await?;
    assert_eq!(desk.shows(3, "sent").await?, "Which one?BlueGreen");
    let buttons = &desk.body(2)?["interactive"]["action"]["buttons"];
    assert_eq!(buttons[1]["reply"], json!({ "id": "2", "title": "Green" }));

    desk.choose("media").await?;
    desk.write("#compose-url", "https://example.com/blue.jpg")
        .await?;
    desk.write("#compose-caption", "The blue one").await?;
    desk.click_send().await?;
    assert!(desk.shows(4, "sent").await?.ends_with("The blue one"));
    let image = json!({ "link": "https://example.com/blue.jpg", "caption": "The blue one" });
    assert_eq!(desk.body(3)?["image"], image);

    assert_eq!(desk.run("return window.sameDocument").await?, true);
    let log = desk.browser.log().await?;
    assert!(
        !log.iter()
            .any(|line| line.contains("Content Security Policy") || line.contains("Uncaught")),
        "{log:?}"
    );
    Ok(())
}

#[tokio::test]
async fn what_is_lacking_is_said_at_its_field_and_what_the_platform_refuses_at_the_message()
-> Result<()> {
    let refused = r#"{"error":{"code":131026,"message":"Message undeliverable"}}"#;
    let Some(desk) = Desk::open(390, &[Turn::Says(400, refused)]).await? else {
        return Ok(());
    };
    let said = "const field = document.activeElement;
        return [field.id, field.getAttribute('aria-invalid'), document.getElementById(`${field.id}-error`).textContent]";
    desk.click_send().await?;
    assert_eq!(
        desk.run(said).await?,
        json!(["compose-text", "true", "Write a text first."])
    );
    desk.choose("template").await?;
    desk.write("#compose-name", "n").await?;
    desk.write("#compose-language", "en").await?;
    desk.write("#compose-components", "[1,").await?;
    desk.click_send().await?;
    let components = desk.run(said).await?;
    assert_eq!(components[0], "compose-components");
    let words = components[2].as_str().context("words")?;
    assert!(
        words.starts_with("The components are not JSON: "),
        "{words}"
    );
    let wide = "return document.documentElement.scrollWidth > innerWidth || document.documentElement.scrollHeight > innerHeight";
    assert_eq!(
        desk.run(wide).await?,
        false,
        "nothing sticks out on a phone"
    );

    // No more buttons than the channel takes.
    desk.choose("buttons").await?;
    desk.run("document.getElementById('compose-add').click()")
        .await?;
    let buttons = "return [document.querySelectorAll('#compose-buttons input').length, document.getElementById('compose-add').hidden]";
    assert_eq!(desk.run(buttons).await?, json!([3, true]));
    assert!(desk.upstream.got().is_empty());

    desk.choose("text").await?;
    desk.write("#compose-text", "Hello").await?;
    desk.click_send().await?;
    desk.shows(1, "failed").await?;
    let reason =
        "return document.querySelector('.message[data-direction=outbound] > .error').textContent";
    let reason = desk.run(reason).await?;
    let reason = reason.as_str().context("reason")?;
    assert!(reason.contains("131026"), "{reason}");

    // A refusal of our own API shows at the form: the conversation that is meant does not exist.
    desk.run("const send = window.fetch;
        window.fetch = (path, options) => send(options.method === 'POST' ? '/v1/conversations/none/messages' : path, options)")
        .await?;
    desk.write("#compose-text", "Anyone?").await?;
    desk.click_send().await?;
    desk.browser
        .until("document.getElementById('compose-error').textContent.includes('conversation')")
        .await?;
    let kept = desk.run("return document.getElementById('compose-text').value");
    assert_eq!(kept.await?, "Anyone?");
    Ok(())
}

#[tokio::test]
async fn sent_twice_or_again_after_a_lost_answer_goes_out_once() -> Result<()> {
    let Some(desk) = Desk::open(1280, &[]).await? else {
        return Ok(());
    };
    desk.write("#compose-text", "once").await?;
    let twice = "const send = document.getElementById('compose-send'); send.click(); send.click()";
    desk.run(twice).await?;
    desk.shows(1, "sent").await?;

    // The server stores it, and the answer gets lost on its way.
    desk.run(
        "const send = window.fetch;
        window.keys = [];
        window.fetch = async (path, options) => {
            if (options.method === 'POST' && path.endsWith('/messages')) {
                window.keys.push(options.headers['idempotency-key']);
                const answer = await send(path, options);
                if (window.keys.length === 1) throw new TypeError('lost');
                return answer;
            }
            return send(path, options);
        }",
    )
    .await?;
    desk.write("#compose-text", "still once").await?;
    desk.click_send().await?;
    desk.browser
        .until("document.getElementById('compose-error').textContent")
        .await?;
    // What went out shows although nobody answered.
    desk.shows(2, "sent").await?;
    desk.click_send().await?;
    desk.browser
        .until("document.getElementById('compose-text').value === ''")
        .await?;
    let keys = desk.run("return window.keys").await?;
    assert_eq!(keys[0], keys[1], "one key");
    // The same words, said anew, are another message.
    desk.write("#compose-text", "once").await?;
    desk.click_send().await?;
    desk.shows(3, "sent").await?;
    eventually("three requests", async || {
        Ok((desk.upstream.count() == 3).then_some(()))
    })
    .await?;
    let outbox = desk.app.list("/v1/outbox?kind=send-whatsapp").await?;
    assert_eq!(outbox.len(), 3, "{outbox:?}");
    Ok(())
}
