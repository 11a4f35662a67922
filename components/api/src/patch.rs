//! What a person changes in a conversation.

use chatly_api::{Conversation, ConversationPatch, Error, Query};
use chatly_respond::{Response, json};
use http::StatusCode;
use spin_sdk::http::Request;

use crate::bindings::chatly::store::effects::{ConversationChange, Effect};
use crate::bindings::chatly::store::store;
use crate::read::text;
use crate::rows::{Row, failure};
use crate::write::read;

/// Changes a conversation, and answers it as it is then. Doing so twice changes nothing more.
pub async fn change(id: String, query: &Query, request: Request) -> Result<Response, Error> {
    let tenant = text(query, "platform_client_id");
    let patch = ConversationPatch::parse(&read(request).await?)?;
    let found = store::find_conversation(tenant, id).await;
    let found = found.map_err(failure)?;
    let found = found.ok_or(Error::Absent("conversation"))?;
    let change = ConversationChange {
        status: patch.status.map(Row::row),
        snoozed_until: patch.snoozed_until,
        priority: patch.priority.map(Row::row),
        assignee: patch.assignee,
        add_tags: patch.add_tags,
        remove_tags: patch.remove_tags,
        team: patch.team,
        pick: None,
        handover: patch.handover.map(Row::row),
        muted_until: patch.muted_until,
    };
    let tenant = found.platform_client_id;
    let effects = vec![
        Effect::BindConversation(found.id.clone()),
        Effect::ChangeConversation(change),
    ];
    let submitted = store::submit(tenant.clone(), None, effects);
    submitted.await.map_err(failure)?;
    let changed = store::find_conversation(Some(tenant), found.id).await;
    let changed = changed.map_err(failure)?;
    let changed: Conversation = changed.ok_or(Error::Absent("conversation"))?.row();
    Ok(json(StatusCode::OK, &changed))
}
