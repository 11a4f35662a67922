//! Chat completions. Sources: OpenAI's API reference and its guide on structured outputs.
//!
//! 1. Two messages: the instructions (`system`), and the conversation as data (`user`). A repair
//!    adds a line to the second, since some chat templates want roles to take turns.
//! 2. The form is a `response_format` of type `json_schema`, strict.
//! 3. No `temperature`: reasoning models refuse any but their own.

use serde_json::{Map, Value, json};

use crate::call::{Call, Provider};
use crate::classify::platform_message;
use crate::endpoint::{self, Dialect};
use crate::error::Error;
use crate::schema::{Fault, NAME};
use crate::session::{Asked, Read};
use crate::usage::{Spent, estimate_tokens, reported};

pub(crate) fn call(provider: &Provider, asked: &Asked<'_>) -> Result<Call, Error> {
    let dialect = endpoint::dialect(&provider.base_url);
    let limit = match dialect {
        Dialect::OpenAi | Dialect::Azure => "max_completion_tokens",
        Dialect::Compatible => "max_tokens",
    };
    let mut body = Map::new();
    body.insert("model".into(), provider.model.as_str().into());
    body.insert(
        "messages".into(),
        json!([
            {"role": "system", "content": asked.instructions},
            {"role": "user", "content": asked.data},
        ]),
    );
    body.insert(
        "response_format".into(),
        json!({
            "type": "json_schema",
            "json_schema": {"name": NAME, "strict": true, "schema": asked.schema},
        }),
    );
    body.insert(limit.into(), provider.output_tokens().into());
    if dialect == Dialect::OpenAi {
        // Completions may be kept by default; these are somebody's conversations.
        body.insert("store".into(), false.into());
    }
    let mut headers = vec![("content-type", "application/json".to_owned())];
    match (provider.api_key.0.as_str(), dialect) {
        ("", _) => {}
        (key, Dialect::Azure) => headers.push(("api-key", key.to_owned())),
        (key, _) => headers.push(("authorization", format!("Bearer {key}"))),
    }
    Ok(Call::Http {
        url: endpoint::url(&provider.base_url, "chat/completions")?,
        headers,
        body: Value::Object(body).to_string(),
    })
}

/// Reads the body of a success. `sent` is the estimate of what was sent.
pub(crate) fn read(body: &[u8], sent: u32) -> (Spent, Read) {
    let Ok(answer) = serde_json::from_slice::<Value>(body) else {
        let output = estimate_tokens(&String::from_utf8_lossy(body));
        let read = Read::Failed("the answer is no JSON, or was cut off".to_owned());
        return (
            Spent {
                input: sent,
                output,
            },
            read,
        );
    };
    let choice = answer.get("choices").and_then(|choices| choices.get(0));
    let message = choice.and_then(|choice| choice.get("message"));
    let content = message
        .and_then(|message| message.get("content"))
        .map(text)
        .unwrap_or_default();
    let used = |name| {
        answer
            .get("usage")
            .and_then(|usage| usage.get(name))
            .and_then(Value::as_u64)
    };
    let spent = reported(used("prompt_tokens"), used("completion_tokens"), || Spent {
        input: sent,
        output: estimate_tokens(&content),
    });
    let finish = choice
        .and_then(|choice| choice.get("finish_reason"))
        .and_then(Value::as_str);
    let refusal = message
        .and_then(|message| message.get("refusal"))
        .and_then(Value::as_str);
    let read = if message.is_none() {
        Read::Failed(
            platform_message(body).unwrap_or_else(|| "the answer has no message".to_owned()),
        )
    } else if refusal.is_some_and(|refusal| !refusal.is_empty()) {
        Read::Refused("the model refused")
    } else {
        match finish {
            Some("content_filter") => Read::Refused("the service filtered the answer"),
            Some("length") => Read::Fault(Fault::CutOff, content),
            _ => Read::Form(content),
        }
    };
    (spent, read)
}

/// A string, or the text parts of a list of parts.
fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let text = |part: &Value| part.get("text").and_then(Value::as_str).map(str::to_owned);
            parts.iter().filter_map(text).collect()
        }
        _ => String::new(),
    }
}
