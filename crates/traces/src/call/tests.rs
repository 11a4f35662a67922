use super::*;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn call() -> ModelCall<'static> {
    ModelCall {
        traceparent: Some(TRACE),
        random: [0x11; traceparent::RANDOM_BYTES],
        began: 1_780_000_000_000,
        ended: 1_780_000_000_250,
        api: "openai",
        base_url: "https://user:pw@api.openai.com/v1?key=secret",
        model: "small",
        platform_client_id: "acme",
        conversation_id: "conv_1",
        message_id: "msg_1",
        input_tokens: 100,
        output_tokens: 20,
        cost_usd: 0.002,
        error: None,
        content: None,
    }
}

fn span(call: &ModelCall) -> Value {
    let body: Value = serde_json::from_str(&call.otlp("1.0.0").unwrap()).unwrap();
    body.pointer("/resourceSpans/0/scopeSpans/0/spans/0")
        .unwrap()
        .clone()
}

fn value(span: &Value, key: &str) -> Option<Value> {
    let mut attributes = span["attributes"].as_array().unwrap().iter();
    let found = attributes.find(|attribute| attribute["key"] == key)?;
    found["value"].as_object().unwrap().values().next().cloned()
}

#[test]
fn a_call_is_one_span_below_its_job() {
    let whole = call().otlp("1.0.0").unwrap();
    assert!(
        !whole.contains("secret") && !whole.contains("pw@"),
        "{whole}"
    );
    let span = span(&call());
    assert_eq!(
        (&span["traceId"], &span["parentSpanId"], &span["spanId"]),
        (
            &json!("4bf92f3577b34da6a3ce929d0e0e4736"),
            &json!("00f067aa0ba902b7"),
            &json!("1111111111111111"),
        )
    );
    assert_eq!(span["name"], "chat small");
    assert_eq!(span["kind"], 3);
    assert_eq!(span["startTimeUnixNano"], "1780000000000000000");
    assert_eq!(span["endTimeUnixNano"], "1780000000250000000");
    assert_eq!(span["status"], json!({}));
    for (key, want) in [
        ("gen_ai.operation.name", json!("chat")),
        ("gen_ai.provider.name", json!("openai")),
        ("gen_ai.request.model", json!("small")),
        ("gen_ai.output.type", json!("json")),
        ("gen_ai.conversation.id", json!("conv_1")),
        ("gen_ai.usage.input_tokens", json!("100")),
        ("gen_ai.usage.output_tokens", json!("20")),
        ("server.address", json!("api.openai.com")),
        ("server.port", json!("443")),
        ("chatly.cost_usd", json!(0.002)),
        ("chatly.platform_client_id", json!("acme")),
    ] {
        assert_eq!(value(&span, key), Some(want), "{key}");
    }
    for key in [
        "error.type",
        "gen_ai.input.messages",
        "gen_ai.output.messages",
    ] {
        assert_eq!(value(&span, key), None, "{key}");
    }
}

#[test]
fn a_failure_says_its_kind() {
    let failed = ModelCall {
        error: Some("timeout"),
        ..call()
    };
    let span = span(&failed);
    assert_eq!(span["status"], json!({"code": 2, "message": "timeout"}));
    assert_eq!(value(&span, "error.type"), Some(json!("timeout")));
}

#[test]
fn what_was_said_is_told_only_when_it_is_given() {
    let turns = [("customer", "to [EMAIL_1]"), ("agent", "yes")];
    let with = ModelCall {
        content: Some(Content {
            instructions: "Fill in the form.",
            turns: &turns,
            answer: Some("{}"),
        }),
        ..call()
    };
    let span = span(&with);
    let read = |key| -> Value {
        let text = value(&span, key).unwrap();
        serde_json::from_str(text.as_str().unwrap()).unwrap()
    };
    assert_eq!(
        read("gen_ai.input.messages"),
        json!([
            {"role": "user", "parts": [{"type": "text", "content": "to [EMAIL_1]"}]},
            {"role": "assistant", "parts": [{"type": "text", "content": "yes"}]},
        ])
    );
    assert_eq!(
        read("gen_ai.output.messages"),
        json!([{"role": "assistant", "parts": [{"type": "text", "content": "{}"}],
            "finish_reason": "stop"}])
    );
    assert_eq!(
        read("gen_ai.system_instructions"),
        json!([{"type": "text", "content": "Fill in the form."}])
    );
}

#[test]
fn services_have_their_well_known_names() {
    for (api, base_url, want, server) in [
        ("anthropic", "https://api.anthropic.com", "anthropic", true),
        (
            "openai",
            "https://mine.openai.azure.com/openai",
            "azure.ai.openai",
            true,
        ),
        ("openai", "http://127.0.0.1:8080/v1", "openai", true),
        ("spin", "https://api.openai.com", "spin", false),
        ("openai", "no address", "openai", false),
    ] {
        let span = span(&ModelCall {
            api,
            base_url,
            ..call()
        });
        assert_eq!(value(&span, "gen_ai.provider.name"), Some(json!(want)));
        assert_eq!(value(&span, "server.address").is_some(), server, "{api}");
    }
}

#[test]
fn an_unsampled_trace_gets_no_span_and_a_broken_one_begins_one() {
    let with = |traceparent| ModelCall {
        traceparent,
        ..call()
    };
    let unsampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    assert_eq!(with(Some(unsampled)).otlp("1"), None);
    for broken in [None, Some("00-zz")] {
        let span = span(&with(broken));
        assert_eq!(span["parentSpanId"], "", "{broken:?}");
        assert_eq!(span["traceId"], "11".repeat(16));
    }
}
