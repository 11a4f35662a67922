//! `baseline-offline`: understands a conversation without any capability. What it does is in the
//! crate `chatly-baseline`.

wit_bindgen::generate!({ path: "../../../wit", world: "baseline", generate_all });

use chatly::types::enrichment as wit;
use chatly_baseline as native;
use exports::chatly::baseline::baseline::Guest;

struct Component;

impl Guest for Component {
    fn enrich(window: Vec<wit::Turn>, request: wit::Request) -> wit::Enriched {
        let window: Vec<native::Turn> = window.into_iter().map(turn).collect();
        let request = native::Request {
            intents: request.intents,
            languages: request.languages,
            now: request.now,
            time_zone: request.time_zone,
            lead: request.lead.map(settings),
        };
        enriched(native::enrich(&window, &request))
    }
}

fn turn(turn: wit::Turn) -> native::Turn {
    native::Turn {
        message_id: turn.message_id,
        role: match turn.role {
            wit::Role::Customer => native::Role::Customer,
            wit::Role::Agent => native::Role::Agent,
            wit::Role::Bot => native::Role::Bot,
        },
        at: turn.at,
        text: turn.text,
    }
}

fn enriched(read: native::Enriched) -> wit::Enriched {
    wit::Enriched {
        source: read.source,
        language: read.language,
        intents: read
            .intents
            .into_iter()
            .map(|intent| wit::Intent {
                name: intent.name,
                confidence: intent.confidence,
            })
            .collect(),
        sentiment: match read.sentiment {
            native::Sentiment::Positive => wit::Sentiment::Positive,
            native::Sentiment::Neutral => wit::Sentiment::Neutral,
            native::Sentiment::Negative => wit::Sentiment::Negative,
        },
        urgency: match read.urgency {
            native::Urgency::Low => wit::Urgency::Low,
            native::Urgency::Normal => wit::Urgency::Normal,
            native::Urgency::High => wit::Urgency::High,
        },
        entities: read.entities.into_iter().map(entity).collect(),
        summary: None,
        suggested_reply: None,
        topics: vec![],
        lead: read.lead.map(lead),
    }
}

fn entity(entity: native::Entity) -> wit::Entity {
    wit::Entity {
        kind: entity.kind.to_owned(),
        value: entity.value,
        normalized: entity.normalized,
        start: entity.start,
        end: entity.end,
    }
}

fn lead(lead: native::Lead) -> wit::Lead {
    wit::Lead {
        score: lead.score,
        fit: lead.fit,
        engagement: lead.engagement,
        stage: match lead.stage {
            native::Stage::New => wit::Stage::New,
            native::Stage::Engaged => wit::Stage::Engaged,
            native::Stage::Qualified => wit::Stage::Qualified,
            native::Stage::Disqualified => wit::Stage::Disqualified,
            native::Stage::Customer => wit::Stage::Customer,
        },
        reasons: reasons(lead.reasons),
        bant: wit::Bant {
            budget: factor(lead.bant.budget),
            authority: factor(lead.bant.authority),
            need: factor(lead.bant.need),
            timing: factor(lead.bant.timing),
        },
    }
}

fn factor(factor: native::Factor) -> wit::Factor {
    wit::Factor {
        score: factor.score,
        reasons: reasons(factor.reasons),
    }
}

fn reasons(reasons: Vec<native::Reason>) -> Vec<wit::Reason> {
    reasons
        .into_iter()
        .map(|reason| wit::Reason {
            text: reason.text,
            message_id: reason.message_id,
        })
        .collect()
}

fn settings(settings: wit::LeadSettings) -> native::LeadSettings {
    native::LeadSettings {
        engaged: settings.engaged,
        qualified: settings.qualified,
        half_life_hours: settings.half_life_hours,
    }
}

export!(Component);
