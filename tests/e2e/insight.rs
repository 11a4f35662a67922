//! What was understood of a message and its contact, beside the thread. What only a model or a later
//! day can give is played: the page gets it in the answers of the API.

use anyhow::{Context, Result};
use chatly_simulator::whatsapp;
use harness::{Browser, TestApp, keys, secrets};
use serde_json::{Value, json};

use crate::console::sign_in;

const TEXT: &str =
    "Hola, quiero 20 unidades azules, presupuesto 500 USD, mi correo es ana@example.com";
const SUGGESTION: &str = "¡Claro! <img src=x onerror=\"window.pwned=1\"> Son 480 USD.";

/// Answers whole routes by the end of their path, lays `enrichment` over that of each message and
/// `lead` over that of each contact, and keeps the paths that were posted to.
const PLAY: &str = "const played = arguments[0], real = window.fetch;
    window.posted = [];
    window.fetch = async (path, options) => {
        const place = String(path).split('?')[0];
        if (options?.method === 'POST') window.posted.push(place);
        for (const [end, status, body] of played.routes)
            if (place.endsWith(end)) return new Response(JSON.stringify(body), { status });
        const answer = await real(path, options);
        if (!/^.v1.(contacts.[^/]+|conversations.[^/]+.messages)$/.test(place) || !answer.ok) return answer;
        const body = await answer.json();
        for (const row of body.data ?? []) if (row.direction === 'inbound') row.enrichment = { ...row.enrichment, ...played.enrichment };
        if (body.identities && played.lead) body.lead = played.lead;
        return new Response(JSON.stringify(body), { status: answer.status });
    }";

struct Desk {
    browser: Browser,
    app: TestApp,
    /// Our id of the message that is there.
    message: String,
}

impl Desk {
    /// A message that the baseline has understood, in an open conversation. `played` gets its id.
    async fn open(played: impl FnOnce(&str) -> Value) -> Result<Option<Self>> {
        let Some(browser) = Browser::start(1280, 900).await? else {
            return Ok(None);
        };
        let app = TestApp::start().await?;
        sign_in(&browser, &app).await?;
        app.deliver(&from_ana("wamid.first", TEXT)).await?;
        app.settle().await?;
        let messages = app.messages().await?;
        let message = messages[0]["id"].as_str().context("id")?.to_owned();
        browser.run(PLAY, json!([played(&message)])).await?;
        let first = "document.querySelector('#conversations a')";
        browser.until(first).await?;
        browser.run(&format!("{first}.click()"), json!([])).await?;
        browser
            .until("document.querySelector('#insight .facts') && document.querySelector('#score')")
            .await?;
        Ok(Some(Desk {
            browser,
            app,
            message,
        }))
    }

    async fn run(&self, script: &str) -> Result<Value> {
        self.browser.run(script, json!([])).await
    }

    /// What is said of the newest message, by name.
    async fn facts(&self) -> Result<Value> {
        self.run(
            "const said = {};
             for (const name of document.querySelectorAll('#insight dt')) said[name.textContent] = name.nextSibling.textContent;
             return said",
        )
        .await
    }
}

fn from_ana(id: &str, text: &str) -> chatly_simulator::Delivery {
    let item = whatsapp::text(text)
        .name("Ana Pérez")
        .from_phone("12025550143")
        .id(id);
    item.signed_with(secrets::WHATSAPP_APP[0])
}

/// A server that keeps no history, counts nothing and reads nothing again.
fn nothing(_: &str) -> Value {
    let absent = json!({ "code": "not_found", "detail": "There is no such address." });
    json!({ "routes": [["/lead-history", 404, absent], ["/v1/usage", 404, absent], ["/enrich", 404, absent]] })
}

/// A server whose model has answered; the evidence is message `id`.
fn everything(id: &str) -> Value {
    let reason = json!({ "text": "Names 500 USD", "message_id": id });
    let known = |score: u8| json!({ "score": score, "reasons": [reason] });
    let past = |at: u64, score: u8, stage: &str| json!({ "at": at, "message_id": id, "score": score, "fit": score, "engagement": 9, "stage": stage });
    json!({
        "routes": [
            ["/lead-history", 200, { "data": [past(1, 20, "new"), past(2, 71, "qualified")], "next_cursor": null }],
            ["/v1/usage", 200, { "data": [], "today": { "tokens": 1234, "cost_usd": 0.0123, "budget_tokens": null, "budget_cost_usd": 5 }, "next_cursor": null }],
            ["/enrich", 202, {}],
        ],
        "enrichment": {
            "source": "llm:small-1", "language": "es", "sentiment": "positive", "urgency": "high", "topics": ["blue units"],
            "intents": [{ "name": "purchase", "confidence": 0.91 }], "entities": [],
            "summary": "Wants 20 blue units.", "suggested_reply": SUGGESTION,
        },
        "lead": {
            "score": 71, "fit": 80, "engagement": 60, "stage": "qualified", "reasons": [reason],
            "bant": { "budget": known(90), "authority": { "score": 0, "reasons": [] }, "need": known(70), "timing": known(10) },
        },
    })
}

#[tokio::test]
async fn what_the_baseline_understood_is_shown_and_what_a_server_lacks_is_not() -> Result<()> {
    let Some(desk) = Desk::open(nothing).await? else {
        return Ok(());
    };
    let facts = desk.facts().await?;
    assert_eq!(facts["Language"], "Spanish", "{facts}");
    assert_eq!(facts["By"], "baseline:offline");
    assert!(
        facts["Found"]
            .as_str()
            .is_some_and(|found| found.contains("ana@example.com")),
        "{facts}"
    );
    let percent = facts["Intent"]
        .as_str()
        .is_some_and(|intent| intent.contains('%'));
    assert!(percent, "{facts}");
    let absent = "return [document.getElementById('usage').childNodes.length, document.querySelectorAll('.suggestion, .past').length]";
    assert_eq!(desk.run(absent).await?, json!([0, 0]));
    // The page learns that it is not offered when it is asked for.
    desk.run("document.querySelector('[data-keep=again]').click()")
        .await?;
    desk.browser
        .until("document.getElementById('insight').textContent.includes('does not read it again')")
        .await?;
    let path = format!("/v1/messages/{}/enrich", desk.message);
    assert_eq!(desk.run("return window.posted").await?, json!([path]));
    Ok(())
}

#[tokio::test]
async fn a_suggestion_goes_into_the_answer_as_text_and_is_not_sent() -> Result<()> {
    let Some(desk) = Desk::open(everything).await? else {
        return Ok(());
    };
    let want = json!({ "Language": "Spanish", "Intent": "purchase 91%", "Sentiment": "positive", "Urgency": "high",
        "Topics": "blue units", "By": "llm:small-1" });
    assert_eq!(desk.facts().await?, want);
    desk.run("document.getElementById('compose-text').focus()")
        .await?;
    desk.browser.press("Hi.").await?;
    // By keyboard, as all of it can be.
    desk.run("document.querySelector('[data-keep=use]').focus()")
        .await?;
    desk.browser.press(keys::ENTER).await?;
    let answer = "const text = document.getElementById('compose-text'); return [text.value, document.activeElement === text]";
    assert_eq!(
        desk.run(answer).await?,
        json!([format!("Hi.\n{SUGGESTION}"), true])
    );
    desk.browser
        .until("document.getElementById('toast').textContent.includes('Nothing was sent')")
        .await?;
    desk.run("document.querySelector('[data-keep=again]').focus()")
        .await?;
    desk.browser.press(keys::ENTER).await?;
    desk.browser
        .until("document.getElementById('toast').textContent.includes('read again')")
        .await?;
    let path = format!("/v1/messages/{}/enrich", desk.message);
    assert_eq!(desk.run("return window.posted").await?, json!([path]));
    assert_eq!(desk.app.messages().await?.len(), 1, "nothing was sent");
    let state = "return [window.pwned ?? null, document.querySelectorAll('#insight img').length]";
    assert_eq!(desk.run(state).await?, json!([null, 0]));
    Ok(())
}

#[tokio::test]
async fn each_side_of_a_lead_leads_to_its_evidence_and_stays_unfolded() -> Result<()> {
    let Some(desk) = Desk::open(everything).await? else {
        return Ok(());
    };
    let sides = "return [...document.querySelectorAll('#card [data-side]')].map((side) => [side.dataset.side, side.querySelector('.number').textContent, side.tagName])";
    let want = json!([
        ["budget", "90", "DETAILS"],
        ["authority", "0", "P"],
        ["need", "70", "DETAILS"],
        ["timing", "10", "DETAILS"]
    ]);
    assert_eq!(desk.run(sides).await?, want);
    desk.run("document.querySelector('[data-side=budget] summary').focus()")
        .await?;
    desk.browser.press(keys::ENTER).await?;
    desk.browser
        .until("document.querySelector('[data-side=budget]').open")
        .await?;
    // Another message draws the card anew; what is unfolded and has the focus stays.
    let second = from_ana("wamid.second", "¿Siguen ahí?");
    desk.app.deliver(&second).await?;
    desk.browser
        .until("document.querySelectorAll('.message').length === 2")
        .await?;
    let stays = "const side = document.querySelector('[data-side=budget]'); return [side.open, document.activeElement === side.firstChild]";
    assert_eq!(desk.run(stays).await?, json!([true, true]));
    desk.run("document.querySelector('[data-side=budget] a').click()")
        .await?;
    let evidence = "return document.activeElement.dataset.id";
    assert_eq!(desk.run(evidence).await?, desk.message);
    let past =
        "return [...document.querySelectorAll('.past li a')].map((score) => score.textContent)";
    assert_eq!(desk.run(past).await?, json!(["71 of 100", "20 of 100"]));
    desk.browser
        .until("document.querySelector('#usage .number')")
        .await?;
    let cost = "return [...document.querySelectorAll('#usage .number')].map((number) => number.textContent)";
    assert_eq!(
        desk.run(cost).await?,
        json!(["$0.0123 of $5.00", "1,234, no limit"])
    );
    Ok(())
}

#[tokio::test]
async fn a_message_is_read_again_and_its_lead_and_its_cost_are_those_of_the_server() -> Result<()> {
    let Some(desk) = Desk::open(|_| json!({ "routes": [] })).await? else {
        return Ok(());
    };
    for shown in [
        "document.querySelectorAll('#card [data-side]').length === 4",
        "document.querySelector('details[data-side=budget] a[data-message]')",
        "document.querySelectorAll('.past li').length === 1",
    ] {
        desk.browser.until(shown).await?;
    }
    // No model is configured: nothing was spent, and nothing limits it.
    let cost = "return [...document.querySelectorAll('#usage .number')].map((number) => number.textContent)";
    desk.browser
        .until("document.querySelector('#usage .number')")
        .await?;
    assert_eq!(
        desk.run(cost).await?,
        json!(["$0.00, no limit", "0, no limit"])
    );
    desk.run("document.querySelector('[data-keep=again]').click()")
        .await?;
    desk.browser
        .until("document.getElementById('toast').textContent.includes('read again')")
        .await?;
    Ok(())
}
