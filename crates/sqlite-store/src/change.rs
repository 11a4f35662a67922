//! What is changed in a conversation by hand or by a rule: status, people, tags, silence.
//!
//! 1. Who of several gets it is decided here, under the write lock, so that of two at once the
//!    second counts the first.
//! 2. A snooze with an end leaves a job that is due then. The job opens the conversation only if it
//!    is snoozed still and its time is over, so a job that comes late or twice does no harm.

use crate::Error;
use crate::commit::Writer;
use crate::connection::{Connection, UNEXPECTED, to_json, values_of};
use crate::contact::CHANGED_TAGS;
use crate::effects::*;
use crate::model::ConversationStatus;

/// The kind of the job that ends a snooze.
const UNSNOOZE: &str = "unsnooze";

impl<C: Connection> Writer<'_, C> {
    pub(crate) async fn change_conversation(
        &mut self,
        change: &ConversationChange,
    ) -> Result<(), Error> {
        let id = self.bound_conversation()?.to_owned();
        let assignee = match &change.pick {
            Some(pick) => self.pick(&id, pick).await?,
            None => change.assignee.clone(),
        };
        self.execute(
            &format!(
                "UPDATE conversations SET tags = {CHANGED_TAGS}, status = coalesce(?3, status),
                    snoozed_until = CASE WHEN ?3 = 'snoozed' THEN ?4
                        WHEN coalesce(?3, status) = 'snoozed' THEN coalesce(?4, snoozed_until) END,
                    priority = coalesce(?5, priority), assignee = nullif(coalesce(?6, assignee), ''), updated_at = ?7,
                    team = nullif(coalesce(?9, team), ''), handover = coalesce(?10, handover),
                    handed_over_at = iif(coalesce(?10, handover) <> handover, ?7, handed_over_at),
                    muted_until = nullif(coalesce(?11, muted_until), 0)
                 WHERE id = ?8"
            ),
            values_of![
                to_json(&change.add_tags)?,
                to_json(&change.remove_tags)?,
                change.status.map(|status| status.as_str()),
                change.snoozed_until,
                change.priority.map(|priority| priority.as_str()),
                assignee,
                self.moment.now,
                id,
                change.team.clone(),
                change.handover.map(|handover| handover.as_str()),
                change.muted_until
            ],
        )
        .await?;
        if let (Some(ConversationStatus::Snoozed), Some(until)) =
            (change.status, change.snoozed_until)
        {
            self.end_snooze_at(until).await?;
        }
        self.tell_conversation("conversation.updated")
    }

    /// Who of `pick` gets the conversation; none when one of them has it already.
    async fn pick(&self, conversation: &str, pick: &Pick) -> Result<Option<String>, Error> {
        if pick.among.is_empty() {
            return Err(Error::Invalid("a pick is among at least one"));
        }
        let among = to_json(&pick.among)?;
        let kept = self
            .execute(
                "SELECT 1 FROM conversations WHERE id = ? AND assignee IN (SELECT value FROM json_each(?))",
                values_of![conversation, &among],
            )
            .await?;
        if !kept.is_empty() {
            return Ok(None);
        }
        match pick.by {
            PickBy::RoundRobin => self.next_in_turn(&pick.among, among).await.map(Some),
            PickBy::LeastBusy => self.least_busy(conversation, among).await.map(Some),
        }
    }

    async fn next_in_turn(&self, list: &[String], among: String) -> Result<String, Error> {
        let size = u32::try_from(list.len()).unwrap_or(u32::MAX);
        let rows = self
            .execute(
                "INSERT INTO assignment_turns (platform_client_id, among, turn) VALUES (?1, ?2, 0)
                 ON CONFLICT DO UPDATE SET turn = (turn + 1) % ?3 RETURNING turn",
                values_of![&self.tenant, among, size],
            )
            .await?;
        let turn = rows.first().ok_or(UNEXPECTED)?.integer(0)?;
        let place = usize::try_from(turn).unwrap_or_default();
        list.get(place).cloned().ok_or(UNEXPECTED)
    }

    async fn least_busy(&self, conversation: &str, among: String) -> Result<String, Error> {
        let rows = self
            .execute(
                "SELECT value FROM json_each(?1) ORDER BY (
                    SELECT count(*) FROM conversations WHERE platform_client_id = ?2 AND assignee = json_each.value
                        AND status IN ('open', 'pending') AND id <> ?3), json_each.key LIMIT 1",
                values_of![among, &self.tenant, conversation],
            )
            .await?;
        Ok(rows.first().ok_or(UNEXPECTED)?.text(0)?.to_owned())
    }

    /// Leaves the job that is due at the end of the bound conversation's snooze.
    pub(crate) async fn end_snooze_at(&mut self, until: u64) -> Result<(), Error> {
        let job = NewJob {
            kind: UNSNOOZE.to_owned(),
            payload: "{}".to_owned(),
            due_at: until,
            ordering_key: None,
            dedupe_key: None,
            traceparent: None,
            about_message: false,
        };
        let within_ms = None;
        self.enqueue_latest(&LatestJob { job, within_ms }).await
    }

    pub(crate) async fn end_snooze(&mut self) -> Result<(), Error> {
        let id = self.bound_conversation()?.to_owned();
        let rows = self
            .execute(
                "UPDATE conversations SET status = 'open', snoozed_until = NULL, updated_at = ?1
                 WHERE id = ?2 AND status = 'snoozed' AND snoozed_until <= ?1 RETURNING id",
                values_of![self.moment.now, id],
            )
            .await?;
        match rows.is_empty() {
            true => Ok(()),
            false => self.tell_conversation("conversation.updated"),
        }
    }
}
