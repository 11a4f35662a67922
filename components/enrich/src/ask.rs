//! One provider asked about one conversation: memory, circuit, budget, call.
//!
//! 1. What was answered today to the same question is not asked again.
//! 2. A provider that failed so often in a row that its circuit is open is left alone, but for one call
//!    now and then.
//! 3. The call is set aside in the store before it is made. Whatever becomes of it is written at once.
//! 4. What came of it stands in `external_calls` (see `record`).

use chatly_drain::{Store as _, retry_delay_ms};
use chatly_providers::{Api, Chain, Failure, Provider, answer_key, day, estimate};

use crate::bindings::chatly::enricher::enricher::{self, Error as Unanswered};
use crate::bindings::chatly::store::effects::{Effect, EndpointAttempt, EndpointOutcome};
use crate::bindings::chatly::store::rows::StoredMessage;
use crate::bindings::chatly::store::store::{self, Error, Job};
use crate::bindings::chatly::store::understanding as wit;
use crate::bindings::chatly::types::enrichment::{RedactedTurn, Request, Role};
use crate::record::{Told, Used, why};
use crate::{Store, json as form, window};

/// Failures in a row that open a circuit.
const OPEN_AFTER: u32 = 5;
/// How long an open circuit rests between calls.
const REST_MS: u64 = 30_000;
/// What is remembered was answered on the same day, as UTC counts days.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// With less time than this a call would be paid for and never read.
const LEAST_MS: u32 = 500;

/// What is asked, whoever is asked it.
pub struct Question<'a> {
    /// When the job was begun.
    pub now: u64,
    /// All that a model is told beside the conversation.
    pub prompt: String,
    /// The same as it was told when the day began: what is remembered counts for a day.
    todays: String,
    pub job: &'a Job,
    pub message: &'a StoredMessage,
    pub chain: &'a Chain,
    /// Whether each call is told to a collector.
    pub traces: bool,
    window: &'a [RedactedTurn],
    request: Request,
}

/// An answer, as JSON of the redacted text, and what is written with it.
pub struct Answer {
    pub json: String,
    pub effects: Vec<Effect>,
}

/// What came of asking.
pub enum Asked {
    Answered(Answer),
    /// Another provider may answer.
    Failed(Failure),
    /// No other may be asked either.
    Stop,
}

impl<'a> Question<'a> {
    /// A question about the last turn of `window`.
    pub fn new(
        job: &'a Job,
        message: &'a StoredMessage,
        window: &'a [RedactedTurn],
        (chain, traces): (&'a Chain, bool),
        now: u64,
    ) -> Self {
        let request = window::request(chain, now);
        let told = |now| {
            chatly_understand::instructions(&chatly_understand::Request {
                intents: request.intents.clone(),
                languages: request.languages.clone(),
                now,
                time_zone: request.time_zone.clone(),
            })
        };
        let (prompt, todays) = (told(now), told(now - now % DAY_MS));
        Question {
            now,
            prompt,
            todays,
            job,
            message,
            chain,
            traces,
            window,
            request,
        }
    }

    /// The last turn without personal data.
    pub fn last(&self) -> &str {
        self.window
            .last()
            .map_or("", |turn| turn.text.text.as_str())
    }

    /// Writes effects of this job without ending it.
    pub async fn submit(&self, effects: Vec<Effect>) -> Result<(), Error> {
        let conversation = self.message.conversation_id.clone();
        let mut all = vec![
            Effect::BindJob(self.job.seq),
            Effect::BindConversation(conversation),
        ];
        all.extend(effects);
        let tenant = self.job.platform_client_id.clone();
        store::submit(tenant, None, all).await.map(drop)
    }

    /// Who wrote, and what, without personal data.
    pub fn turns(&self) -> Vec<(&'static str, &str)> {
        let turn = |turn: &'a RedactedTurn| {
            let role = match turn.role {
                Role::Customer => "customer",
                Role::Agent => "agent",
                Role::Bot => "bot",
            };
            (role, turn.text.text.as_str())
        };
        self.window.iter().map(turn).collect()
    }

    fn key(&self, provider: &Provider) -> String {
        answer_key(
            (&provider.name(), &provider.model),
            &self.todays,
            self.turns(),
        )
    }

    /// Says why a provider was not asked.
    async fn tell(&self, provider: &Provider, why: &str) -> Result<(), Error> {
        let call = self.row(provider, Store.now_ms(), Some(why.to_owned()));
        self.submit(vec![Effect::ExternalCall(call)]).await
    }

    fn spent(&self, provider: &Provider, usage: Used, outcome: wit::SpendOutcome) -> wit::Spent {
        wit::Spent {
            provider: provider.name(),
            model: provider.model.clone(),
            day: day(self.now),
            input_tokens: usage.input,
            output_tokens: usage.output,
            cost_micros: usage.cost(self.chain.price),
            outcome,
        }
    }
}

/// Asks one provider, within `timeout_ms`.
pub async fn ask(
    question: &Question<'_>,
    provider: &Provider,
    timeout_ms: u32,
) -> Result<Asked, Error> {
    let key = question.key(provider);
    let tenant = question.job.platform_client_id.clone();
    if let Some(json) = store::find_answer(tenant.clone(), key.clone()).await? {
        return Ok(Asked::Answered(remembered(question, provider, json)));
    }
    if timeout_ms < LEAST_MS {
        question.tell(provider, "no time left").await?;
        return Ok(Asked::Stop);
    }
    let name = provider.name();
    let endpoint = store::find_endpoint(tenant.clone(), name.clone()).await?;
    if endpoint.as_ref().is_some_and(|it| it.disabled_at.is_some()) {
        question.tell(provider, "disabled").await?;
        return Ok(Asked::Failed(Failure::Final));
    }
    let is_open = endpoint.is_some_and(|endpoint| endpoint.open_since.is_some());
    if is_open && !store::claim_probe(tenant, name.clone(), timeout_ms).await? {
        question.tell(provider, "its circuit is open").await?;
        return Ok(Asked::Failed(Failure::Again(Some(REST_MS))));
    }
    match reserve(question, provider).await? {
        wit::Reserved::Go => {}
        wit::Reserved::Exhausted => {
            question
                .tell(provider, "the budget of the day is used up")
                .await?;
            return Ok(Asked::Stop);
        }
        wit::Reserved::Enough => {
            let why = "the conversation was asked about often enough today";
            question.tell(provider, why).await?;
            return Ok(Asked::Stop);
        }
        wit::Reserved::Already => {
            let why = "asked before, and perhaps billed";
            question.tell(provider, why).await?;
            return Ok(Asked::Failed(Failure::Final));
        }
        wit::Reserved::Later(at) => {
            question
                .tell(provider, "too many calls in this minute")
                .await?;
            let wait = at.saturating_sub(Store.now_ms());
            return Ok(Asked::Failed(Failure::Again(Some(wait))));
        }
    }
    call(question, provider, timeout_ms, is_open, key).await
}

async fn reserve(question: &Question<'_>, provider: &Provider) -> Result<wit::Reserved, Error> {
    let chain = question.chain;
    let texts = question.window.iter().map(|turn| turn.text.text.as_str());
    let estimate = estimate(chain.price, &question.prompt, texts);
    let reservation = wit::Reservation {
        provider: provider.name(),
        model: provider.model.clone(),
        day: day(question.now),
        tokens: estimate.tokens,
        cost_micros: estimate.cost_micros,
        budget: wit::Budget {
            tokens: chain.budget.tokens,
            cost_micros: chain.budget.cost_micros,
        },
        per_minute: chain.per_minute,
        per_conversation: chain.per_conversation,
    };
    store::reserve_spend(question.job.token.clone(), reservation).await
}

async fn call(
    question: &Question<'_>,
    provider: &Provider,
    timeout_ms: u32,
    probe: bool,
    key: String,
) -> Result<Asked, Error> {
    let began = Store.now_ms();
    let whom = enricher::Provider {
        api: match provider.api {
            Api::OpenAi => enricher::Api::Openai,
            Api::Anthropic => enricher::Api::Anthropic,
            Api::Spin => enricher::Api::Spin,
        },
        base_url: provider.base_url.clone(),
        api_key: provider.api_key.clone(),
        model: provider.model.clone(),
        timeout_ms,
        max_output_tokens: 0,
    };
    let answer = enricher::enrich(question.window.to_vec(), question.request.clone(), whom).await;
    let attempt = |outcome, error: Option<String>| EndpointAttempt {
        url: provider.name(),
        outcome,
        error,
        open_after: OPEN_AFTER,
        next_probe_at: Store.now_ms().saturating_add(REST_MS),
        probe,
        release_every_ms: 0,
    };
    match answer {
        Ok(answer) => {
            let used = Used::of(&answer.usage);
            let (json, _) = form::of(&answer.enrichment)
                .map_err(|_| Error::Invalid("the enrichment has no JSON form".to_owned()))?;
            let told = Told {
                question,
                provider,
                began,
                used,
                answer: Ok(&json),
            };
            told.trace();
            let effects = vec![
                Effect::Spent(question.spent(provider, used, wit::SpendOutcome::Answered)),
                Effect::EndpointAttempt(attempt(EndpointOutcome::Delivered, None)),
                Effect::ExternalCall(told.row(false)),
                Effect::KeepAnswer(wit::AnswerEffect {
                    key,
                    json: json.clone(),
                }),
            ];
            Ok(Asked::Answered(Answer { json, effects }))
        }
        Err(failure) => {
            let used = Used::of(&failure.usage);
            let unbilled = used.input == 0 && used.output == 0;
            let outcome = match unbilled {
                true => wit::SpendOutcome::Unbilled,
                false => wit::SpendOutcome::Failed,
            };
            let why = why(&failure.error);
            let told = Told {
                question,
                provider,
                began,
                used,
                answer: Err(&failure.error),
            };
            told.trace();
            question
                .submit(vec![
                    Effect::Spent(question.spent(provider, used, outcome)),
                    Effect::EndpointAttempt(attempt(endpoint_outcome(&failure.error), Some(why))),
                    Effect::ExternalCall(told.row(false)),
                ])
                .await?;
            Ok(Asked::Failed(fate(&failure.error, unbilled, question.job)))
        }
    }
}

fn remembered(question: &Question<'_>, provider: &Provider, json: String) -> Answer {
    let used = Used::default();
    let told = Told {
        question,
        provider,
        began: Store.now_ms(),
        used,
        answer: Ok(&json),
    };
    let effects = vec![
        Effect::Spent(question.spent(provider, used, wit::SpendOutcome::Cached)),
        Effect::ExternalCall(told.row(true)),
    ];
    Answer { json, effects }
}

fn endpoint_outcome(error: &Unanswered) -> EndpointOutcome {
    match error {
        Unanswered::Denied | Unanswered::Timeout | Unanswered::Unavailable(_) => {
            EndpointOutcome::Failed
        }
        _ => EndpointOutcome::Refused,
    }
}

/// Only what was surely not billed is asked again.
fn fate(error: &Unanswered, unbilled: bool, job: &Job) -> Failure {
    match error {
        Unanswered::RateLimited(wait) if unbilled => Failure::Again(*wait),
        Unanswered::Unavailable(_) | Unanswered::Timeout if unbilled => {
            Failure::Again(Some(retry_delay_ms(job.attempt, job.seq)))
        }
        _ => Failure::Final,
    }
}
