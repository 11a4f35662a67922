//! One attempt to fetch one medium, from the lease to what is written about it.
//!
//! 1. The channel says what to ask; the answer may have to be read to know where the medium is.
//! 2. Its bytes are counted, hashed and looked at while they come, and kept part by part. Nobody sees
//!    them before all of them are there and right.
//! 3. Fetching changes nothing on the platform and keeps under one path, so that doing it twice, after
//!    a crash, gives the same.

use std::time::Instant;

use chatly_canonical::Convert;
use chatly_channel::outbound::{Request, Sender};
use chatly_media::answer::{Cause, Next, again};
use chatly_media::layout::{self, Head};
use chatly_media::{Fault, Intake, Part};
use chatly_webhook::Attempt;
use serde::Deserialize;

use super::exchange::{Exchange, Missed, later, never};
use super::settings::Media;
use crate::attempt::insist;
use crate::bindings::chatly::channel::channel::{self, MediaStep};
use crate::bindings::chatly::media::media;
use crate::bindings::chatly::store::effects::{Effect, MediaEffect};
use crate::bindings::chatly::store::rows::{ExternalCall, MediaState, StoredMedia, StoredMessage};
use crate::bindings::chatly::store::store::{self, Error, Job, Payload};
use crate::bindings::chatly::types::types;
use crate::clock::{random, unix_millis};
use crate::convert::request;
use crate::settings::Settings;

/// What a job carries besides the ids, which the store adds.
#[derive(Deserialize)]
struct Wanted {
    index: u32,
}

/// Makes the attempt. What the store does not take is left to the lease's end.
pub async fn run(job: Job, sending: &Settings, media: &Media) {
    let (seq, number) = (job.seq, job.attempt);
    if let Err(error) = settle(job, sending, media).await {
        eprintln!("warn: fetch not settled: seq={seq} attempt={number} error={error:?}");
    }
}

async fn settle(job: Job, sending: &Settings, settings: &Media) -> Result<(), Error> {
    let wanted: Option<Wanted> = match &job.payload {
        Payload::Json(json) => serde_json::from_str(json).ok(),
        Payload::Event(_) => None,
    };
    let Some(Wanted { index }) = wanted else {
        return bury(&job, "the payload is no job to fetch a medium").await;
    };
    let context = store::read_context(job.token.clone(), 0).await?;
    let Some(message) = context.message else {
        return bury(&job, "the message is gone").await;
    };
    let place = usize::try_from(index).unwrap_or(usize::MAX);
    let Some(medium) = message.content.media.get(place).cloned() else {
        return bury(&job, "the message has no such medium").await;
    };
    let (sender, token) = sending.sender(&message.account);
    let mut fetch = Fetch {
        exchange: Exchange {
            allowed: settings.allowed(&sender),
            token,
            deadline: Instant::now() + settings.timeout,
            row: row(&job, &message),
            calls: Vec::new(),
        },
        path: layout::path(&message.id, index),
        settings,
        is_begun: false,
    };
    let came = fetch.run(&sender, medium).await;
    let work = Work {
        job,
        message_id: message.id,
        index,
        path: fetch.path.clone(),
    };
    let calls = std::mem::take(&mut fetch.exchange.calls);
    match came {
        Ok(head) => work.stored(calls, head).await,
        Err(Missed::Absent(reason)) => {
            let media = work.media(MediaState::Failed, Some(reason));
            work.commit(calls, media).await
        }
        Err(Missed::Never(reason)) => {
            fetch.clear().await;
            work.failed(calls, reason).await
        }
        Err(Missed::Broken(reason)) => match again(Cause::Medium, &reason, None, work.attempt()) {
            Next::Retry { at, reason } => work.put_off(calls, at, reason).await,
            Next::Failed { reason } => {
                fetch.clear().await;
                work.failed(calls, reason).await
            }
        },
        Err(Missed::Later(reason, retry_after)) => {
            match again(
                Cause::World,
                &reason,
                retry_after.as_deref(),
                work.attempt(),
            ) {
                Next::Retry { at, reason } => work.put_off(calls, at, reason).await,
                Next::Failed { reason } => {
                    fetch.clear().await;
                    work.failed(calls, reason).await
                }
            }
        }
    }
}

fn row(job: &Job, message: &StoredMessage) -> ExternalCall {
    ExternalCall {
        kind: "media".to_owned(),
        target: String::new(),
        status: None,
        millis: 0,
        attempt: job.attempt,
        at: 0,
        error: None,
        conversation_id: Some(message.conversation_id.clone()),
        message_id: Some(message.id.clone()),
        details: None,
    }
}

/// A medium on its way.
struct Fetch<'a> {
    exchange: Exchange<'a>,
    path: String,
    settings: &'a Media,
    /// Something of it was put.
    is_begun: bool,
}

impl Fetch<'_> {
    async fn run(&mut self, sender: &Sender, medium: types::Media) -> Result<Head, Missed> {
        let from = sender.clone().convert();
        let (mut sha256, mut bytes) = (medium.sha256.clone(), medium.bytes);
        let request = match channel::fetch_media(&from, &medium) {
            MediaStep::Download(step) => request(step),
            MediaStep::Ask(step) => {
                let answer = self.exchange.open(request(step)).await?;
                let body = self.exchange.whole(answer).await?;
                let located = channel::read_media(&from, &body).map_err(|words| later(&words))?;
                sha256 = located.sha256.or(sha256);
                bytes = located.bytes.or(bytes);
                request(located.request)
            }
            MediaStep::Absent(words) => return Err(Missed::Absent(format!("absent: {words}"))),
        };
        self.download(request, sha256.as_deref(), bytes).await
    }

    async fn download(
        &mut self,
        request: Request,
        sha256: Option<&str>,
        announced: Option<u64>,
    ) -> Result<Head, Missed> {
        let (max_bytes, types) = (self.settings.max_bytes, self.settings.types.clone());
        let mut intake = Intake::new(max_bytes, types, sha256);
        intake.announce(announced).map_err(missed)?;
        let mut answer = self.exchange.open(request).await?;
        intake.announce(answer.bytes).map_err(missed)?;
        while let Some(bytes) = self.exchange.next(&mut answer).await? {
            for part in intake.push(&bytes).map_err(missed)? {
                self.keep(part).await?;
            }
        }
        let (last, head) = intake.finish().map_err(missed)?;
        if let Some(part) = last {
            self.keep(part).await?;
        }
        let object = media::Object {
            mime_type: head.mime_type.clone(),
            bytes: head.bytes,
            sha256: head.sha256.clone(),
            parts: head.parts,
        };
        let finished = media::finish(nowhere(), self.path.clone(), object).await;
        finished.map_err(|error| unkept(&error))?;
        Ok(head)
    }

    async fn keep(&mut self, part: Part) -> Result<(), Missed> {
        self.is_begun = true;
        let put = media::put_part(nowhere(), self.path.clone(), part.index, part.bytes).await;
        put.map_err(|error| unkept(&error))
    }

    /// Nothing is left of what will never be whole.
    async fn clear(&self) {
        if self.is_begun
            && let Err(error) = media::delete(nowhere(), self.path.clone()).await
        {
            eprintln!("warn: parts of a medium are left: error={error:?}");
        }
    }
}

/// The embedded store needs no address: it is what the component is granted.
fn nowhere() -> media::Target {
    media::Target {
        base_url: String::new(),
        key: String::new(),
        bucket: String::new(),
    }
}

fn missed(fault: Fault) -> Missed {
    match fault.is_final() {
        true => never(&fault.to_string()),
        false => Missed::Broken(fault.to_string()),
    }
}

fn unkept(error: &media::Error) -> Missed {
    eprintln!("error: a medium cannot be kept: error={error:?}");
    match error {
        media::Error::TooLarge(most) => never(&format!("too_large: more than {most} bytes")),
        _ => later("the store of media failed"),
    }
}

/// What is written about the attempt.
struct Work {
    job: Job,
    message_id: String,
    index: u32,
    path: String,
}

impl Work {
    async fn stored(&self, calls: Vec<ExternalCall>, head: Head) -> Result<(), Error> {
        let mut media = self.media(MediaState::Stored, None);
        media.path = Some(self.path.clone());
        media.mime_type = Some(head.mime_type);
        media.bytes = Some(head.bytes);
        media.sha256 = Some(head.sha256);
        self.commit(calls, media).await
    }

    async fn commit(&self, calls: Vec<ExternalCall>, media: StoredMedia) -> Result<(), Error> {
        let effects = self.effects(calls, media);
        let token = &self.job.token;
        insist(async || {
            store::commit(token.clone(), effects.clone())
                .await
                .map(drop)
        })
        .await
    }

    async fn put_off(
        &self,
        calls: Vec<ExternalCall>,
        at: u64,
        reason: String,
    ) -> Result<(), Error> {
        let (seq, number) = (self.job.seq, self.job.attempt);
        eprintln!("warn: fetch put off: seq={seq} attempt={number} reason={reason:?}");
        let media = self.media(MediaState::Pending, Some(reason.clone()));
        self.write(calls, media).await?;
        let token = &self.job.token;
        insist(async || store::retry(token.clone(), at, reason.clone()).await).await
    }

    async fn failed(&self, calls: Vec<ExternalCall>, reason: String) -> Result<(), Error> {
        let media = self.media(MediaState::Failed, Some(reason.clone()));
        self.write(calls, media).await?;
        bury(&self.job, &reason).await
    }

    async fn write(&self, calls: Vec<ExternalCall>, media: StoredMedia) -> Result<(), Error> {
        let mut effects = vec![Effect::BindJob(self.job.seq)];
        effects.extend(self.effects(calls, media));
        let tenant = &self.job.platform_client_id;
        let submit = async || store::submit(tenant.clone(), None, effects.clone()).await;
        insist(submit).await.map(drop)
    }

    fn effects(&self, calls: Vec<ExternalCall>, media: StoredMedia) -> Vec<Effect> {
        let message_id = Some(self.message_id.clone());
        let calls = calls.into_iter().map(Effect::ExternalCall);
        let media = Effect::Media(MediaEffect { message_id, media });
        calls.chain([media]).collect()
    }

    fn media(&self, state: MediaState, error: Option<String>) -> StoredMedia {
        StoredMedia {
            index: self.index,
            state,
            path: None,
            mime_type: None,
            bytes: None,
            sha256: None,
            error,
        }
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            number: self.job.attempt,
            // A replay starts anew.
            created_at: self.job.replayed_at.unwrap_or(self.job.created_at),
            now: unix_millis(),
            random: random(),
        }
    }
}

async fn bury(job: &Job, reason: &str) -> Result<(), Error> {
    let (seq, number) = (job.seq, job.attempt);
    eprintln!("error: fetch buried: seq={seq} attempt={number} reason={reason:?}");
    insist(async || store::bury(job.token.clone(), reason.to_owned()).await).await
}
