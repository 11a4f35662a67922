//! The last moment before a request goes out: one transaction that marks it or says why not.
//!
//! 1. An account that is stopped with the token in use lets nothing out; with another token it goes
//!    on by itself.
//! 2. An automatic message does not go out over a person's head, nor to somebody who opted out. Once its
//!    first request went out, it is brought to its end.
//!    It does not go out either when machines may be talking to each other (see `guard`).
//! 3. What is too fast is given back and comes again in its turn (see `pace`): no place in flight
//!    is held by waiting. So does everything of an account that the platform called too fast.
//! 4. What the platform has is not sent again: a first request of a message that is known by the
//!    platform's id, and more requests than the message had when its first was marked.

use crate::accounts::{STOPPED, resume};
use crate::connection::{Connection, Row, to_json, transaction, values_of};
use crate::guard::{self, Looping};
use crate::jobs::{parse_token, update};
use crate::pace::{self, PERMIT_MS, Pace};
use crate::{Error, Moment};

/// When a job of a stopped account is due: the end of the year 9999, since `due_at` is never null.
pub(crate) const NEVER: u64 = 253_402_300_799_000;

/// What decides whether a request goes out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gate {
    /// Says which access token is used; blank for none.
    pub token_digest: String,
    /// How fast requests may go out.
    pub paces: Vec<Pace>,
    /// When an automatic message was decided, in Unix milliseconds.
    pub decided_at: Option<u64>,
    /// It announces a handover to a person, which does not keep it back then.
    pub announces: bool,
    /// How many requests the message has; 0 where nobody knows.
    pub requests: u32,
}

/// Whether a request goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clearance {
    /// Marked.
    Go,
    /// Given back, due then.
    Later(u64),
    /// Not marked: a person took over.
    TakenOver,
    /// Not marked: the contact opted out.
    OptedOut,
    /// Not marked: machines may be talking to each other.
    Looping(Looping),
    /// Not marked: the platform has this one.
    AlreadySent,
}

/// Marks that request number `step` of the job is about to go out, if it may.
pub async fn mark_sending<C: Connection>(
    connection: &C,
    moment: Moment,
    token: &str,
    step: u32,
    gate: &Gate,
) -> Result<Clearance, Error> {
    let (table, seq) = parse_token(token)?;
    if table == "inbox" {
        // An event has no steps and goes nowhere.
        update(connection, moment, token, "state = 'sending'", vec![]).await?;
        return Ok(Clearance::Go);
    }
    transaction(connection, async || {
        let rows = connection
            .execute(
                "SELECT json_object('tenant', o.platform_client_id, 'permit_at', o.permit_at, 'conversation', v.id, 'message', m.id,
                    'channel', v.channel, 'account', v.account, 'sent', json(coalesce(v.paced, '[]')),
                    'free_us', coalesce(a.free_us, 0), 'health', coalesce(a.health, 'ok'),
                    'token_digest', coalesce(a.token_digest, ''), 'opted_out', c.opt_granted IS 0,
                    'held_until', coalesce(a.held_until, 0), 'requests', o.requests, 'named', m.external_id IS NOT NULL,
                    'human', coalesce(v.last_human_at, -1), 'kept', v.handover = 'human' OR coalesce(v.muted_until, 0) > ?)
                 FROM outbox o LEFT JOIN conversations v ON v.id = o.conversation_id
                 LEFT JOIN channel_accounts a ON a.channel = v.channel AND a.account = v.account
                    AND a.platform_client_id = v.platform_client_id
                 LEFT JOIN social_contacts c ON c.id = v.contact_id AND v.chat IS NULL
                 LEFT JOIN messages m ON m.id = o.message_id
                 WHERE o.seq = ? AND o.token = ? AND o.state IN ('leased', 'sending') AND o.due_at > ?",
                values_of![moment.now, seq, token, moment.now],
            )
            .await?;
        let known = rows.first().map(|row: &Row| row.json(0)).transpose()?;
        let known = known.ok_or(Error::Stale)?;
        let attempt = Attempt { connection, moment, token, step, gate };
        attempt.pass(&known).await
    })
    .await
}

/// What is known of a job when it is about to go out.
#[derive(serde::Deserialize)]
struct Known {
    tenant: String,
    permit_at: Option<u64>,
    conversation: Option<String>,
    message: Option<String>,
    channel: Option<String>,
    account: Option<String>,
    sent: Vec<u64>,
    free_us: u64,
    health: String,
    token_digest: String,
    opted_out: u8,
    held_until: u64,
    requests: Option<u32>,
    named: u8,
    /// When a person on our side wrote last; -1 for never.
    human: i64,
    /// A person has the conversation, or it is muted. None without a conversation.
    kept: Option<u8>,
}

struct Attempt<'a, C> {
    connection: &'a C,
    moment: Moment,
    token: &'a str,
    step: u32,
    gate: &'a Gate,
}

impl<C: Connection> Attempt<'_, C> {
    async fn pass(&self, known: &Known) -> Result<Clearance, Error> {
        let is_sent = match self.step {
            0 => known.named != 0,
            step => known.requests.is_some_and(|requests| step >= requests),
        };
        if is_sent {
            return Ok(Clearance::AlreadySent);
        }
        if let Some(clearance) = self.held(known).await? {
            return Ok(clearance);
        }
        if let Some(clearance) = self.unwanted(known) {
            return Ok(clearance);
        }
        if let Some(looping) = self.looping(known).await? {
            return Ok(Clearance::Looping(looping));
        }
        if known.held_until > self.moment.now {
            return self.later(known.held_until, None).await;
        }
        let (now, paces) = (self.moment.now, &self.gate.paces);
        let free_at = pace::free_at(&known.sent, paces);
        if free_at > now {
            return self.later(free_at, known.permit_at).await;
        }
        match known.permit_at {
            Some(at) if at > now => return self.later(at, Some(at)).await,
            Some(at) if now - at <= PERMIT_MS => {}
            _ => {
                if let Some(at) = self.take_slot(known).await?
                    && at > now
                {
                    return self.later(at, Some(at)).await;
                }
            }
        }
        if let (Some(conversation), Some(sent)) = (
            &known.conversation,
            pace::count(known.sent.clone(), paces, now),
        ) {
            let sql = "UPDATE conversations SET paced = ? WHERE id = ?";
            let values = values_of![to_json(&sent)?, conversation];
            self.connection.execute(sql, values).await?;
        }
        // The first request says how many there are.
        let set = "state = 'sending', step = ?1, permit_at = NULL,
            requests = iif(?1 = 0, nullif(?2, 0), coalesce(requests, nullif(?2, 0)))";
        let values = values_of![self.step, self.gate.requests];
        update(self.connection, self.moment, self.token, set, values).await?;
        Ok(Clearance::Go)
    }

    /// Whether the account is stopped. One that was stopped with another token is not.
    async fn held(&self, known: &Known) -> Result<Option<Clearance>, Error> {
        if known.health != STOPPED {
            return Ok(None);
        }
        if known.token_digest == self.gate.token_digest {
            return self.later(NEVER, None).await.map(Some);
        }
        if let (Some(channel), Some(account)) = (&known.channel, &known.account) {
            resume(
                self.connection,
                self.moment,
                &known.tenant,
                channel,
                account,
            )
            .await?;
        }
        Ok(None)
    }

    /// Whether an automatic message should not go out any more.
    fn unwanted(&self, known: &Known) -> Option<Clearance> {
        let decided_at = self.gate.decided_at.filter(|_| self.step == 0)?;
        let kept = known.kept? != 0;
        if known.opted_out != 0 {
            return Some(Clearance::OptedOut);
        }
        let answered = u64::try_from(known.human).is_ok_and(|at| at >= decided_at);
        (answered || kept && !self.gate.announces).then_some(Clearance::TakenOver)
    }

    /// Which limit of automatic messages the one at hand breaks. One that announces that a person takes
    /// over ends the talk, as a person's would.
    async fn looping(&self, known: &Known) -> Result<Option<Looping>, Error> {
        match &known.message {
            Some(message) if self.gate.decided_at.is_some() && self.step == 0 => {
                guard::find(self.connection, message).await
            }
            _ => Ok(None),
        }
    }

    /// Takes the account's next slot; none when it has no pace.
    async fn take_slot(&self, known: &Known) -> Result<Option<u64>, Error> {
        let (Some(channel), Some(account)) = (&known.channel, &known.account) else {
            return Ok(None);
        };
        let now = self.moment.now;
        let Some((slot, free_us)) = pace::slot(known.free_us, &self.gate.paces, now) else {
            return Ok(None);
        };
        self.connection
            .execute(
                "INSERT INTO channel_accounts (platform_client_id, channel, account, created_at, free_us)
                 VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET free_us = excluded.free_us",
                values_of![&known.tenant, channel, account, now, free_us],
            )
            .await?;
        Ok(Some(slot))
    }

    /// Gives the job back.
    async fn later(&self, at: u64, permit_at: Option<u64>) -> Result<Clearance, Error> {
        let reason = match at {
            NEVER => "the account is stopped",
            _ => "waits for its turn",
        };
        let set = "state = 'pending', token = NULL, starts = starts - 1, attempts = attempts - 1,
            due_at = ?, step = ?, permit_at = ?, error = coalesce(error, ?)";
        let values = values_of![at, self.step, permit_at, reason];
        update(self.connection, self.moment, self.token, set, values).await?;
        Ok(Clearance::Later(at))
    }
}
