//! Every channel through the real host: a signed delivery becomes the events that its plugin says,
//! what is not genuine stays out, and nothing of two accounts or tenants collides.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use chatly_simulator::{ALL, Delivery, Platform, Wish, find};
use harness::{Options, TestApp, secrets};
use serde_json::{Value, json};

fn now() -> Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
}

/// Signed as the platform does, with the secret that the app under test has for the channel.
fn signed(app: &TestApp, platform: &dyn Platform, delivery: Delivery) -> Result<Delivery> {
    Ok(platform.sign(
        delivery,
        app.base(),
        secrets::signing(platform.name()),
        now()?,
    ))
}

/// The keys of all events in the inbox, of one channel.
async fn keys(app: &TestApp, channel: &str) -> Result<BTreeSet<String>> {
    let rows = app.list("/v1/inbox").await?;
    let events = rows.iter().map(|row| &row["event"]);
    Ok(events
        .filter(|event| event["channel"] == channel)
        .filter_map(|event| event["key"].as_str().map(str::to_owned))
        .collect())
}

#[tokio::test]
async fn every_kind_of_every_platform_reaches_the_api() -> Result<()> {
    let app = TestApp::start().await?;
    for platform in ALL {
        let channel = platform.name();
        let plugin = chatly_channels::find(channel).context(channel)?;
        let mut want = BTreeSet::new();
        for (seed, kind) in (1..).zip(platform.kinds()) {
            let wish = Wish {
                kind: kind.to_owned(),
                seed,
                ..Wish::default()
            };
            let delivery = signed(&app, platform, platform.unsigned(&[wish])?)?;
            let answer = app.deliver(&delivery).await?;
            assert!(
                answer.status.is_success(),
                "{channel} {kind}: {} {}",
                answer.status,
                String::from_utf8_lossy(&answer.body)
            );
            let received = delivery.received_at(app.base());
            let account = delivery.path.split('/').nth(3);
            let secrets = [secrets::verifying(channel)];
            let is_handshake = (plugin.handshake)(&received, &[], &secrets, now()?).is_some();
            if !is_handshake {
                let events = (plugin.parse)(&received, account);
                want.extend(events.into_iter().map(|event| event.key));
            }
        }
        assert_eq!(keys(&app, channel).await?, want, "{channel}");
        assert!(!want.is_empty(), "{channel}");
    }
    app.settle().await?;
    let buried = app.list("/v1/inbox?state=buried").await?;
    assert_eq!(buried, Vec::<Value>::new());
    Ok(())
}

#[tokio::test]
async fn what_the_platform_did_not_sign_stays_out() -> Result<()> {
    let app = TestApp::start().await?;
    for platform in ALL {
        let channel = platform.name();
        let kind = platform.kinds()[0].to_owned();
        let wish = Wish {
            kind,
            ..Wish::default()
        };
        let unsigned = platform.unsigned(std::slice::from_ref(&wish))?;
        let answer = app.deliver(&unsigned).await?;
        assert_eq!(answer.status, 401, "{channel}, unsigned");
        let other = secrets::other_signing(channel);
        let delivery = platform.sign(unsigned.clone(), app.base(), other, now()?);
        let answer = app.deliver(&delivery).await?;
        assert_eq!(answer.status, 401, "{channel}, another secret");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert!(keys(&app, channel).await?.is_empty(), "{channel}");
    }
    Ok(())
}

#[tokio::test]
async fn a_channel_without_a_secret_refuses_everything() -> Result<()> {
    let mut options = Options::default();
    for platform in ALL {
        let name = format!("{}_app_secret", platform.name());
        if platform.name() != "whatsapp" {
            options.variables.insert(name, String::new());
        }
    }
    let app = TestApp::start_with(options).await?;
    for platform in ALL.into_iter().filter(|it| it.name() != "whatsapp") {
        let kind = platform.kinds()[0].to_owned();
        let delivery = platform.unsigned(&[Wish {
            kind,
            ..Wish::default()
        }])?;
        let answer = app.deliver(&signed(&app, platform, delivery)?).await?;
        assert_eq!(answer.status, 503, "{}", platform.name());
    }
    Ok(())
}

/// Two bots count their updates by themselves, so the same number comes twice.
#[tokio::test]
async fn two_bots_with_the_same_update_do_not_collide() -> Result<()> {
    let app = TestApp::start().await?;
    let telegram = find("telegram").context("telegram")?;
    let delivery = telegram.unsigned(&[Wish {
        kind: telegram.kinds()[0].to_owned(),
        ..Wish::default()
    }])?;
    for bot in ["bot-one", "bot-two"] {
        let path = format!("/webhooks/telegram/{bot}");
        let delivery = signed(
            &app,
            telegram,
            Delivery {
                path,
                ..delivery.clone()
            },
        )?;
        assert_eq!(app.deliver(&delivery).await?.status, 200, "{bot}");
    }
    app.settle().await?;
    let accounts: BTreeSet<_> = app
        .messages()
        .await?
        .iter()
        .map(|message| message["account"].to_string())
        .collect();
    assert_eq!(app.messages().await?.len(), 2);
    assert_eq!(
        app.list("/v1/conversations").await?.len(),
        2,
        "{accounts:?}"
    );
    let without = Delivery {
        path: "/webhooks/telegram".into(),
        ..delivery
    };
    assert_eq!(
        app.deliver(&signed(&app, telegram, without)?).await?.status,
        404
    );
    Ok(())
}

/// A tenant's secret speaks for that tenant's accounts alone.
#[tokio::test]
async fn a_secret_of_one_account_carries_no_events_of_another() -> Result<()> {
    let accounts = json!([
        { "channel": "whatsapp", "account": "111", "platform_client_id": "one", "secrets": ["secret-of-one"] },
        { "channel": "whatsapp", "account": "222", "platform_client_id": "two", "secrets": ["secret-of-two"] },
    ]);
    let mut options = Options::default();
    options
        .variables
        .insert("accounts".into(), accounts.to_string());
    let app = TestApp::start_with(options).await?;
    let whatsapp = find("whatsapp").context("whatsapp")?;
    for (account, secret, want) in [
        ("111", "secret-of-one", 200),
        ("222", "secret-of-two", 200),
        ("222", "secret-of-one", 401),
        ("111", secrets::WHATSAPP_APP[0], 401),
    ] {
        let wish = Wish {
            kind: "text".into(),
            account: Some(account.into()),
            ..Wish::default()
        };
        let delivery = whatsapp.sign(whatsapp.unsigned(&[wish])?, app.base(), secret, now()?);
        assert_eq!(
            app.deliver(&delivery).await?.status,
            want,
            "{account} {secret}"
        );
    }
    app.settle().await?;
    let mut tenants: Vec<_> = app
        .list("/v1/conversations")
        .await?
        .iter()
        .map(|it| it["platform_client_id"].clone())
        .collect();
    tenants.sort_by_key(Value::to_string);
    assert_eq!(tenants, [json!("one"), json!("two")]);
    Ok(())
}
