//! How good a lead a conversation is. Points are added up; each has a reason and the message that
//! shows it, and a reason counts once, where it is shown first.
//!
//! 1. Fit: what they told us (budget, quantity, contact data, a date). Engagement: what they do (ask,
//!    want to buy, write again). The score is their sum, less what speaks against, between 0 and 100.
//! 2. Stage: spam is `disqualified`; who writes about an order that they have is a `customer`; else by
//!    the score: [`QUALIFIED_FROM`], [`ENGAGED_FROM`], below that `new`.
//! 3. Same window, same score: no clock but the turns' own, no randomness.

use serde::Serialize;

use crate::concepts::concepts;
use crate::intent::because;
use crate::text::bounded;
use crate::{Intent, Reading, Request, Role, Sentiment, Turn, Urgency};

/// The score from which a lead is qualified.
pub const QUALIFIED_FROM: i32 = 60;
/// The score from which it is engaged.
pub const ENGAGED_FROM: i32 = 20;

/// The confidence from which an intent counts that is not the first.
const SECOND_INTENT: f32 = 0.25;
/// The confidence from which the first intent counts.
const FIRST_INTENT: f32 = 0.3;

/// What an intent is worth.
const INTENTS: [(&str, i32, &str); 5] = [
    ("purchase", 45, "wants to buy"),
    ("booking", 45, "wants an appointment"),
    ("pricing", 30, "asks for a price"),
    ("availability", 25, "asks what is available"),
    ("human", 20, "asks for a person"),
];
/// What an entity is worth.
const ENTITIES: [(&str, i32, &str); 6] = [
    ("money", 15, "names an amount"),
    ("quantity", 15, "names a quantity"),
    ("email", 15, "gives an e-mail address"),
    ("phone", 15, "gives a phone number"),
    ("date", 15, "names a date"),
    ("name", 5, "gives a name"),
];
/// Intents of those who have bought.
const CUSTOMERS: [&str; 4] = ["order_status", "support", "complaint", "cancel_refund"];
/// Ideas of what one has bought.
const OWNED: [&str; 3] = ["my_purchase", "arrived_good", "received"];
/// Intents of those who have not.
const PROSPECTS: [&str; 4] = ["availability", "pricing", "purchase", "booking"];

/// Whether a text of these words, with all its likely and unlikely intents, is by one who has bought.
/// Which of [`CUSTOMERS`] it is may be open when it is clear that it is one of them; so they count
/// together. And who thanks, jokes or asks for a person may name what they bought.
pub(crate) fn has_bought(words: &[String], intents: &[Intent]) -> bool {
    let sum = |names: &[&str]| -> f32 {
        intents
            .iter()
            .filter(|intent| names.contains(&intent.name.as_str()))
            .map(|intent| intent.confidence)
            .sum()
    };
    let first = intents.first().map_or("", |intent| intent.name.as_str());
    let customer = sum(&CUSTOMERS);
    if CUSTOMERS.contains(&first) || customer > 0.5 {
        return first != "spam";
    }
    !PROSPECTS.contains(&first)
        && first != "spam"
        && concepts(words).iter().any(|(_, idea)| OWNED.contains(idea))
}

/// Where a conversation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Nothing is known.
    New,
    /// Interested.
    Engaged,
    /// Worth a salesperson's time.
    Qualified,
    /// Not a customer to be.
    Disqualified,
    /// Has bought.
    Customer,
}

impl Stage {
    /// As the API writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Engaged => "engaged",
            Self::Qualified => "qualified",
            Self::Disqualified => "disqualified",
            Self::Customer => "customer",
        }
    }
}

/// One reason of a score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// What it is, and its points.
    pub text: String,
    /// The message that shows it.
    pub message_id: Option<String>,
}

/// A lead and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lead {
    /// 0–100.
    pub score: u8,
    /// 0–100: how much of what is needed they told us.
    pub fit: u8,
    /// 0–100: how much they want.
    pub engagement: u8,
    /// Where the conversation stands.
    pub stage: Stage,
    /// In the order of the messages.
    pub reasons: Vec<Reason>,
}

#[derive(Default)]
struct Sum {
    fit: i32,
    engagement: i32,
    against: i32,
    spam: bool,
    customer: bool,
    seen: Vec<&'static str>,
    reasons: Vec<Reason>,
}

/// The lead of `window`, whose last turn was already read as `last`. None when no customer wrote.
pub(crate) fn lead(window: &[Turn], request: &Request, last: &Reading) -> Option<Lead> {
    let mut sum = Sum::default();
    let mut messages = 0_usize;
    for (index, turn) in window
        .iter()
        .enumerate()
        .filter(|(_, turn)| turn.role == Role::Customer)
    {
        let read;
        let reading = if index + 1 == window.len() {
            last
        } else {
            read = Reading::of(&turn.text, request);
            &read
        };
        messages += 1;
        sum.add(turn, reading);
        if messages == 3 {
            sum.engagement += sum.reason("writes again and again", 10, turn);
        }
    }
    (messages > 0).then(|| sum.lead())
}

impl Sum {
    fn add(&mut self, turn: &Turn, read: &Reading) {
        let first = read
            .intents
            .first()
            .map_or("", |intent| intent.name.as_str());
        if first == "spam" {
            self.spam = true;
            self.against += self.intent("looks like spam", -100, turn, "spam");
            return;
        }
        for (name, points, text) in INTENTS {
            let least = if name == first {
                FIRST_INTENT
            } else {
                SECOND_INTENT
            };
            if read.confidence(name) >= least {
                self.engagement += self.intent(text, points, turn, name);
            }
        }
        for (kind, points, text) in ENTITIES {
            if read.entities.iter().any(|entity| entity.kind == kind) {
                self.fit += self.reason(text, points, turn);
            }
        }
        if read.urgency == Urgency::High {
            self.engagement += self.reason("is in a hurry", 10, turn);
        }
        if first == "cancel_refund" {
            self.against += self.intent("wants to cancel or a refund", -30, turn, first);
        }
        if read.sentiment == Sentiment::Negative {
            self.against += self.reason("is displeased", -10, turn);
        }
        if read.has_bought {
            self.customer = true;
            self.reason("has bought already", 0, turn);
        }
    }

    /// Notes a reason and gives its points, or 0 when it was noted before.
    fn reason(&mut self, text: &'static str, points: i32, turn: &Turn) -> i32 {
        if self.seen.contains(&text) {
            return 0;
        }
        self.seen.push(text);
        let counted = if points == 0 {
            text.to_owned()
        } else {
            format!("{text} ({points:+})")
        };
        self.reasons.push(Reason {
            text: counted,
            message_id: Some(turn.message_id.clone()),
        });
        points
    }

    /// Like [`Self::reason`], with the words that the intent was told by.
    fn intent(&mut self, text: &'static str, points: i32, turn: &Turn, intent: &str) -> i32 {
        let counted = self.reason(text, points, turn);
        if counted != 0 {
            let words = because(bounded(&turn.text), intent);
            if let Some(reason) = self.reasons.last_mut().filter(|_| !words.is_empty()) {
                reason.text = format!("{}: {}", reason.text, words.join(", "));
            }
        }
        counted
    }

    fn lead(self) -> Lead {
        let score = percent(self.fit + self.engagement + self.against);
        let stage = if self.spam {
            Stage::Disqualified
        } else if self.customer {
            Stage::Customer
        } else if i32::from(score) >= QUALIFIED_FROM {
            Stage::Qualified
        } else if i32::from(score) >= ENGAGED_FROM {
            Stage::Engaged
        } else {
            Stage::New
        };
        Lead {
            score,
            // Four facts (budget, quantity, contact, date) are all that a sale needs.
            fit: percent(self.fit * 100 / 60),
            engagement: percent(self.engagement),
            stage,
            reasons: self.reasons,
        }
    }
}

fn percent(points: i32) -> u8 {
    u8::try_from(points.clamp(0, 100)).unwrap_or_default()
}
