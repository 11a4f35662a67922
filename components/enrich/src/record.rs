//! What is told of a call: a row of `external_calls`, and a span where spans are wanted.
//!
//! Neither holds what was said unless the tenant asked for it, and then without personal data.

use chatly_delivery::traceparent::RANDOM_BYTES;
use chatly_drain::Store as _;
use chatly_providers::{Price, Provider, cost_micros, usd};
use chatly_traces::{Content, ModelCall};
use serde_json::{Value, json};
use spin_sdk::wasip3::random::random::get_random_bytes;
use spin_sdk::{http, wasip3};

use crate::Store;
use crate::ask::Question;
use crate::bindings::chatly::enricher::enricher::{self, Error as Unanswered};
use crate::bindings::chatly::store::rows::ExternalCall;

const TRACES: &str = "http://traces.spin.internal/";
/// Characters of one message that are kept with a call.
const KEPT_CHARS: usize = 2_000;

/// Tokens of a call.
#[derive(Clone, Copy, Default)]
pub struct Used {
    pub input: u64,
    pub output: u64,
}

impl Used {
    pub fn of(usage: &enricher::Usage) -> Self {
        Used {
            input: usage.input_tokens.into(),
            output: usage.output_tokens.into(),
        }
    }

    pub fn cost(self, price: Price) -> u64 {
        cost_micros(price, self.input, self.output)
    }
}

/// One call, as far as it came.
pub struct Told<'a> {
    pub question: &'a Question<'a>,
    pub provider: &'a Provider,
    /// Unix milliseconds.
    pub began: u64,
    pub used: Used,
    /// JSON of the redacted text.
    pub answer: Result<&'a str, &'a Unanswered>,
}

impl Told<'_> {
    /// The row of a call that was made, or that memory answered.
    pub fn row(&self, cached: bool) -> ExternalCall {
        let error = self.answer.err().map(why);
        let mut row = self.question.row(self.provider, self.began, error);
        row.status = self.answer.ok().filter(|_| !cached).map(|_| 200);
        let (model, cost) = (
            &self.provider.model,
            self.used.cost(self.question.chain.price),
        );
        let mut details = json!({"model": model, "input_tokens": self.used.input,
            "output_tokens": self.used.output, "cost_usd": usd(cost), "cached": cached});
        if self.question.chain.record_content
            && let Some(fields) = details.as_object_mut()
        {
            let turns = self.question.turns().into_iter();
            let turns: Vec<Value> = turns
                .map(|(role, text)| json!({"role": role, "text": head(text)}))
                .collect();
            fields.insert("input".to_owned(), turns.into());
            let answer = self
                .answer
                .ok()
                .and_then(|it| serde_json::from_str(it).ok());
            fields.insert("output".to_owned(), answer.unwrap_or(Value::Null));
        }
        row.details = Some(details.to_string());
        row
    }

    /// Sends the span of a call that was made, and does not wait for it.
    pub fn trace(&self) {
        let question = self.question;
        if !question.traces {
            return;
        }
        let mut random = [0; RANDOM_BYTES];
        for (to, from) in random.iter_mut().zip(get_random_bytes(RANDOM_BYTES as u64)) {
            *to = from;
        }
        let turns: Vec<(&str, &str)> = question
            .turns()
            .into_iter()
            .map(|(role, text)| (role, head(text)))
            .collect();
        let content = question.chain.record_content.then_some(Content {
            instructions: &question.prompt,
            turns: &turns,
            answer: self.answer.ok(),
        });
        let call = ModelCall {
            traceparent: question.job.traceparent.as_deref(),
            random,
            began: self.began,
            ended: Store.now_ms(),
            api: self.provider.api.name(),
            base_url: &self.provider.base_url,
            model: &self.provider.model,
            platform_client_id: &question.job.platform_client_id,
            conversation_id: &question.message.conversation_id,
            message_id: &question.message.id,
            input_tokens: self.used.input,
            output_tokens: self.used.output,
            cost_usd: usd(self.used.cost(question.chain.price)),
            error: self.answer.err().map(kind),
            content,
        };
        if let Some(body) = call.otlp(env!("CARGO_PKG_VERSION")) {
            wasip3::spawn(send(body));
        }
    }
}

async fn send(body: String) {
    match http::post(TRACES, body).await {
        Ok(answer) if answer.status().is_success() => {}
        Ok(answer) => {
            let status = answer.status().as_u16();
            eprintln!("warn: span not exported: status={status}");
        }
        Err(error) => eprintln!("warn: span not exported: error={error}"),
    }
}

impl Question<'_> {
    /// A row about a provider that was not asked, or the beginning of one about a call.
    pub fn row(&self, provider: &Provider, began: u64, error: Option<String>) -> ExternalCall {
        ExternalCall {
            kind: "llm".to_owned(),
            target: format!("llm:{}", provider.model),
            status: None,
            millis: Store.now_ms().saturating_sub(began),
            attempt: self.job.attempt,
            at: began,
            error,
            conversation_id: Some(self.message.conversation_id.clone()),
            message_id: Some(self.message.id.clone()),
            details: None,
        }
    }
}

fn head(text: &str) -> &str {
    let end = text.char_indices().nth(KEPT_CHARS);
    end.and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// In words without content; the enricher's own hold none either.
pub fn why(error: &Unanswered) -> String {
    match error {
        Unanswered::Denied => "the address is not granted".to_owned(),
        Unanswered::Timeout => "timeout".to_owned(),
        Unanswered::RateLimited(_) => "rate limited".to_owned(),
        Unanswered::Unavailable(words) => format!("unavailable: {words}"),
        Unanswered::InvalidAnswer(words) => format!("invalid answer: {words}"),
        Unanswered::Refused(words) => format!("refused: {words}"),
        Unanswered::Other(words) => words.clone(),
    }
}

/// One word, of few.
fn kind(error: &Unanswered) -> &'static str {
    match error {
        Unanswered::Denied => "denied",
        Unanswered::Timeout => "timeout",
        Unanswered::RateLimited(_) => "rate_limited",
        Unanswered::Unavailable(_) => "unavailable",
        Unanswered::InvalidAnswer(_) => "invalid_answer",
        Unanswered::Refused(_) => "refused",
        Unanswered::Other(_) => "_OTHER",
    }
}
