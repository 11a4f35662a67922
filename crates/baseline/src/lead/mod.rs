//! How good a lead a conversation is: two scores, four sides, a stage, and why.
//!
//! 1. What a message shows, and its points, is a table (`sign.rs`). A sign counts once. Fit is what they
//!    told us (budget, quantity, contact data, a date, a say in it) and stays; Engagement is what they did
//!    (ask, want to buy, write again) and halves with each half-life since they last did it. The score is
//!    the sum of both, less what speaks against, between 0 and 100.
//! 2. Budget, authority, need and timing are sums of the same signs, each between 0 and 100. 0 with a
//!    reason is a known "no", 0 without one that nothing was said.
//! 3. The stage of a message is that of what it says (`shown.rs`). Of the conversation it is the first of
//!    these that holds:
//!    - `disqualified`: spam, or the last word on it is that they are not interested, want no more
//!      messages or wrote to a wrong number;
//!    - `customer`: a message is about something bought or booked;
//!    - `qualified`: a message says enough of an own wish, or one asks and another names an amount, a
//!      quantity, for how many or a day; and the score reaches the tenant's threshold;
//!    - `engaged`: a message asks for a price, what is available, or a booking; and the score reaches
//!      the tenant's threshold;
//!    - `new`: none of these.
//! 4. Same window, settings and `now`, same lead to the letter. No clock but `now` and the turns' own,
//!    no randomness, no floating point in a score. With a later `now` no score is higher.

mod decay;
mod ledger;
pub mod shown;
mod sign;

use serde::Serialize;

use crate::{Reading, Request, Role, Turn};
use ledger::{Ledger, Sums};
pub(crate) use sign::Seen;
use sign::{LEAVES, WRITES_AGAIN};

/// Messages from which somebody "writes again and again".
const MANY_MESSAGES: usize = 3;

/// Points of fit that are all of it: four facts (budget, quantity, contact, date) are what a sale needs.
const FULL_FIT: i32 = 60;

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

impl Default for Settings {
    /// Thresholds that what was just said always reaches, and a week.
    fn default() -> Self {
        Self {
            engaged: 10,
            qualified: 20,
            half_life_hours: 168,
        }
    }
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

/// The lead of `window`, whose last turn was already read as `last`. None when no customer wrote.
pub(crate) fn lead(window: &[Turn], request: &Request, last: &Reading) -> Option<Lead> {
    let settings = request.lead.unwrap_or_default();
    let mut ledger = Ledger::default();
    let mut shown = Shown::default();
    let mut messages = 0_usize;
    for (place, turn) in window
        .iter()
        .enumerate()
        .filter(|(_, turn)| turn.role == Role::Customer)
    {
        let read;
        let reading = if place + 1 == window.len() {
            last
        } else {
            read = Reading::of(turn, request);
            &read
        };
        messages += 1;
        let had_left = shown.left;
        shown.add(reading);
        if had_left && !shown.left {
            ledger.forget(&LEAVES);
        }
        for sign in sign::signs(&reading.seen()) {
            ledger.note(sign, turn, place);
        }
        if messages >= MANY_MESSAGES {
            ledger.note(&WRITES_AGAIN, turn, place);
        }
    }
    if messages == 0 {
        return None;
    }
    let (sums, reasons) = ledger.sums(request.now, settings);
    let score = sums.score();
    Some(Lead {
        score,
        fit: percent(sums.fit * 100 / FULL_FIT),
        engagement: percent(sums.engagement),
        stage: shown.stage(score, settings),
        reasons,
        bant: ledger.bant(),
    })
}

impl Sums {
    fn score(&self) -> u8 {
        percent(self.fit + self.engagement + self.against)
    }
}

/// What the messages said of the stage.
#[derive(Default)]
struct Shown {
    spam: bool,
    left: bool,
    customer: bool,
    qualified: bool,
    interested: bool,
    concrete: bool,
}

impl Shown {
    fn add(&mut self, read: &Reading) {
        match read.stage {
            Stage::Disqualified if read.is_spam() => self.spam = true,
            Stage::Disqualified => self.left = true,
            Stage::Customer => (self.customer, self.left) = (true, false),
            Stage::Qualified => (self.qualified, self.interested, self.left) = (true, true, false),
            Stage::Engaged => (self.interested, self.left) = (true, false),
            Stage::New => {}
        }
        self.concrete |= read.is_concrete && !read.is_spam();
    }

    fn stage(&self, score: u8, settings: Settings) -> Stage {
        if self.spam || self.left {
            Stage::Disqualified
        } else if self.customer {
            Stage::Customer
        } else if (self.qualified || (self.interested && self.concrete))
            && score >= settings.qualified
        {
            Stage::Qualified
        } else if self.interested && score >= settings.engaged {
            Stage::Engaged
        } else {
            Stage::New
        }
    }
}

fn percent(points: i32) -> u8 {
    u8::try_from(points.clamp(0, 100)).unwrap_or_default()
}
