//! What is said to a customer: stored with its job, then whoever sends on that channel is woken.
//!
//! 1. 201 means stored: the message is in the thread as `accepted`, and its job is durable.
//! 2. With an `Idempotency-Key` a repeat within a day stores nothing and answers the first message
//!    as it is now; another message under the same key is refused.
//! 3. The wake-up comes after the answer and is not awaited; without it the sweep does it.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use chatly_api::{Account, Error, MAX_BODY_BYTES, Query, StoredMessage};
use chatly_canonical::Convert;
use chatly_drain::Calls;
use chatly_respond::{Response, json};
use chatly_send::{Job, Wish};
use http::StatusCode;
use spin_sdk::http::Request;
use spin_sdk::wasip3;

use crate::bindings::chatly::store::effects::{Effect, MessageEffect, NewJob};
use crate::bindings::chatly::store::rows::{Author, Conversation, Direction};
use crate::bindings::chatly::store::store;
use crate::bindings::chatly::types::types::{DeliveryState, Message};
use crate::read::text;
use crate::rows::{Row, failure};
use crate::write::read;

/// The longest idempotency key: as other APIs take it.
const MAX_KEY_BYTES: usize = 255;

/// Stores a message for the conversation, and has it sent.
///
/// Which conversation: the address names it, or the body.
pub async fn send(id: Option<String>, query: &Query, request: Request) -> Result<Response, Error> {
    let tenant = text(query, "platform_client_id");
    let headers = request.headers();
    let key = idempotency_key(headers)?;
    let traceparent = headers.get("traceparent").and_then(|it| it.to_str().ok());
    let traceparent = traceparent.map(str::to_owned);
    let wish = wish(&read(request).await?)?;
    let id = match (id, wish.conversation_id) {
        (Some(id), None) | (None, Some(id)) => id,
        (Some(_), Some(_)) => {
            let why = "The address names the conversation; the body takes no conversation_id.";
            return Err(Error::Body(why.to_owned()));
        }
        (None, None) => return Err(Error::Body("The body needs a conversation_id.".to_owned())),
    };
    let job = wish.job;
    let content: Message = job
        .draft
        .stored()
        .ok_or(Error::Unprocessable(
            "A reaction, a read marker and typing are no messages.",
        ))?
        .convert();
    let asked = id.clone();
    let found = store::find_conversation(tenant, id);
    let conversation = found.await.map_err(failure)?;
    let conversation = conversation.ok_or(Error::Absent("conversation"))?;
    let tenant = conversation.platform_client_id.clone();
    // By the caller's id: a repeat is one also when the conversation was merged into another meanwhile.
    let key = key.map(|key| format!("messages:{asked}:{key}"));
    let effects = effects(&conversation, &job, content.clone(), traceparent);
    let submitted = store::submit(tenant.clone(), key, effects);
    let submitted = submitted.await.map_err(failure)?;
    let message = submitted.message_id.ok_or(Error::Store)?;
    let stored = store::find_message(Some(tenant), message).await;
    let stored = stored.map_err(failure)?.ok_or(Error::Store)?;
    // Only a repeat can bring another message back.
    if !is_same(&stored.content, &content) {
        return Err(Error::KeyReused);
    }
    wake_sender(&conversation.channel);
    let stored: StoredMessage = stored.row();
    Ok(json(StatusCode::CREATED, &stored))
}

/// Lets a stopped account go on, of every tenant that has it unless one is named.
pub async fn resume(
    channel: &str,
    account: &str,
    tenant: Option<String>,
) -> Result<Response, Error> {
    let listed = store::list_accounts(tenant, Some(channel.to_owned())).await;
    let mut found = listed.map_err(failure)?;
    found.retain(|row| row.account == account);
    let Some(first) = found.first().cloned() else {
        return Err(Error::Absent("account"));
    };
    for row in found {
        let resumed = store::resume_account(row.platform_client_id, row.channel, row.account);
        resumed.await.map_err(failure)?;
    }
    wake_sender(channel);
    let tenant = Some(first.platform_client_id.clone());
    let listed = store::list_accounts(tenant, Some(channel.to_owned())).await;
    let row = listed
        .map_err(failure)?
        .into_iter()
        .find(|row| row.account == account);
    let row: Account = row.ok_or(Error::Absent("account"))?.row();
    Ok(json(StatusCode::OK, &row))
}

fn wish(body: &[u8]) -> Result<Wish, Error> {
    if body.len() > MAX_BODY_BYTES {
        return Err(Error::TooLarge);
    }
    let body =
        std::str::from_utf8(body).map_err(|_| Error::Body("The body is not UTF-8.".to_owned()))?;
    Wish::parse(body).map_err(|error| Error::Body(format!("The body is refused: {error}.")))
}

/// One `Idempotency-Key` of visible characters, or none.
fn idempotency_key(headers: &http::HeaderMap) -> Result<Option<String>, Error> {
    let mut values = headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let key = value.to_str().ok().map(str::trim);
    match key.filter(|key| !key.is_empty() && key.len() <= MAX_KEY_BYTES) {
        Some(key) if values.next().is_none() => Ok(Some(key.to_owned())),
        _ => Err(Error::Body(
            "The header Idempotency-Key must be one value of 1 to 255 visible characters."
                .to_owned(),
        )),
    }
}

/// The same message, whatever id the platform gave it meanwhile.
fn is_same(stored: &Message, asked: &Message) -> bool {
    let as_json = |message: &Message| {
        let mut message = message.clone();
        message.id.clear();
        let message: chatly_canonical::Message = message.convert();
        message
    };
    as_json(stored) == as_json(asked)
}

fn effects(
    conversation: &Conversation,
    job: &Job,
    content: Message,
    traceparent: Option<String>,
) -> Vec<Effect> {
    let at = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis());
    let at = u64::try_from(at).unwrap_or(u64::MAX);
    vec![
        Effect::BindConversation(conversation.id.clone()),
        Effect::Message(MessageEffect {
            content,
            direction: Direction::Outbound,
            author: match job.automatic {
                Some(_) => Author::Bot,
                None => Author::Agent,
            },
            standby: false,
            at,
            state: Some(DeliveryState::Accepted),
            explanation: None,
        }),
        Effect::Enqueue(NewJob {
            kind: Job::kind(&conversation.channel),
            payload: job.payload(),
            due_at: at,
            ordering_key: None,
            dedupe_key: Some(String::new()),
            traceparent,
            about_message: true,
        }),
    ]
}

thread_local! {
    static CALLS: std::cell::RefCell<BTreeMap<String, Rc<Calls>>> = const { std::cell::RefCell::new(BTreeMap::new()) };
}

/// Wakes whoever sends on a channel. A channel is the store's word, made from the component's own
/// configuration.
fn wake_sender(channel: &str) {
    wake(format!("deliver-{channel}"));
}

/// Wakes a component of this app; a name that nobody is granted leads nowhere.
pub fn wake(id: String) {
    let calls = CALLS.with_borrow_mut(|calls| calls.entry(id.clone()).or_default().clone());
    wasip3::spawn(async move {
        let target = format!("http://{id}.spin.internal/");
        let post = async || match spin_sdk::http::post(target.clone(), Vec::new()).await {
            Ok(response) if response.status().is_success() => {}
            Ok(response) => eprintln!(
                "warn: not woken: target={target} status={}",
                response.status().as_u16()
            ),
            Err(error) => eprintln!("warn: not woken: target={target} error={error}"),
        };
        calls.wake(post).await;
    });
}
