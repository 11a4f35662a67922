//! Between the contract and the crate.

use chatly_understand as native;

use crate::bindings::chatly::types::enrichment as types;
use crate::bindings::exports::chatly::enricher::enricher as wit;

pub fn turn(turn: types::RedactedTurn) -> native::Turn {
    native::Turn {
        role: match turn.role {
            types::Role::Customer => native::Role::Customer,
            types::Role::Agent => native::Role::Agent,
            types::Role::Bot => native::Role::Bot,
        },
        text: turn.text.text,
    }
}

pub fn request(request: types::Request) -> native::Request {
    native::Request {
        intents: request.intents,
        languages: request.languages,
        now: request.now,
        time_zone: request.time_zone,
    }
}

pub fn provider(provider: wit::Provider) -> native::Provider {
    native::Provider {
        api: match provider.api {
            wit::Api::Openai => native::Api::OpenAi,
            wit::Api::Anthropic => native::Api::Anthropic,
            wit::Api::Spin => native::Api::Spin,
        },
        base_url: provider.base_url,
        api_key: native::Key(provider.api_key),
        model: provider.model,
        max_output_tokens: provider.max_output_tokens,
    }
}

pub fn answer(enriched: native::Enriched, model: &str, used: &native::Usage) -> wit::Answer {
    wit::Answer {
        enrichment: types::Enriched {
            source: format!("llm:{model}"),
            language: enriched.language,
            intents: enriched.intents.into_iter().map(intent).collect(),
            sentiment: match enriched.sentiment {
                native::Sentiment::Positive => types::Sentiment::Positive,
                native::Sentiment::Neutral => types::Sentiment::Neutral,
                native::Sentiment::Negative => types::Sentiment::Negative,
            },
            urgency: match enriched.urgency {
                native::Urgency::Low => types::Urgency::Low,
                native::Urgency::Normal => types::Urgency::Normal,
                native::Urgency::High => types::Urgency::High,
            },
            entities: enriched.entities.into_iter().map(entity).collect(),
            summary: enriched.summary,
            suggested_reply: enriched.suggested_reply,
            topics: enriched.topics,
            lead: None,
        },
        usage: usage(used),
    }
}

fn intent(intent: native::Intent) -> types::Intent {
    types::Intent {
        name: intent.name,
        confidence: intent.confidence,
    }
}

fn entity(entity: native::Entity) -> types::Entity {
    types::Entity {
        kind: entity.kind.to_owned(),
        value: entity.value,
        normalized: entity.normalized,
        start: entity.start,
        end: entity.end,
    }
}

fn usage(usage: &native::Usage) -> wit::Usage {
    wit::Usage {
        model: usage.model.clone(),
        input_tokens: usage.input_tokens,
        output_tokens: usage.output_tokens,
        calls: usage.calls,
    }
}

pub fn failure(error: native::Error, used: &native::Usage) -> wit::Failure {
    let error = match error {
        native::Error::Denied => wit::Error::Denied,
        native::Error::Timeout => wit::Error::Timeout,
        native::Error::RateLimited { retry_after_ms } => wit::Error::RateLimited(retry_after_ms),
        native::Error::Unavailable(why) => wit::Error::Unavailable(why),
        native::Error::InvalidAnswer(why) => wit::Error::InvalidAnswer(why),
        native::Error::Refused(why) => wit::Error::Refused(why),
        native::Error::Other(why) => wit::Error::Other(why),
    };
    wit::Failure {
        error,
        usage: usage(used),
    }
}
