use proptest::prelude::*;

use super::*;

const FIRST: [&str; 4] = ["openai", "http://127.0.0.1:4000/v1", "key", "small"];
const FALLBACK: [&str; 4] = ["anthropic", "https://api.anthropic.com", "other", "large"];

fn sources() -> Sources<'static> {
    Sources {
        first: FIRST,
        fallback: FALLBACK,
        ..Sources::default()
    }
}

fn read(sources: Sources) -> Settings {
    let (settings, unread) = Settings::read(&sources);
    assert_eq!(unread, []);
    settings
}

#[test]
fn a_chain_is_the_models_that_are_named() {
    for (first, fallback, want) in [
        (
            FIRST,
            FALLBACK,
            &[
                "llm:openai:http://127.0.0.1:4000",
                "llm:anthropic:https://api.anthropic.com",
            ][..],
        ),
        (
            ["openai", "https://api.openai.com", "", ""],
            FALLBACK,
            &["llm:anthropic:https://api.anthropic.com"],
        ),
        (
            ["spin", "", "", "llama"],
            ["", "", "", ""],
            &["llm:spin:spin"],
        ),
        (["", "", "", ""], ["", "", "", ""], &[]),
    ] {
        let settings = read(Sources {
            first,
            fallback,
            ..Sources::default()
        });
        let names: Vec<String> = settings
            .of("any")
            .providers
            .iter()
            .map(Provider::name)
            .collect();
        assert_eq!(names, want);
    }
}

#[test]
fn a_provider_shows_no_key() {
    let settings = read(sources());
    let shown = format!("{settings:?}");
    assert!(
        !shown.contains("\"key\"") && shown.contains("[key redacted]"),
        "{shown}"
    );
}

#[test]
fn a_tenant_has_its_own_and_else_everybodys() {
    let tenants = r#"[{"platform_client_id":"off","llm":{"off":true}},
        {"platform_client_id":"own","time_zone":"Asia/Kolkata","business_hours":"","llm":{"model":"big",
            "daily_usd":0.5,"intents":["a"],"region":"IN"},"lead":{"engaged":1,"qualified":2,"half_life_hours":3}},
        {"platform_client_id":"zone","time_zone":"Asia/Tokyo"}]"#;
    let settings = read(Sources {
        tenants,
        daily_tokens: "1000",
        daily_usd: "2",
        input_price: "0.15",
        time_zone: "UTC",
        ..sources()
    });
    assert_eq!(settings.of("off").providers, []);
    let own = settings.of("own");
    let models: Vec<&str> = own.providers.iter().map(|it| it.model.as_str()).collect();
    assert_eq!(models, ["big", "large"]);
    assert_eq!(
        own.budget,
        Budget {
            tokens: Some(1_000),
            cost_micros: Some(500_000)
        }
    );
    assert_eq!(own.price.input_micros, 150_000);
    assert_eq!(
        (own.intents.as_slice(), own.region.as_deref()),
        (&["a".to_owned()][..], Some("IN"))
    );
    assert_eq!(
        own.lead,
        Some(Lead {
            engaged: 1,
            qualified: 2,
            half_life_hours: 3
        })
    );
    assert_eq!(settings.of("zone").time_zone.as_deref(), Some("Asia/Tokyo"));
    assert_eq!(settings.of("any").budget.cost_micros, Some(2_000_000));
    assert_eq!(
        (settings.timeout_ms, settings.total_ms, settings.concurrency),
        (20_000, 45_000, 4)
    );
}

#[test]
fn a_slip_never_opens_the_purse() {
    for (name, sources, asked) in [
        (
            "budget",
            Sources {
                daily_tokens: "1k",
                ..sources()
            },
            2,
        ),
        (
            "dollars",
            Sources {
                daily_usd: "-1",
                ..sources()
            },
            2,
        ),
        (
            "not a number",
            Sources {
                daily_usd: "nan",
                ..sources()
            },
            2,
        ),
        (
            "price",
            Sources {
                output_price: "x",
                ..sources()
            },
            0,
        ),
        (
            "document",
            Sources {
                tenants: "{",
                ..sources()
            },
            0,
        ),
        (
            "api",
            Sources {
                first: ["open", "", "", "m"],
                ..sources()
            },
            1,
        ),
        (
            "content",
            Sources {
                record_content: "yes",
                ..sources()
            },
            2,
        ),
        (
            "conversation",
            Sources {
                per_conversation: "many",
                ..sources()
            },
            2,
        ),
        (
            "timeout",
            Sources {
                timeout_ms: "0",
                ..sources()
            },
            2,
        ),
    ] {
        let (settings, unread) = Settings::read(&sources);
        assert_eq!(unread.len(), 1, "{name}");
        let chain = settings.of("any");
        assert_eq!(chain.providers.len(), asked, "{name}");
        let is_budget = ["budget", "dollars", "not a number"].contains(&name);
        let spends_nothing = [chain.budget.tokens, chain.budget.cost_micros].contains(&Some(0));
        assert_eq!(is_budget, spends_nothing, "{name}");
        assert!(!chain.record_content && !settings.traces, "{name}");
        let is_conversation = name == "conversation";
        assert_eq!(chain.per_conversation == Some(0), is_conversation, "{name}");
    }
    for llm in [r#"{"daily_usd":-1}"#, r#"{"daily_usdd":1}"#, "1"] {
        let tenants = format!(r#"[{{"platform_client_id":"t","llm":{llm}}}]"#);
        let (settings, unread) = Settings::read(&Sources {
            tenants: &tenants,
            ..sources()
        });
        assert_eq!(unread, [Unread::Tenant("t".to_owned())], "{llm}");
        assert_eq!(settings.of("t").providers, []);
        assert_eq!(settings.of("other").providers.len(), 2);
    }
}

proptest! {
    #[test]
    fn any_text_gives_settings(text in ".{0,30}", tenants in ".{0,60}") {
        let (settings, _) = Settings::read(&Sources {
            daily_usd: &text, per_minute: &text, intents: &text, tenants: &tenants, ..sources()
        });
        prop_assert!(settings.of("t").providers.len() <= 2);
    }
}
