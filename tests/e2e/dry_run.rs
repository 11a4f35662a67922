//! Rules tried over stored messages: what would be routed differently, and nothing is written.

use std::collections::BTreeSet;
use std::process::{Command, Output};

use anyhow::{Context, Result};
use harness::{Answer, TestApp, chatly, eventually, secrets};
use http::Method;
use serde_json::{Value, json};

use crate::payload;
use crate::routing::{save, write};

/// Messages, of which the changed rules treat some differently.
const MESSAGES: usize = 1_000;
const SEED: u64 = 20_261_123;

async fn try_rules(app: &TestApp, query: &str, candidate: &Value) -> Result<Answer> {
    write(
        app,
        Method::POST,
        &format!("/v1/rules/test{query}"),
        candidate,
    )
    .await
}

/// All pages as one list of differences, and how many messages were evaluated.
async fn all(app: &TestApp, candidate: &Value) -> Result<(u64, Vec<Value>)> {
    let (mut evaluated, mut rows, mut query) = (0, Vec::new(), "?limit=300".to_owned());
    loop {
        let answer = try_rules(app, &query, candidate).await?;
        let page = answer.json()?;
        assert_eq!(answer.status, 200, "{page}");
        evaluated += page["evaluated"].as_u64().context("evaluated")?;
        let data = page["data"].as_array().context("data")?;
        assert_eq!(page["differing"], data.len());
        rows.extend(data.iter().cloned());
        let Some(cursor) = page["next_cursor"].as_str() else {
            return Ok((evaluated, rows));
        };
        query = format!("?limit=300&cursor={cursor}");
    }
}

fn tag(id: &str, priority: i32, when: &str, stop: bool, tag: &str) -> Value {
    json!({
        "id": id, "name": id, "priority": priority, "when": when, "stop": stop,
        "then": [{ "do": "tag", "tags": [tag] }],
    })
}

/// Rules as they are, and as they would be: prices get another tag, and the rule that stopped after
/// a question about colours does not stop any more.
fn rules() -> (Vec<Value>, Vec<Value>) {
    let refund = tag(
        "c",
        30,
        "message.text.contains(\"refund\")",
        false,
        "refund",
    );
    let before = vec![
        tag("a", 10, "message.text.contains(\"color\")", true, "colour"),
        tag("b", 20, "message.text.contains(\"price\")", false, "price"),
        refund.clone(),
    ];
    let after = vec![
        tag("a", 10, "message.text.contains(\"color\")", false, "colour"),
        tag(
            "b",
            20,
            "message.text.contains(\"price\")",
            false,
            "pricing",
        ),
        refund,
    ];
    (before, after)
}

/// A message of the words that the bits name, and whether the changed rules treat it differently:
/// every price does, by its tag or because it was stopped before, and so does a refund after a colour.
fn sentence(bits: u64) -> (String, bool) {
    let has = |bit: u64| bits >> bit & 1 == 1;
    let words: Vec<&str> = [(0, "color"), (1, "price"), (2, "refund")]
        .into_iter()
        .filter_map(|(bit, word)| has(bit).then_some(word))
        .collect();
    (
        format!("about {}", words.join(" and ")),
        has(1) || has(0) && has(2),
    )
}

/// Counts of all that a dry run could have written.
fn written(app: &TestApp) -> Result<Vec<i64>> {
    let database = rusqlite::Connection::open(app.state().join("sqlite/default.db"))?;
    let tables = [
        "changes",
        "outbox",
        "inbox",
        "routing_rules",
        "external_calls",
        "messages",
    ];
    let count = |table: &str| {
        let sql = format!("SELECT count(*) FROM {table}");
        database.query_row(&sql, [], |row| row.get(0))
    };
    Ok(tables.into_iter().map(count).collect::<Result<_, _>>()?)
}

/// Text messages `wamid.0`, …, each by one of twenty customers.
async fn deliver(app: &TestApp, texts: &[String]) -> Result<()> {
    for (index, text) in texts.iter().enumerate() {
        let phone = format!("165055500{:02}", index % 20);
        let delivery = payload::text_delivery(&phone, &format!("wamid.{index}"), text);
        assert_eq!(app.deliver(&delivery).await?.status, 200);
    }
    app.settle().await?;
    eventually("all messages are enriched and routed again", async || {
        for kind in ["enrich", "route"] {
            for state in ["pending", "leased", "sending"] {
                let path = format!("/v1/outbox?kind={kind}&state={state}");
                if !app.list(&path).await?.is_empty() {
                    return Ok(None);
                }
            }
        }
        Ok(Some(()))
    })
    .await
}

#[tokio::test]
async fn the_report_names_exactly_the_messages_whose_actions_differ() -> Result<()> {
    let app = TestApp::start().await?;
    let (before, after) = rules();
    for rule in before.clone() {
        save(&app, rule).await?;
    }
    let sentences: Vec<(String, bool)> = (0..MESSAGES as u64)
        .map(|index| sentence((index ^ SEED).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 61))
        .collect();
    let texts: Vec<String> = sentences.iter().map(|(text, _)| text.clone()).collect();
    deliver(&app, &texts).await?;
    let counts = written(&app)?;

    let (evaluated, same) = all(&app, &json!({ "rules": before })).await?;
    assert_eq!((evaluated, same.len()), (MESSAGES as u64, 0));

    // The first message of each customer is told, too: its place is counted as of then.
    let mut after = after;
    after.push(tag(
        "d",
        40,
        "conversation.message_count == 1",
        false,
        "first",
    ));
    let (evaluated, rows) = all(&app, &json!({ "rules": after })).await?;
    assert_eq!(evaluated, MESSAGES as u64);
    let want: BTreeSet<String> = sentences
        .iter()
        .enumerate()
        .filter(|(index, (_, differs))| *differs || *index < 20)
        .map(|(index, _)| format!("wamid.{index}"))
        .collect();
    assert!(want.len() > 500 && want.len() < 900, "{}", want.len());
    let mut ids = std::collections::BTreeMap::new();
    for conversation in app.list("/v1/conversations").await? {
        let id = conversation["id"].as_str().context("id")?;
        for message in app
            .list(&format!("/v1/conversations/{id}/messages"))
            .await?
        {
            ids.insert(
                message["id"].clone().to_string(),
                message["message"]["id"].clone(),
            );
        }
    }
    let got: BTreeSet<String> = rows
        .iter()
        .filter_map(|row| {
            Some(
                ids.get(&row["message_id"].to_string())?
                    .as_str()?
                    .to_owned(),
            )
        })
        .collect();
    assert_eq!(got.len(), rows.len(), "each once");
    assert_eq!(got, want);
    assert_eq!(written(&app)?, counts, "a dry run writes nothing");
    Ok(())
}

#[tokio::test]
async fn both_runs_of_a_message_are_told_with_their_rules() -> Result<()> {
    let app = TestApp::start().await?;
    save(
        &app,
        tag("now", 1, "message.text == \"hello\"", false, "greets"),
    )
    .await?;
    deliver(&app, &["hello".to_owned(), "goodbye".to_owned()]).await?;
    let candidate = json!({ "rules": [
        tag("now", 1, "message.text == \"hello\"", false, "greets"),
        tag("later", 2, "enrichment.present && message.text == \"hello\"", false, "known"),
    ]});
    let answer = try_rules(&app, "?channel=whatsapp", &candidate)
        .await?
        .json()?;
    assert_eq!(
        (&answer["evaluated"], &answer["differing"]),
        (&json!(2), &json!(1)),
        "{answer}"
    );
    let acts = |side: &str| -> Vec<String> {
        let acts = answer["data"][0][side]
            .as_array()
            .cloned()
            .unwrap_or_default();
        acts.iter()
            .map(|act| {
                format!(
                    "{} {} {}",
                    act["phase"], act["rule_id"], act["action"]["tags"]
                )
            })
            .collect()
    };
    let now = r#""received" "now" ["greets"]"#.to_owned();
    assert_eq!(acts("before"), std::slice::from_ref(&now));
    assert_eq!(
        acts("after"),
        [now, r#""enriched" "later" ["known"]"#.to_owned()]
    );
    for (query, want) in [
        ("?channel=telegram", 0),
        ("?platform_client_id=other", 0),
        ("?since=9999999999999", 0),
        ("?until=9999999999999&limit=1", 1),
    ] {
        let answer = try_rules(&app, query, &candidate).await?.json()?;
        assert_eq!(answer["evaluated"], want, "{query}");
    }
    Ok(())
}

#[tokio::test]
async fn what_would_not_be_saved_is_refused_and_nobody_without_the_key_is_let_in() -> Result<()> {
    let app = TestApp::start().await?;
    deliver(&app, &["hello".to_owned()]).await?;
    let hostile = "contact.tags.exists(a, contact.tags.exists(b, contact.tags.exists(c, contact.tags.exists(d, a == d))))";
    let rule = tag("h", 1, hostile, false, "x");
    let saved = write(&app, Method::POST, "/v1/rules", &rule).await?;
    let tried = try_rules(&app, "", &json!({ "rules": [rule] })).await?;
    assert_eq!(
        (saved.status, tried.status),
        (
            http::StatusCode::UNPROCESSABLE_ENTITY,
            http::StatusCode::UNPROCESSABLE_ENTITY
        )
    );
    assert_eq!(saved.json()?["defects"], tried.json()?["defects"]);
    let file =
        format!("[[rule]]\nname = \"h\"\nwhen = '{hostile}'\nthen = [{{ do = \"enrich\" }}]\n");
    let tried = try_rules(&app, "", &json!({ "file": file })).await?;
    assert_eq!(tried.status, 422);
    assert_eq!(tried.json()?["defects"][0]["line"], 3);
    for (query, body, status, code) in [
        (
            "?limit=1001",
            json!({ "rules": [] }),
            400,
            "invalid_parameter",
        ),
        ("?cursor=x", json!({ "rules": [] }), 400, "invalid_cursor"),
        (
            "?chanel=x",
            json!({ "rules": [] }),
            400,
            "unknown_parameter",
        ),
        ("", json!({}), 400, "invalid_body"),
        ("", json!({ "file": "x".repeat(1 << 20) }), 413, "too_large"),
    ] {
        let answer = try_rules(&app, query, &body).await?;
        assert_eq!(answer.status, status, "{query}");
        assert_eq!(answer.json()?["code"], code, "{query}");
    }
    let answer = app
        .request(Method::POST, "/v1/rules/test", &[], "{}")
        .await?;
    assert_eq!(answer.status, 401);
    Ok(())
}

const FILE: &str = r#"
[[rule]]
name = "greet"
when = 'message.text == "hello"'
then = [{ do = "tag", tags = ["greets"] }]

[[test]]
name = "a greeting is tagged"
facts = { message = { text = "hello" } }
rules = ["greet"]
"#;

const FAILING: &str = r#"
[[test]]
name = "nothing is tagged"
facts = { message = { text = "hello" } }
actions = []
"#;

/// Runs `chatly rules test` over a file of this text.
fn rules_test(text: &str, args: &[&str]) -> Result<Output> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("rules.toml");
    std::fs::write(&path, text)?;
    let mut command = Command::new(chatly());
    command.args(["rules", "test"]).arg(&path).args(args);
    Ok(command.env_remove("SPIN_VARIABLE_API_KEY").output()?)
}

fn said(output: &Output) -> Result<Value> {
    serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn rules_test_tells_by_words_json_and_exit_code() -> Result<()> {
    let failing = format!("{FILE}{FAILING}");
    for (name, text, code, passed, failed) in [
        ("sound", FILE, 0, 1, 0),
        ("failing", failing.as_str(), 1, 1, 1),
    ] {
        let output = rules_test(text, &[])?;
        assert_eq!(output.status.code(), Some(code), "{name}");
        let words = String::from_utf8(output.stdout)?;
        assert!(words.contains("ok      a greeting is tagged"), "{words}");
        assert!(
            words.ends_with(&format!("{passed} passed, {failed} failed\n")),
            "{words}"
        );
        assert_eq!(
            words.contains("FAILED  nothing is tagged"),
            failed == 1,
            "{words}"
        );
        let output = rules_test(text, &["--json"])?;
        assert_eq!(output.status.code(), Some(code), "{name}");
        let report = said(&output)?;
        assert_eq!(
            (&report["passed"], &report["failed"]),
            (&json!(passed), &json!(failed))
        );
        assert_eq!(
            report["tests"].as_array().map(Vec::len),
            Some(passed + failed)
        );
        assert_eq!(
            report["tests"][0],
            json!({ "name": "a greeting is tagged", "line": 7, "failures": [] })
        );
    }
    let unsound = rules_test(
        &FILE.replace("message.text ==", "mesage.text =="),
        &["--json"],
    )?;
    assert_eq!(unsound.status.code(), Some(1));
    assert!(String::from_utf8(unsound.stdout)?.contains("rules.toml:4: rule \"greet\": when:"));
    let absent = Command::new(chatly())
        .args(["rules", "test", "/nowhere/rules.toml"])
        .output()?;
    assert_eq!(absent.status.code(), Some(2));
    Ok(())
}

#[tokio::test]
async fn rules_test_against_a_host_prints_what_would_differ() -> Result<()> {
    let app = TestApp::start().await?;
    deliver(
        &app,
        &["hello".to_owned(), "goodbye".to_owned(), "hello".to_owned()],
    )
    .await?;
    let base = app.base().to_owned();
    let run_as = async |key: &'static str, more: &'static [&'static str]| {
        let base = base.clone();
        tokio::task::spawn_blocking(move || {
            let args = ["--against", &base, "--api-key", key];
            rules_test(FILE, &[&args, more].concat())
        })
        .await?
    };
    let run = async |more| run_as(secrets::API_KEY, more).await;
    let output = run(&["--json"]).await?;
    let report = said(&output)?;
    assert_eq!(output.status.code(), Some(0), "{report}");
    assert_eq!(
        (&report["evaluated"], &report["differing"]),
        (&json!(3), &json!(2))
    );
    assert_eq!(
        report["tests"],
        json!({ "passed": 1, "failed": 0, "not_run": 0, "failures": [] })
    );
    assert_eq!(report["data"][0]["after"][0]["rule_name"], "greet");
    let words = String::from_utf8(run(&[]).await?.stdout)?;
    let end = "3 messages, 2 of them routed differently; tests: 1 passed, 0 failed\n";
    assert!(words.ends_with(end), "{words}");
    let one = said(&run(&["--json", "--limit", "1"]).await?)?;
    assert_eq!(one["evaluated"], 1);
    let refused = run_as("wrong", &[]).await?;
    assert_eq!(refused.status.code(), Some(1));
    let words = String::from_utf8(refused.stderr)?;
    assert!(words.contains("answered 401"), "{words}");
    Ok(())
}
