//! The largest deliveries: what a platform may send at most, through the sandboxed plugin.

use anyhow::{Context as _, Result, ensure};
use chatly_simulator::{Wish, find};
use harness::{TestApp, secrets};

/// Most bytes that are read of a delivery.
const MOST: usize = 3 << 20;

/// A thousand messages of a thousand people in one delivery of three megabytes: one call of the
/// plugin, within its memory limit.
#[tokio::test]
async fn a_thousand_messages_in_three_megabytes_are_all_stored() -> Result<()> {
    let app = TestApp::start().await?;
    let whatsapp = find("whatsapp").context("whatsapp")?;
    let of = |bytes: usize| {
        let wishes = (0..1_000).map(|seed| Wish {
            kind: "text".to_owned(),
            text: Some("x".repeat(bytes)),
            from: Some(format!("1650555{seed:04}")),
            seed,
            ..Wish::default()
        });
        whatsapp.unsigned(&wishes.collect::<Vec<_>>())
    };
    let frame = of(0)?.body.len();
    let delivery = of((MOST - frame) / 1_000)?;
    ensure!(delivery.body.len() > MOST - 1_000 && delivery.body.len() <= MOST);
    let secret = secrets::signing("whatsapp");
    let delivery = whatsapp.sign(delivery, app.base(), secret, 0);
    assert_eq!(app.deliver(&delivery).await?.status, 200);
    app.settle().await?;
    assert_eq!(app.list("/v1/inbox?state=buried").await?.len(), 0);
    assert_eq!(app.list("/v1/inbox?state=done").await?.len(), 1_000);
    assert_eq!(app.list("/v1/conversations").await?.len(), 1_000);
    Ok(())
}
