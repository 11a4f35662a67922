//! The signs of a conversation, each once, and the sums over them.

use super::decay::faded;
use super::sign::{Part, Sides, Sign};
use super::{Bant, Factor, Reason};
use crate::intent::because;
use crate::text::bounded;
use crate::{LeadSettings, Turn};

/// A reason names words of the message, which are as long as the customer likes; so many characters of
/// each are named.
const WORD_CHARS: usize = 40;

/// What was shown, by whom and when.
struct Entry<'a> {
    sign: &'static Sign,
    turn: &'a Turn,
    /// The turn's place in the window.
    place: usize,
}

/// What a conversation showed.
#[derive(Default)]
pub(super) struct Ledger<'a> {
    entries: Vec<Entry<'a>>,
}

/// Sums of points, none of them cut.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sums {
    pub fit: i32,
    pub engagement: i32,
    pub against: i32,
}

impl<'a> Ledger<'a> {
    /// Notes what `turn` shows. What was told counts where it was told first; what was done, where it
    /// was done last, since that has faded least.
    pub fn note(&mut self, sign: &'static Sign, turn: &'a Turn, place: usize) {
        let same = |entry: &&mut Entry<'_>| entry.sign.text == sign.text;
        match self.entries.iter_mut().find(same) {
            None => self.entries.push(Entry { sign, turn, place }),
            Some(entry) if sign.part == Part::Engagement => *entry = Entry { sign, turn, place },
            Some(_) => {}
        }
    }

    /// Takes back what a later message took back.
    pub fn forget(&mut self, sign: &Sign) {
        self.entries.retain(|entry| entry.sign.text != sign.text);
    }

    /// The sums and their reasons, in the order of the messages.
    pub fn sums(&mut self, now: u64, settings: LeadSettings) -> (Sums, Vec<Reason>) {
        self.entries.sort_by_key(|entry| entry.place);
        let mut sums = Sums::default();
        let mut reasons = Vec::new();
        for entry in &self.entries {
            let points = entry.sign.points;
            let counted = match entry.sign.part {
                Part::Fit => {
                    sums.fit += points;
                    format!("({points:+})")
                }
                Part::Against => {
                    sums.against += points;
                    format!("({points:+})")
                }
                Part::Engagement => {
                    let age = now.saturating_sub(entry.turn.at);
                    let left = faded(points, age, settings.half_life_hours);
                    sums.engagement += left;
                    if left == points {
                        format!("({points:+})")
                    } else {
                        format!("({left:+} of {points})")
                    }
                }
                Part::Stage => String::new(),
                Part::Side => continue,
            };
            reasons.push(entry.reason(&counted));
        }
        (sums, reasons)
    }

    /// The four sides; nothing of them fades.
    pub fn bant(&self) -> Bant {
        Bant {
            budget: self.side(|sides| sides.budget),
            authority: self.side(|sides| sides.authority),
            need: self.side(|sides| sides.need),
            timing: self.side(|sides| sides.timing),
        }
    }

    fn side(&self, points: impl Fn(&Sides) -> i32) -> Factor {
        let mut sum = 0;
        let mut reasons = Vec::new();
        for entry in &self.entries {
            let points = points(&entry.sign.sides);
            if points != 0 {
                sum += points;
                reasons.push(entry.reason(&format!("({points:+})")));
            }
        }
        Factor {
            score: super::percent(sum),
            reasons,
        }
    }
}

impl Entry<'_> {
    fn reason(&self, counted: &str) -> Reason {
        let mut text = [self.sign.text, counted].join(" ").trim_end().to_owned();
        if !self.sign.intent.is_empty() {
            let words: Vec<String> = because(bounded(&self.turn.text), self.sign.intent)
                .iter()
                .map(|word| word.chars().take(WORD_CHARS).collect())
                .collect();
            if !words.is_empty() {
                text = format!("{text}: {}", words.join(", "));
            }
        }
        Reason {
            text,
            message_id: Some(self.turn.message_id.clone()),
        }
    }
}
