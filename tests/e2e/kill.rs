//! SIGKILL in the middle of a burst: what was answered 200 is there once, processed, in order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use harness::{Options, TestApp, eventually};
use tokio::sync::{Mutex, Semaphore};

use crate::payload;

const MESSAGES: usize = 500;
const CONVERSATIONS: usize = 25;
/// Senders at once.
const AT_ONCE: usize = 32;

/// One sender a conversation, so that each posts its own messages in order, as a platform does.
async fn burst(app: Arc<TestApp>, kill_after: usize) -> Result<(Vec<String>, tempfile::TempDir)> {
    let answered = Arc::new(Mutex::new(Vec::new()));
    let count = Arc::new(AtomicUsize::new(0));
    let gate = Arc::new(Semaphore::new(AT_ONCE));
    let senders: Vec<_> = (0..CONVERSATIONS)
        .map(|conversation| {
            let (app, answered, count, gate) =
                (app.clone(), answered.clone(), count.clone(), gate.clone());
            tokio::spawn(async move {
                for n in 0..MESSAGES / CONVERSATIONS {
                    let _permit = gate.acquire().await;
                    let id = format!("wamid.{conversation:02}.{n:02}");
                    let delivery =
                        payload::text_delivery(&format!("1650555{conversation:04}"), &id, &id);
                    // After the kill there is nobody to answer; the platform would send it again.
                    let Ok(answer) = app.deliver(&delivery).await else {
                        return;
                    };
                    if answer.status == 200 {
                        answered.lock().await.push(id);
                        count.fetch_add(1, Ordering::SeqCst);
                    }
                }
            })
        })
        .collect();
    eventually("enough is answered", async || {
        Ok((count.load(Ordering::SeqCst) >= kill_after).then_some(()))
    })
    .await?;
    app.signal_kill()?;
    for sender in senders {
        sender.await?;
    }
    let state = Arc::into_inner(app)
        .context("all senders are done")?
        .kill()?;
    Ok((std::mem::take(&mut *answered.lock().await), state))
}

/// Ten moments, from the first answers to the last.
#[tokio::test]
async fn nothing_that_was_answered_is_lost_or_doubled() -> Result<()> {
    for moment in 0..10 {
        let kill_after = 5 + moment * 54;
        let app = Arc::new(TestApp::start().await?);
        let (answered, state) = burst(app, kill_after).await?;
        assert!(answered.len() >= kill_after);

        let app = TestApp::start_with(Options {
            state: Some(state),
            ..Options::default()
        })
        .await?;
        app.settle().await?;
        let mut by_conversation: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for message in app.messages().await? {
            let conversation = message["conversation_id"]
                .as_str()
                .context("conversation")?
                .to_owned();
            let id = message["message"]["id"].as_str().context("id")?.to_owned();
            by_conversation.entry(conversation).or_default().push(id);
        }
        let stored: Vec<_> = by_conversation.values().flatten().collect();
        for id in &answered {
            let times = stored.iter().filter(|stored| **stored == id).count();
            assert_eq!(times, 1, "{id} after a kill at {kill_after}");
        }
        for ids in by_conversation.values() {
            assert!(ids.is_sorted(), "{ids:?} after a kill at {kill_after}");
            assert!(ids.iter().all(|id| id[..8] == ids[0][..8]), "{ids:?}");
        }
        let unfinished = app.list("/v1/inbox?state=buried").await?;
        assert!(unfinished.is_empty(), "{unfinished:#?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_stop_finishes_what_was_answered() -> Result<()> {
    let app = TestApp::start().await?;
    for n in 0..50 {
        let id = format!("wamid.{n:02}");
        assert_eq!(
            app.deliver(&payload::text_delivery("16505551234", &id, &id))
                .await?
                .status,
            200
        );
    }
    let (_, state) = app.stop()?;
    let database = rusqlite::Connection::open(state.path().join("sqlite/default.db"))?;
    let unfinished: i64 = database.query_row(
        "SELECT count(*) FROM inbox WHERE state <> 'done'",
        [],
        |row| row.get(0),
    )?;
    assert_eq!(unfinished, 0);
    Ok(())
}
