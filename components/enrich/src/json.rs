//! An enrichment as canonical JSON (section 5 of the architecture).

use serde::Serialize;

use crate::bindings::chatly::types::enrichment::{self as wit, Sentiment, Stage, Urgency};

#[derive(Serialize)]
struct Enriched<'a> {
    source: &'a str,
    language: &'a str,
    intents: Vec<Intent<'a>>,
    sentiment: &'static str,
    urgency: &'static str,
    entities: Vec<Entity<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suggested_reply: Option<&'a str>,
    topics: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    lead: Option<Lead<'a>>,
}

#[derive(Serialize)]
struct Intent<'a> {
    name: &'a str,
    confidence: f32,
}

#[derive(Serialize)]
struct Entity<'a> {
    kind: &'a str,
    value: &'a str,
    normalized: Option<&'a str>,
    start: u32,
    end: u32,
}

#[derive(Serialize)]
struct Lead<'a> {
    score: u8,
    fit: u8,
    engagement: u8,
    stage: &'static str,
    reasons: Vec<Reason<'a>>,
    bant: Bant<'a>,
}

#[derive(Serialize)]
struct Bant<'a> {
    budget: Factor<'a>,
    authority: Factor<'a>,
    need: Factor<'a>,
    timing: Factor<'a>,
}

#[derive(Serialize)]
struct Factor<'a> {
    score: u8,
    reasons: Vec<Reason<'a>>,
}

#[derive(Serialize)]
struct Reason<'a> {
    text: &'a str,
    message_id: Option<&'a str>,
}

/// The enrichment, and its lead alone.
pub fn of(enriched: &wit::Enriched) -> serde_json::Result<(String, Option<String>)> {
    let json = serde_json::to_string(&Enriched {
        source: &enriched.source,
        language: &enriched.language,
        intents: enriched
            .intents
            .iter()
            .map(|intent| Intent {
                name: &intent.name,
                confidence: intent.confidence,
            })
            .collect(),
        sentiment: match enriched.sentiment {
            Sentiment::Positive => "positive",
            Sentiment::Neutral => "neutral",
            Sentiment::Negative => "negative",
        },
        urgency: match enriched.urgency {
            Urgency::Low => "low",
            Urgency::Normal => "normal",
            Urgency::High => "high",
        },
        entities: enriched
            .entities
            .iter()
            .map(|entity| Entity {
                kind: &entity.kind,
                value: &entity.value,
                normalized: entity.normalized.as_deref(),
                start: entity.start,
                end: entity.end,
            })
            .collect(),
        summary: enriched.summary.as_deref(),
        suggested_reply: enriched.suggested_reply.as_deref(),
        topics: &enriched.topics,
        lead: enriched.lead.as_ref().map(lead),
    })?;
    let lead = enriched.lead.as_ref().map(lead);
    let lead = lead.as_ref().map(serde_json::to_string).transpose()?;
    Ok((json, lead))
}

fn lead(lead: &wit::Lead) -> Lead<'_> {
    Lead {
        score: lead.score,
        fit: lead.fit,
        engagement: lead.engagement,
        stage: match lead.stage {
            Stage::New => "new",
            Stage::Engaged => "engaged",
            Stage::Qualified => "qualified",
            Stage::Disqualified => "disqualified",
            Stage::Customer => "customer",
        },
        reasons: reasons(&lead.reasons),
        bant: Bant {
            budget: factor(&lead.bant.budget),
            authority: factor(&lead.bant.authority),
            need: factor(&lead.bant.need),
            timing: factor(&lead.bant.timing),
        },
    }
}

fn factor(factor: &wit::Factor) -> Factor<'_> {
    Factor {
        score: factor.score,
        reasons: reasons(&factor.reasons),
    }
}

fn reasons(reasons: &[wit::Reason]) -> Vec<Reason<'_>> {
    reasons
        .iter()
        .map(|reason| Reason {
            text: &reason.text,
            message_id: reason.message_id.as_deref(),
        })
        .collect()
}
