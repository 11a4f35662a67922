//! Anthropic's messages, version 2023-06-01. Sources: its pages on the Messages API, on tool use and
//! on stop reasons.
//!
//! 1. The form is a tool that the model must use (`tool_choice` of type `tool`), once.
//! 2. No `thinking`, which excludes a forced tool, and no `temperature`, which newer models refuse.

use serde_json::{Value, json};

use crate::call::{Call, Provider};
use crate::classify::platform_message;
use crate::endpoint;
use crate::error::Error;
use crate::schema::{Fault, NAME};
use crate::session::{Asked, Read};
use crate::usage::{Spent, estimate_tokens, reported};

pub(crate) fn call(provider: &Provider, asked: &Asked<'_>) -> Result<Call, Error> {
    let body = json!({
        "model": provider.model,
        "max_tokens": provider.output_tokens(),
        "system": asked.instructions,
        "messages": [{"role": "user", "content": asked.data}],
        "tools": [{
            "name": NAME,
            "description": "Hands in the form about the last turn of the conversation.",
            "input_schema": asked.schema,
        }],
        "tool_choice": {"type": "tool", "name": NAME, "disable_parallel_tool_use": true},
    });
    let mut headers = vec![
        ("content-type", "application/json".to_owned()),
        ("anthropic-version", "2023-06-01".to_owned()),
    ];
    if !provider.api_key.0.is_empty() {
        headers.push(("x-api-key", provider.api_key.0.clone()));
    }
    Ok(Call::Http {
        url: endpoint::url(&provider.base_url, "messages")?,
        headers,
        body: body.to_string(),
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
    let blocks = answer.get("content").and_then(Value::as_array);
    let is = |block: &Value, kind: &str| block.get("type").and_then(Value::as_str) == Some(kind);
    let of = |kind: &'static str, field: &'static str| {
        let mut blocks = blocks.into_iter().flatten();
        blocks
            .find(|block| is(block, kind))
            .and_then(|block| block.get(field))
    };
    let form = match (of("tool_use", "input"), of("text", "text")) {
        (Some(input), _) => input.to_string(),
        (None, Some(text)) => text.as_str().unwrap_or_default().to_owned(),
        (None, None) => String::new(),
    };
    let used = |name| {
        answer
            .get("usage")
            .and_then(|usage| usage.get(name))
            .and_then(Value::as_u64)
    };
    let cached = ["cache_creation_input_tokens", "cache_read_input_tokens"];
    let cached = cached
        .into_iter()
        .filter_map(used)
        .fold(0, u64::saturating_add);
    let input = used("input_tokens").map(|input| input.saturating_add(cached));
    let spent = reported(input, used("output_tokens"), || Spent {
        input: sent,
        output: estimate_tokens(&form),
    });
    let read = match answer.get("stop_reason").and_then(Value::as_str) {
        _ if blocks.is_none() => Read::Failed(
            platform_message(body).unwrap_or_else(|| "the answer has no content".to_owned()),
        ),
        Some("refusal") => Read::Refused("the model refused"),
        Some("max_tokens" | "model_context_window_exceeded") => Read::Fault(Fault::CutOff, form),
        _ => Read::Form(form),
    };
    (spent, read)
}
