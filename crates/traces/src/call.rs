//! One call to a model as one span.

use chatly_delivery::traceparent;
use serde_json::{Value, json};
use url::Url;

/// What was said in a call, without personal data.
#[derive(Debug, Clone, PartialEq)]
pub struct Content<'a> {
    /// What the model was told beside the conversation.
    pub instructions: &'a str,
    /// Who wrote (`customer`, `agent`, `bot`), and what.
    pub turns: &'a [(&'a str, &'a str)],
    /// The answer; none where there was none.
    pub answer: Option<&'a str>,
}

/// One call.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelCall<'a> {
    /// Of the job that made the call; without a sound one the span begins a trace.
    pub traceparent: Option<&'a str>,
    /// For the span's id.
    pub random: [u8; traceparent::RANDOM_BYTES],
    /// Unix milliseconds.
    pub began: u64,
    /// Unix milliseconds.
    pub ended: u64,
    /// `openai`, `anthropic` or `spin`: how the service is spoken to.
    pub api: &'a str,
    /// Only its host and port are told.
    pub base_url: &'a str,
    /// The model that was asked for.
    pub model: &'a str,
    /// The tenant.
    pub platform_client_id: &'a str,
    /// The conversation.
    pub conversation_id: &'a str,
    /// The message that was to be understood.
    pub message_id: &'a str,
    /// Tokens in.
    pub input_tokens: u64,
    /// Tokens out.
    pub output_tokens: u64,
    /// US dollars.
    pub cost_usd: f64,
    /// A word of low cardinality for why there was no answer.
    pub error: Option<&'a str>,
    /// Only where the tenant asked for it.
    pub content: Option<Content<'a>>,
}

impl ModelCall<'_> {
    /// The body of a request to `/v1/traces`; none when the caller's trace is not sampled.
    #[must_use]
    pub fn otlp(&self, service_version: &str) -> Option<String> {
        let own = traceparent::next(self.traceparent, self.random);
        let (trace, span, flags) = traceparent::parts(&own)?;
        if u8::from_str_radix(flags, 16).is_ok_and(|flags| flags & 1 == 0) {
            return None;
        }
        let parent = self.traceparent.and_then(traceparent::parts);
        let nanos = |millis: u64| (u128::from(millis) * 1_000_000).to_string();
        let status = match self.error {
            Some(error) => json!({"code": 2, "message": error}),
            None => json!({}),
        };
        let span = json!({
            "traceId": trace,
            "spanId": span,
            "parentSpanId": parent.map_or("", |(_, span, _)| span),
            "flags": 1,
            "name": format!("chat {}", self.model),
            "kind": 3,
            "startTimeUnixNano": nanos(self.began),
            "endTimeUnixNano": nanos(self.ended.max(self.began)),
            "attributes": self.attributes(),
            "status": status,
        });
        let resource = [
            attribute("service.name", text("chatly-edge")),
            attribute("service.version", text(service_version)),
        ];
        let scope = json!({"name": "chatly.enrich", "version": service_version});
        let spans = json!({"scope": scope, "spans": [span]});
        let whole = json!({"resourceSpans": [
            {"resource": {"attributes": resource}, "scopeSpans": [spans]},
        ]});
        Some(whole.to_string())
    }

    fn attributes(&self) -> Vec<Value> {
        let url = Url::parse(self.base_url).ok();
        let host = url.as_ref().and_then(Url::host_str);
        let port = url.as_ref().and_then(Url::port_or_known_default);
        let mut all = vec![
            attribute("gen_ai.operation.name", text("chat")),
            attribute("gen_ai.provider.name", text(self.provider(host))),
            attribute("gen_ai.request.model", text(self.model)),
            attribute("gen_ai.output.type", text("json")),
            attribute("gen_ai.conversation.id", text(self.conversation_id)),
            attribute("gen_ai.usage.input_tokens", number(self.input_tokens)),
            attribute("gen_ai.usage.output_tokens", number(self.output_tokens)),
            attribute("chatly.cost_usd", json!({"doubleValue": self.cost_usd})),
            attribute("chatly.message_id", text(self.message_id)),
            attribute("chatly.platform_client_id", text(self.platform_client_id)),
        ];
        if self.api != "spin" {
            all.extend(host.map(|host| attribute("server.address", text(host))));
            all.extend(port.map(|port| attribute("server.port", number(port.into()))));
        }
        all.extend(self.error.map(|error| attribute("error.type", text(error))));
        if let Some(content) = &self.content {
            all.extend(content.attributes());
        }
        all
    }

    /// One of the well-known names, where the service is one of them.
    fn provider(&self, host: Option<&str>) -> &str {
        let azure = host.is_some_and(|host| {
            host.ends_with(".openai.azure.com") || host.ends_with(".cognitiveservices.azure.com")
        });
        if azure { "azure.ai.openai" } else { self.api }
    }
}

impl Content<'_> {
    fn attributes(&self) -> Vec<Value> {
        let part = |content: &str| json!([{"type": "text", "content": content}]);
        let input: Vec<Value> = self
            .turns
            .iter()
            .map(|(role, said)| {
                let role = if *role == "customer" {
                    "user"
                } else {
                    "assistant"
                };
                json!({"role": role, "parts": part(said)})
            })
            .collect();
        let output = self.answer.map(
            |answer| json!([{"role": "assistant", "parts": part(answer), "finish_reason": "stop"}]),
        );
        let told = part(self.instructions).to_string();
        let mut all = vec![
            attribute("gen_ai.system_instructions", text(&told)),
            attribute(
                "gen_ai.input.messages",
                text(&Value::from(input).to_string()),
            ),
        ];
        all.extend(output.map(|it| attribute("gen_ai.output.messages", text(&it.to_string()))));
        all
    }
}

fn attribute(key: &str, value: Value) -> Value {
    json!({"key": key, "value": value})
}

fn text(text: &str) -> Value {
    json!({"stringValue": text})
}

fn number(number: u64) -> Value {
    json!({"intValue": number.to_string()})
}

#[cfg(test)]
mod tests;
