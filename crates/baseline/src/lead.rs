//! How good a lead a conversation is. Points are added up; each has a reason and the message that
//! shows it, and a reason counts once, where it is shown first.
//!
//! 1. Fit: what they told us (budget, quantity, contact data, a date). Engagement: what they do (ask,
//!    want to buy, write again). The score is their sum, less what speaks against, between 0 and 100;
//!    it ranks conversations of one stage.
//! 2. The stage follows from what was shown, not from the score; the first of these that holds:
//!    - `disqualified`: spam, or the last word on it is that they are not interested, want no more
//!      messages or wrote to a wrong number;
//!    - `customer`: the message is about something bought or booked (order status, support, complaint,
//!      cancellation, an own booking, thanks for what was got);
//!    - `qualified`: wants to buy now, or shows an interest and names an amount, a budget, a quantity,
//!      for how many or a day. A day in a question of what there is names the offer ("Saturday's show") or asks how fast
//!      it comes, so it does not count;
//!    - `engaged`: asks for a price, what is available, or a booking;
//!    - `new`: none of these: greetings, thanks, opening hours, the way, jobs, asking for a person.
//! 3. Same window, same score: no clock but the turns' own, no randomness.

use serde::Serialize;

use crate::concepts::concepts;
use crate::intent::because;
use crate::text::bounded;
use crate::{Intent, Reading, Request, Role, Sentiment, Turn, Urgency};

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
/// Ideas of a booking that one has.
const BOOKED: [&str; 2] = ["my_booking", "reschedule"];
/// Intents of those who have not.
const PROSPECTS: [&str; 4] = ["availability", "pricing", "purchase", "booking"];

/// Ideas of those who want to hear no more, or never meant to write to this business.
const LEFT: [&str; 2] = ["opt_out", "wrong_chat"];
/// What makes an interest a concrete one.
const CONCRETE: [&str; 3] = ["money", "quantity", "date"];

/// Whether these words say for how many people or how many nights.
pub(crate) fn names_party(words: &[String]) -> bool {
    concepts(words).iter().any(|(_, idea)| *idea == "party")
}

/// Whether a text of these words, with all its intents, says that its writer does not want to be a
/// customer. Who asks for an offer or about an order has not left, whatever else they say.
pub(crate) fn has_left(words: &[String], intents: &[Intent]) -> bool {
    let first = intents.first().map_or("", |intent| intent.name.as_str());
    let ideas = concepts(words);
    let says = |wanted: &str| ideas.iter().any(|(_, idea)| *idea == wanted);
    match first {
        "availability" | "pricing" | "purchase" | "booking" | "order_status" | "support" => false,
        "cancel_refund" => says("opt_out") && !says("member_of"),
        _ => LEFT.iter().any(|idea| says(idea)),
    }
}

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
    let says = |wanted: &[&str]| {
        concepts(words)
            .iter()
            .any(|(_, idea)| wanted.contains(idea))
    };
    match first {
        "spam" => false,
        "booking" => says(&BOOKED),
        "thanks" => says(&OWNED) || says(&["enjoyed"]),
        first => !PROSPECTS.contains(&first) && says(&OWNED),
    }
}

/// Where a conversation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// No sign of wanting to buy: a greeting, opening hours, a job, asks for a person.
    New,
    /// Asks for a price, what there is, or a booking.
    Engaged,
    /// Wants to buy now, or named an amount, budget, quantity or day of an own wish.
    Qualified,
    /// Spam, not interested, unsubscribes, a wrong number.
    Disqualified,
    /// Writes about something bought or booked.
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

/// One side of a lead.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Factor {
    /// 0–100; 0 without a reason when nothing was said about it.
    pub score: u8,
    /// In the order of the messages.
    pub reasons: Vec<Reason>,
}

/// What a sale takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Bant {
    /// Money to spend.
    pub budget: Factor,
    /// A say in it.
    pub authority: Factor,
    /// Something wanted.
    pub need: Factor,
    /// A time to have it by.
    pub timing: Factor,
}

/// From when a tenant takes a conversation for a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The score that [`Stage::Engaged`] takes beside what was said.
    pub engaged: u8,
    /// The score that [`Stage::Qualified`] takes beside what was said.
    pub qualified: u8,
    /// Hours in which engagement halves; 0 means that it never fades.
    pub half_life_hours: u32,
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
    /// Its four sides.
    pub bant: Bant,
}

#[derive(Default)]
struct Sum {
    fit: i32,
    engagement: i32,
    against: i32,
    spam: bool,
    left: bool,
    customer: bool,
    interested: bool,
    concrete: bool,
    buys: bool,
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
                self.buys |= name == "purchase";
            }
        }
        self.interested |= PROSPECTS.contains(&first);
        for (kind, points, text) in ENTITIES {
            if read.entities.iter().any(|entity| entity.kind == kind) {
                self.fit += self.reason(text, points, turn);
                self.concrete |=
                    CONCRETE.contains(&kind) && (kind != "date" || first != "availability");
            }
        }
        if read.names_party {
            self.reason("says for how many", 0, turn);
            self.concrete = true;
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
        if read.has_left {
            self.against += self.reason("does not want to hear from us", -50, turn);
            self.left = true;
        } else if PROSPECTS.contains(&first) || CUSTOMERS.contains(&first) {
            self.left = false;
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
        let stage = if self.spam || self.left {
            Stage::Disqualified
        } else if self.customer {
            Stage::Customer
        } else if self.buys || (self.interested && self.concrete) {
            Stage::Qualified
        } else if self.interested {
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
            bant: Bant::default(),
        }
    }
}

fn percent(points: i32) -> u8 {
    u8::try_from(points.clamp(0, 100)).unwrap_or_default()
}
