//! Replies of rules: made with the message that they answer, or kept as jobs until their time.

use std::collections::BTreeMap;

use chatly_canonical::{Convert, DeliveryState, Message};
use chatly_routing::{Reply, Timing};
use chatly_send::Draft;

use crate::bindings::chatly::store::effects::{self as wit, Effect};
use crate::bindings::chatly::store::rows;
use crate::bindings::chatly::store::store::{self, Error, Job, MessageOrder, Page};
use crate::bindings::chatly::types::types::DeliveryState as State;
use crate::facts::standing;
use crate::route::Jobs;

/// The kind of a job that is a reply which waits.
pub const REPLY: &str = "reply";
/// Newest messages that are looked at for one that is unsent, or quiet: as many as a burst has.
const LOOKED_AT: u32 = 50;
/// The longest a queued reply rests before it looks again for the one before it.
const MAX_REST_MS: u64 = 5_000;
const MIN_REST_MS: u64 = 250;

/// What becomes of a job.
pub enum Next {
    /// These effects, and it is done.
    Commit(Vec<Effect>),
    /// It is due again at this time.
    Later(u64),
}

/// The effects of a run's replies. They come last: a reply that is made binds another message.
pub fn effects(replies: &[Reply], channel: &str, make: &Jobs) -> Vec<Effect> {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    let mut keyed = Vec::with_capacity(replies.len());
    for reply in replies {
        let count = counts.entry(&reply.rule_id).or_default();
        *count += 1;
        keyed.push((reply, format!("{}:{count}", reply.rule_id)));
    }
    let (now, later): (Vec<_>, Vec<_>) = keyed
        .into_iter()
        .partition(|(reply, _)| reply.timing == Timing::Each);
    let later = later
        .into_iter()
        .filter_map(|(reply, key)| waiting(reply, key, make));
    let now = now
        .into_iter()
        .flat_map(|(reply, _)| sent(reply, channel, make));
    later.chain(now).collect()
}

/// A reply that waits, about the bound message.
fn waiting(reply: &Reply, key: String, make: &Jobs) -> Option<Effect> {
    let (due_at, within_ms) = reply.due(make.now);
    let payload = serde_json::to_string(reply).ok()?;
    let own = reply.rule_id.clone();
    let job = wit::NewJob {
        due_at,
        ..make.job(REPLY, payload, &key, Some(own))
    };
    Some(match reply.timing {
        Timing::Latest | Timing::DebounceMs(_) => {
            Effect::EnqueueLatest(wit::LatestJob { job, within_ms })
        }
        Timing::Queue | Timing::Each => Effect::Enqueue(job),
    })
}

/// The message in the thread, and its send job.
fn sent(reply: &Reply, channel: &str, make: &Jobs) -> Vec<Effect> {
    let draft = Draft::parse(&reply.message.to_string());
    let content: Option<Message> = draft.ok().and_then(|draft| draft.stored());
    let Some(content) = content else {
        eprintln!("error: a reply is no message: rule={}", reply.rule_id);
        return Vec::new();
    };
    vec![
        Effect::Message(wit::MessageEffect {
            content: content.convert(),
            direction: rows::Direction::Outbound,
            author: rows::Author::Bot,
            standby: false,
            at: make.now,
            state: Some(DeliveryState::Accepted).convert(),
            explanation: None,
        }),
        make.enqueue(&format!("send-{channel}"), reply.payload(), "", None),
    ]
}

/// A reply whose time has come.
pub async fn due(job: &Job, payload: &str, make: &Jobs) -> Result<Next, Error> {
    let reply: Reply = serde_json::from_str(payload)
        .map_err(|_| Error::Invalid("a reply job holds a reply".to_owned()))?;
    let context = store::read_context(job.token.clone(), 0).await?;
    let (Some(conversation), Some(message)) = (context.conversation, context.message) else {
        return Ok(Next::Commit(vec![]));
    };
    if let Some(at) = wait(job, &reply, &conversation, make.now).await? {
        return Ok(Next::Later(at));
    }
    let held = reply.held(&standing(&conversation), make.now);
    let mut effects = vec![Effect::Explanation(wit::ExplanationEffect {
        message_id: message.id,
        json: reply.explained(held),
    })];
    if held.is_none() {
        effects.extend(sent(&reply, &conversation.channel, make));
    }
    Ok(Next::Commit(effects))
}

/// Until when the reply waits longer.
async fn wait(
    job: &Job,
    reply: &Reply,
    conversation: &rows::Conversation,
    now: u64,
) -> Result<Option<u64>, Error> {
    if reply.timing == Timing::Latest {
        return Ok(None);
    }
    let page = Page {
        cursor: None,
        limit: LOOKED_AT,
    };
    let tenant = Some(job.platform_client_id.clone());
    let id = conversation.id.clone();
    let (newest, _) = store::list_messages(tenant, id, MessageOrder::Newest, page).await?;
    if reply.timing == Timing::Queue {
        let unsent = newest.iter().any(|row| {
            row.author == rows::Author::Bot && matches!(row.state, Some(State::Accepted))
        });
        // As long again as it has waited: looking is no attempt, so attempts do not count up.
        let rest = now
            .saturating_sub(job.created_at)
            .clamp(MIN_REST_MS, MAX_REST_MS);
        return Ok(unsent.then(|| now.saturating_add(rest)));
    }
    let theirs = newest
        .iter()
        .find(|row| row.author == rows::Author::Contact);
    Ok(theirs.and_then(|row| reply.wait(row.created_at, job.created_at, now)))
}
