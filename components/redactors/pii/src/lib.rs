//! `redactor-pii`: takes personal data out of text without any capability. What it does is in the
//! crate `chatly-redact`.

wit_bindgen::generate!({ path: "../../../wit", world: "redactor", generate_all });

use chatly::types::enrichment::RedactedText;
use exports::chatly::redactor::redactor::{Guest, Redaction, Replacement};

struct Component;

impl Guest for Component {
    fn redact(texts: Vec<String>, region: Option<String>) -> Vec<Redaction> {
        chatly_redact::redact(&texts, region.as_deref())
            .into_iter()
            .map(|redaction| Redaction {
                text: RedactedText {
                    text: redaction.text,
                },
                replacements: redaction
                    .replacements
                    .into_iter()
                    .map(replacement)
                    .collect(),
            })
            .collect()
    }
}

fn replacement(replacement: chatly_redact::Replacement) -> Replacement {
    Replacement {
        placeholder: replacement.placeholder,
        kind: replacement.kind.name().to_owned(),
        original: replacement.original,
    }
}

export!(Component);
