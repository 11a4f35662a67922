//! The stage that one message shows by itself.
//!
//! 1. Two answers are averaged: one follows from the message's intents, each as much as it is likely,
//!    so that it need not be clear whether one asks for a repair or complains to be known for a
//!    customer; the other is a linear model's over the words, ideas and what is named.
//! 2. An amount, a quantity, for how many or a day makes an interest a concrete one. A day in a question
//!    of what there is does not count: it names the offer ("Saturday's show") or asks how fast it comes;
//!    nor does a weight, which is that of a parcel.

use std::sync::LazyLock;

use super::Stage;
use crate::concepts::concepts;
use crate::features::{Features, STAGE, of_words};
use crate::model::{Model, softmax};
use crate::{Entity, Intent};

static MODEL: LazyLock<Option<Model>> =
    LazyLock::new(|| Model::decode(include_bytes!("../../model/stage.bin")).ok());

/// How much the model counts beside the intents.
const MODEL_SHARE: f32 = 0.4;

/// How much something named counts in the model beside a word.
const NAMED: f32 = 1.2;

/// Ideas of what one has bought.
const OWNED: [&str; 3] = ["my_purchase", "arrived_good", "received"];
/// Ideas of a booking that one has.
const BOOKED: [&str; 2] = ["my_booking", "reschedule"];
/// Ideas of those who want to hear no more, or never meant to write to this business.
const LEFT: [&str; 2] = ["opt_out", "wrong_chat"];

/// All stages.
pub const STAGES: [Stage; 5] = [
    Stage::New,
    Stage::Engaged,
    Stage::Qualified,
    Stage::Disqualified,
    Stage::Customer,
];

/// A message, as far as its stage follows from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    words: Vec<String>,
    ideas: Vec<&'static str>,
    named: Vec<&'static str>,
}

impl Message {
    /// Of these (folded) words and what they name.
    #[must_use]
    pub fn new(words: &[String], entities: &[Entity]) -> Self {
        let ideas: Vec<&'static str> = concepts(words).into_iter().map(|(_, idea)| idea).collect();
        let mut named: Vec<&'static str> = Vec::new();
        for entity in entities {
            let kind = entity.kind;
            let counts = match kind {
                "money" | "date" => true,
                "quantity" => !is_weight(&entity.value),
                _ => false,
            };
            if counts && !named.contains(&kind) {
                named.push(kind);
            }
        }
        if ideas.contains(&"party") {
            named.push("party");
        }
        Self {
            words: words.to_vec(),
            ideas,
            named,
        }
    }

    /// Whether it names what makes an interest a concrete one, when it is about `intent`.
    #[must_use]
    pub fn is_concrete(&self, intent: &str) -> bool {
        self.named
            .iter()
            .any(|kind| *kind != "date" || intent != "availability")
    }

    /// Whether it says how much or how many: who does and asks for a person has an own wish.
    fn names_amount(&self) -> bool {
        self.named
            .iter()
            .any(|kind| matches!(*kind, "money" | "quantity"))
    }

    /// The stage of a message that is about `intent` alone.
    #[must_use]
    pub fn stage_of(&self, intent: &str) -> Stage {
        let says = |wanted: &[&str]| self.ideas.iter().any(|idea| wanted.contains(idea));
        match intent {
            "spam" => Stage::Disqualified,
            "order_status" | "support" => Stage::Customer,
            "cancel_refund" if says(&["opt_out"]) && !says(&["member_of"]) => Stage::Disqualified,
            "complaint" if says(&LEFT) => Stage::Disqualified,
            "cancel_refund" | "complaint" => Stage::Customer,
            "booking" if says(&BOOKED) => Stage::Customer,
            "purchase" => Stage::Qualified,
            "booking" | "pricing" | "availability" => {
                if self.is_concrete(intent) {
                    Stage::Qualified
                } else {
                    Stage::Engaged
                }
            }
            _ if says(&LEFT) => Stage::Disqualified,
            "human" if self.names_amount() && !says(&OWNED) => Stage::Qualified,
            "thanks" if says(&["enjoyed"]) => Stage::Customer,
            _ if says(&OWNED) => Stage::Customer,
            _ => Stage::New,
        }
    }

    /// What the model weighs.
    #[must_use]
    pub fn features(&self) -> Features {
        let named: Vec<(&str, f32)> = self.named.iter().map(|kind| (*kind, NAMED)).collect();
        of_words(&self.words, STAGE, &named)
    }

    /// The stage, by all intents, likely and unlikely.
    pub(crate) fn stage(&self, intents: &[Intent]) -> Stage {
        MODEL
            .as_ref()
            .map_or(Stage::New, |model| self.judge(model, intents))
    }

    /// The stage that `model` and these intents say.
    #[must_use]
    pub fn judge(&self, model: &Model, intents: &[Intent]) -> Stage {
        let shares = softmax(&model.scores(&self.features()));
        let share = |stage: Stage| {
            model
                .classes
                .iter()
                .position(|class| class.name == stage.name())
                .and_then(|place| shares.get(place).copied())
                .unwrap_or_default()
        };
        let by_intent = |stage: Stage| -> f32 {
            intents
                .iter()
                .filter(|intent| self.stage_of(&intent.name) == stage)
                .map(|intent| intent.confidence)
                .sum()
        };
        let mut best = (Stage::New, f32::MIN);
        for stage in STAGES {
            let sum = MODEL_SHARE * share(stage) + (1.0 - MODEL_SHARE) * by_intent(stage);
            if sum > best.1 {
                best = (stage, sum);
            }
        }
        best.0
    }
}

/// "8 kilos", "5kg".
fn is_weight(quantity: &str) -> bool {
    let lower = quantity.to_lowercase();
    let rest = lower.trim_start_matches(|c: char| !c.is_alphabetic());
    let unit = rest.split_whitespace().next().unwrap_or_default();
    ["kg", "kgs", "kilo", "kilos", "quilo", "quilos", "kwh"].contains(&unit)
}
