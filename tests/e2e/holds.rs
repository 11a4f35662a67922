//! What is held back, and how much of it: machines that talk to each other, one pair of two numbers,
//! a person who answers late.

use anyhow::{Context, Result, ensure};
use chatly_simulator::{Wish, find};
use harness::{Options, TestApp, Turn, Upstream, eventually, secrets};
use http::Method;
use serde_json::{Value, json};

use crate::payload;
use crate::routing::write;

const PHONE: &str = "16505551234";
const OTHER: &str = "16505559999";

async fn start(channel: &str, upstream: &Upstream) -> Result<TestApp> {
    let mut options = Options {
        arguments: vec!["--allow-private".to_owned(), "127.0.0.0/8".to_owned()],
        ..Options::default()
    };
    options.variables.extend([
        (format!("{channel}_base_url"), upstream.base().to_owned()),
        (format!("{channel}_access_token"), "token-9".to_owned()),
    ]);
    TestApp::start_with(options).await
}

async fn opened(app: &TestApp, phone: &str) -> Result<String> {
    let delivery = payload::fresh_text_delivery(phone, &format!("wamid.{phone}"), "Hi");
    ensure!(app.deliver(&delivery).await?.status == 200);
    app.settle().await?;
    let conversations = app.list("/v1/conversations").await?;
    Ok(conversations[0]["id"].as_str().context("id")?.to_owned())
}

/// Says a text with more fields; our id of the message.
async fn say(app: &TestApp, conversation: &str, text: &str, automatic: bool) -> Result<String> {
    let mut body = json!({ "conversation_id": conversation, "type": "text", "text": text });
    if automatic {
        let now = std::time::UNIX_EPOCH.elapsed()?.as_millis();
        body["automatic"] = json!({ "rule": "n8n", "decided_at": u64::try_from(now)? });
    }
    let answer = write(app, Method::POST, "/v1/messages", &body).await?;
    ensure!(answer.status == 201, "{:?}", answer.json());
    Ok(answer.json()?["id"].as_str().context("id")?.to_owned())
}

async fn became(app: &TestApp, id: &str, state: &str) -> Result<Value> {
    eventually(&format!("the message is {state}"), async || {
        let messages = app.messages().await?;
        let message = messages.into_iter().find(|message| message["id"] == id);
        Ok(message.filter(|message| message["state"] == state))
    })
    .await
}

/// The other machine answers each message of ours, as ours answers each of theirs.
#[tokio::test]
async fn two_bots_that_answer_each_other_are_held_after_five_messages() -> Result<()> {
    let upstream = Upstream::start("whatsapp", &[]).await?;
    let app = start("whatsapp", &upstream).await?;
    let conversation = opened(&app, PHONE).await?;
    for turn in 0..5 {
        let ours = say(&app, &conversation, "And you?", true).await?;
        became(&app, &ours, "sent").await?;
        let theirs = payload::fresh_text_delivery(PHONE, &format!("wamid.bot{turn}"), "And you?");
        ensure!(app.deliver(&theirs).await?.status == 200);
        app.settle().await?;
    }
    let held = say(&app, &conversation, "And you?", true).await?;
    let message = became(&app, &held, "failed").await?;
    assert_eq!(message["error"]["code"], "suppressed");
    let reason = message["error"]["title"].as_str().context("title")?;
    assert!(
        reason.contains("5 automatic messages within 60 s"),
        "{reason}"
    );
    let buried = app
        .list("/v1/outbox?kind=send-whatsapp&state=buried")
        .await?;
    assert_eq!(buried.len(), 1);
    assert_eq!(buried[0]["error"], reason);
    assert_eq!(upstream.count(), 5);
    // Neither a person nor another customer is concerned.
    let person = say(&app, &conversation, "A person here.", false).await?;
    became(&app, &person, "sent").await?;
    let other = opened(&app, OTHER).await?;
    let answer = say(&app, &other, "Hello", true).await?;
    became(&app, &answer, "sent").await?;
    assert_eq!(upstream.count(), 7);
    Ok(())
}

#[tokio::test]
async fn a_limit_of_one_pair_holds_its_conversation_and_no_other() -> Result<()> {
    let pair = Turn::Says(
        429,
        r##"{"error":{"code":131056,"type":"OAuthException","message":"(#131056) (Business Account, Consumer Account) pair rate limit hit"}}"##,
    );
    let upstream = Upstream::start("whatsapp", &[pair; 2]).await?;
    let app = start("whatsapp", &upstream).await?;
    let one = opened(&app, PHONE).await?;
    let two = opened(&app, OTHER).await?;
    let first = say(&app, &one, "first", false).await?;
    let second = say(&app, &one, "second", false).await?;
    eventually("the pair is held", async || {
        Ok((upstream.count() > 0).then_some(()))
    })
    .await?;
    let accounts = app.list("/v1/accounts?channel=whatsapp").await?;
    assert_eq!(accounts[0]["health"], "ok");
    for id in [&first, &second] {
        became(&app, id, "sent").await?;
    }
    let elsewhere = say(&app, &two, "elsewhere", false).await?;
    became(&app, &elsewhere, "sent").await?;
    let texts: Vec<String> = upstream
        .got()
        .iter()
        .filter_map(|sent| {
            let body: Value = serde_json::from_slice(&sent.body).ok()?;
            Some(body["text"]["body"].as_str()?.to_owned())
        })
        .collect();
    let want = [vec!["first"; 3], vec!["second", "elsewhere"]].concat();
    assert_eq!(texts, want, "in its order, each once");
    let calls = app
        .list(&format!("/v1/external-calls?message_id={first}"))
        .await?;
    let limited = calls.iter().filter(|call| call["status"] == 429);
    assert_eq!(limited.count(), 2);
    Ok(())
}

/// Messenger and Instagram let a person answer for six days after the window.
#[tokio::test]
async fn a_person_may_answer_within_seven_days_and_a_machine_may_not() -> Result<()> {
    const HOUR_SECS: u64 = 3600;
    for channel in ["messenger", "instagram"] {
        let upstream = Upstream::start(channel, &[]).await?;
        let app = start(channel, &upstream).await?;
        let mut conversations = vec![];
        for (seed, hours) in [(1, 1), (2, 25), (3, 24 * 7 + 1)] {
            let now = std::time::UNIX_EPOCH.elapsed()?.as_secs();
            let name = format!("person-{seed}");
            let wish = Wish {
                kind: "text".into(),
                from: Some(format!("790000000000000{seed}")),
                name: Some(name),
                at_secs: Some(now - hours * HOUR_SECS),
                seed,
                ..Wish::default()
            };
            let platform = find(channel).context(channel)?;
            let unsigned = platform.unsigned(&[wish])?;
            let secret = secrets::signing(channel);
            let delivery = platform.sign(unsigned, app.base(), secret, now);
            ensure!(app.deliver(&delivery).await?.status == 200, "{channel}");
            app.settle().await?;
            let newest = app.list("/v1/conversations").await?;
            conversations.push(newest[0]["id"].as_str().context("id")?.to_owned());
        }
        let [open, late, gone] = &conversations[..] else {
            anyhow::bail!("three conversations");
        };
        let tags = |upstream: &Upstream| -> Result<Vec<(Value, Value)>> {
            let got = upstream.got();
            let bodies = got.iter().map(|sent| {
                let body: Value = serde_json::from_slice(&sent.body)?;
                Ok((body["messaging_type"].clone(), body["tag"].clone()))
            });
            bodies.collect()
        };
        for (conversation, automatic, state) in [
            (open, false, "sent"),
            (late, false, "sent"),
            (late, true, "failed"),
            (gone, false, "failed"),
        ] {
            let id = say(&app, conversation, "Sorry for the wait", automatic).await?;
            let message = became(&app, &id, state).await?;
            if state == "failed" {
                assert_eq!(message["error"]["code"], "window_closed", "{channel}");
            }
        }
        let got = tags(&upstream)?;
        assert_eq!(got.len(), 2, "{channel}: {got:?}");
        assert_eq!(got[0].1, Value::Null, "{channel}: inside the window");
        let want = (json!("MESSAGE_TAG"), json!("HUMAN_AGENT"));
        assert_eq!(got[1], want, "{channel}");
    }
    Ok(())
}
