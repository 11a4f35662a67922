//! Tenants with local times of their own.

use anyhow::{Context, Result, ensure};
use chatly_simulator::{Wish, find as platform};
use harness::{Options, TestApp, eventually};
use serde_json::{Value, json};

use crate::routing::save;

/// Tenant, account and secret.
const TENANTS: [(&str, &str, &str); 3] = [
    ("day", "111", "secret-of-day"),
    ("night", "222", "secret-of-night"),
    ("any", "333", "secret-of-any"),
];

async fn start(document: &str) -> Result<TestApp> {
    let accounts = TENANTS.map(|(tenant, account, secret)| {
        json!({ "channel": "whatsapp", "account": account, "platform_client_id": tenant, "secrets": [secret] })
    });
    let mut options = Options::default();
    let variables = [
        ("accounts", json!(accounts).to_string()),
        ("tenants", document.to_owned()),
        ("time_zone", "Europe/London".to_owned()),
        // Everybody is always open.
        ("business_hours", "mon-sun 00:00-24:00".to_owned()),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    options.variables.extend(variables);
    let app = TestApp::start_with(options).await?;
    for (tenant, ..) in TENANTS {
        let rule = |id: &str, when: &str| {
            json!({ "id": id, "platform_client_id": tenant, "name": id, "when": when,
                "then": [{ "do": "tag", "tags": [id] }] })
        };
        save(&app, rule("open", "time.business_hours")).await?;
        save(&app, rule("closed", "!time.business_hours")).await?;
        for zone in ["Asia/Kolkata", "America/New_York", "Europe/London"] {
            save(&app, rule(zone, &format!("time.zone == \"{zone}\""))).await?;
        }
    }
    Ok(app)
}

/// The tags that a message of this tenant's customer gives its conversation.
async fn tags(app: &TestApp, (tenant, account, secret): (&str, &str, &str)) -> Result<Value> {
    let whatsapp = platform("whatsapp").context("whatsapp")?;
    let wish = Wish {
        kind: "text".into(),
        account: Some(account.into()),
        ..Wish::default()
    };
    let delivery = whatsapp.sign(whatsapp.unsigned(&[wish])?, app.base(), secret, 0);
    ensure!(app.deliver(&delivery).await?.status == 200, "{tenant}");
    let path = format!("/v1/conversations?platform_client_id={tenant}");
    eventually("the rules have decided", async || {
        let found = app.list(&path).await?;
        let tags = found.first().map(|row| row["tags"].clone());
        Ok(tags.filter(|tags| tags.as_array().is_some_and(|tags| !tags.is_empty())))
    })
    .await
}

/// Hours that hold at any moment, and hours that hold at none: of today there are none, whatever today is.
fn document() -> Result<String> {
    let now = std::time::UNIX_EPOCH.elapsed()?.as_secs();
    // The first of January 1970 was a Thursday. The days around today, in any zone, are left out.
    let days = ["thu", "fri", "sat", "sun", "mon", "tue", "wed"];
    let today = usize::try_from(now / 86_400 % 7)?;
    let far = days[(today + 3) % 7];
    Ok(json!([
        { "platform_client_id": "day", "time_zone": "Asia/Kolkata" },
        { "platform_client_id": "night", "time_zone": "America/New_York",
            "business_hours": format!("{far} 09:00-17:00") },
    ])
    .to_string())
}

#[tokio::test]
async fn a_rule_decides_by_the_hours_of_the_messages_tenant() -> Result<()> {
    let app = start(&document()?).await?;
    for (tenant, want) in TENANTS.into_iter().zip([
        json!(["Asia/Kolkata", "open"]),
        json!(["America/New_York", "closed"]),
        json!(["Europe/London", "open"]),
    ]) {
        assert_eq!(tags(&app, tenant).await?, want, "{tenant:?}");
    }
    let (output, _) = app.stop()?;
    assert!(!output.contains("local time not read"), "{output}");
    Ok(())
}

/// Messages are stored and routed all the same: by everybody's time.
#[tokio::test]
async fn a_document_that_cannot_be_read_is_told_with_its_place_and_no_part_of_it_counts()
-> Result<()> {
    let broken = document()?.replace("business_hours", "hours");
    let app = start(&broken).await?;
    for tenant in TENANTS {
        let want = json!(["Europe/London", "open"]);
        assert_eq!(tags(&app, tenant).await?, want, "{tenant:?}");
    }
    let (output, _) = app.stop()?;
    let told = output
        .lines()
        .find(|line| line.contains("local time not read"))
        .context("an error is logged")?;
    for words in [
        "`tenants` is no JSON list",
        "business_hours?",
        "line 1, column",
    ] {
        assert!(told.contains(words), "{told}");
    }
    Ok(())
}
