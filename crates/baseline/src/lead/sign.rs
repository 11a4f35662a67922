//! What a message shows of a lead, and what that is worth.

use crate::concepts::concepts;
use crate::{Entity, Intent, Sentiment, Stage, Urgency};

/// The confidence from which an intent counts that is not the first.
const SECOND_INTENT: f32 = 0.25;

/// What a score is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// What they told us; stays.
    Fit,
    /// What they did; fades.
    Engagement,
    /// What speaks against; stays.
    Against,
    /// Worth no point, but a reason of the stage.
    Stage,
    /// Of one of the four sides alone.
    Side,
}

/// Points of the four sides of a sale.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sides {
    pub budget: i32,
    pub authority: i32,
    pub need: i32,
    pub timing: i32,
}

/// One thing that a message can show.
#[derive(Debug)]
pub(super) struct Sign {
    /// As a reason calls it.
    pub text: &'static str,
    /// The intent that it is told by, whose words the reason names; else empty.
    pub intent: &'static str,
    pub part: Part,
    pub points: i32,
    pub sides: Sides,
}

const NONE: Sides = Sides {
    budget: 0,
    authority: 0,
    need: 0,
    timing: 0,
};
const fn budget(points: i32) -> Sides {
    Sides {
        budget: points,
        ..NONE
    }
}
const fn authority(points: i32) -> Sides {
    Sides {
        authority: points,
        ..NONE
    }
}
const fn need(points: i32) -> Sides {
    Sides {
        need: points,
        ..NONE
    }
}
const fn timing(points: i32) -> Sides {
    Sides {
        timing: points,
        ..NONE
    }
}

const fn sign(text: &'static str, part: Part, points: i32, sides: Sides) -> Sign {
    Sign {
        text,
        intent: "",
        part,
        points,
        sides,
    }
}
const fn told(intent: &'static str, text: &'static str, points: i32, sides: Sides) -> Sign {
    Sign {
        text,
        intent,
        part: Part::Engagement,
        points,
        sides,
    }
}

/// By intent.
static INTENTS: [Sign; 5] = [
    told(
        "purchase",
        "wants to buy",
        45,
        Sides {
            need: 50,
            timing: 25,
            ..NONE
        },
    ),
    told("booking", "wants an appointment", 45, need(50)),
    told(
        "pricing",
        "asks for a price",
        30,
        Sides {
            need: 20,
            budget: 20,
            ..NONE
        },
    ),
    told("availability", "asks what is available", 25, need(30)),
    told("human", "asks for a person", 20, NONE),
];
/// By kind of entity.
static ENTITIES: [(&str, Sign); 7] = [
    ("money", sign("names an amount", Part::Fit, 15, budget(60))),
    (
        "quantity",
        sign("names a quantity", Part::Fit, 15, need(25)),
    ),
    (
        "email",
        sign("gives an e-mail address", Part::Fit, 15, NONE),
    ),
    ("phone", sign("gives a phone number", Part::Fit, 15, NONE)),
    ("date", sign("names a date", Part::Fit, 15, timing(50))),
    ("name", sign("gives a name", Part::Fit, 5, NONE)),
    ("product", sign("names a product", Part::Side, 0, need(15))),
];
/// By idea (`concepts.txt`).
static IDEAS: [(&str, Sign); 7] = [
    (
        "decides",
        sign("decides about it", Part::Fit, 15, authority(80)),
    ),
    (
        "for_business",
        sign("buys for a business", Part::Fit, 5, authority(20)),
    ),
    (
        "asks_others",
        sign("has to ask somebody else", Part::Side, 0, authority(-40)),
    ),
    (
        "budget",
        sign("says what it may cost", Part::Side, 0, budget(30)),
    ),
    (
        "want",
        sign("says that it is wanted", Part::Side, 0, need(15)),
    ),
    ("party", sign("says for how many", Part::Side, 0, need(25))),
    (
        "later",
        sign(
            "wants it later, or looks around",
            Part::Side,
            0,
            timing(-40),
        ),
    ),
];

static SPAM: Sign = Sign {
    text: "looks like spam",
    intent: "spam",
    part: Part::Against,
    points: -100,
    sides: NONE,
};
static CANCELS: Sign = Sign {
    text: "wants to cancel or a refund",
    intent: "cancel_refund",
    part: Part::Against,
    points: -30,
    sides: NONE,
};
static HURRIES: Sign = sign("is in a hurry", Part::Engagement, 10, timing(40));
static CAN_WAIT: Sign = sign("is in no hurry", Part::Side, 0, timing(-20));
static DISPLEASED: Sign = sign("is displeased", Part::Against, -10, NONE);
/// Until they come back.
pub(super) static LEAVES: Sign = sign("does not want to hear from us", Part::Against, -50, NONE);
static BOUGHT: Sign = sign("has bought already", Part::Stage, 0, NONE);
static QUALIFIES: Sign = sign("says enough of an own wish", Part::Stage, 0, NONE);
/// From the third message on.
pub(super) static WRITES_AGAIN: Sign = sign("writes again and again", Part::Engagement, 10, NONE);

/// What the signs of one message are read from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub words: &'a [String],
    /// Most likely first.
    pub intents: &'a [Intent],
    pub entities: &'a [Entity],
    pub urgency: Urgency,
    pub sentiment: Sentiment,
    pub stage: Stage,
}

/// What a message shows. Spam shows nothing else: what it asks for is bait.
pub(super) fn signs(seen: &Seen<'_>) -> Vec<&'static Sign> {
    let first = seen
        .intents
        .first()
        .map_or("", |intent| intent.name.as_str());
    if first == "spam" && seen.stage == Stage::Disqualified {
        return vec![&SPAM];
    }
    let mut all: Vec<&'static Sign> = Vec::new();
    all.extend(INTENTS.iter().filter(|sign| {
        first == sign.intent
            || seen
                .intents
                .iter()
                .any(|intent| intent.name == sign.intent && intent.confidence >= SECOND_INTENT)
    }));
    let named = |kind: &str| seen.entities.iter().any(|entity| entity.kind == kind);
    all.extend(
        ENTITIES
            .iter()
            .filter(|(kind, _)| named(kind))
            .map(|(_, sign)| sign),
    );
    let ideas = concepts(seen.words);
    let says = |wanted: &str| ideas.iter().any(|(_, idea)| *idea == wanted);
    all.extend(
        IDEAS
            .iter()
            .filter(|(idea, _)| says(idea))
            .map(|(_, sign)| sign),
    );
    let others = [
        (seen.urgency == Urgency::High, &HURRIES),
        (seen.urgency == Urgency::Low, &CAN_WAIT),
        (first == CANCELS.intent, &CANCELS),
        (seen.sentiment == Sentiment::Negative, &DISPLEASED),
        (seen.stage == Stage::Disqualified, &LEAVES),
        (seen.stage == Stage::Customer, &BOUGHT),
        (seen.stage == Stage::Qualified, &QUALIFIES),
    ];
    all.extend(
        others
            .iter()
            .filter(|(shown, _)| *shown)
            .map(|(_, sign)| *sign),
    );
    all
}
