//! Holds the baseline against labelled messages.
//!
//! Input: one JSON object a line, `{"text", "language", "intent", "sentiment"?, "stage"?, "topic"?}`;
//! blank lines are skipped. `accuracy` and `macro_f1` are of the intent, the latter over the intents that the file
//! has; a figure whose label no line has is null.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{Request, Role, Stage, Turn, enrich};

/// When labelled messages count as written: 2 March 2026, noon UTC, in Unix milliseconds. Any day would
/// do, but a day and a month alone are a date only at a time when people chat.
pub const NOW: u64 = 1_772_452_800_000;

/// Why a file cannot be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A line is not what it should be.
    #[error("line {line}: {reason}")]
    Line {
        /// From 1.
        line: usize,
        /// What is wrong, without the line's text.
        reason: String,
    },
    /// There is no labelled message.
    #[error("no labelled message")]
    Empty,
}

/// A labelled message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Labelled {
    /// What was written.
    pub text: String,
    /// ISO 639-1.
    pub language: String,
    /// What it is mainly about.
    pub intent: String,
    /// `positive`, `neutral` or `negative`.
    #[serde(default)]
    pub sentiment: Option<String>,
    /// The stage of a conversation of this message alone.
    #[serde(default)]
    pub stage: Option<String>,
    /// The line of business that it is written to.
    #[serde(default)]
    pub topic: Option<String>,
}

/// A part of a set, by topic, so that no line of business is in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Two thirds of the topics: their errors may be read.
    Development,
    /// The other third, of which only figures are looked at.
    Test,
}

/// The topics of `part`: of all topics of a set in alphabetical order, the second of each three is a
/// test topic.
#[must_use]
pub fn topics<'a>(set: &'a [Labelled], part: Part) -> BTreeSet<&'a str> {
    let all: BTreeSet<&'a str> = set.iter().filter_map(|one| one.topic.as_deref()).collect();
    all.into_iter()
        .enumerate()
        .filter(|(place, _)| (place % 3 == 1) == (part == Part::Test))
        .map(|(_, topic)| topic)
        .collect()
}

/// How often a label was right.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Share {
    /// Messages.
    pub messages: u32,
    /// Of which the intent was right.
    pub right: u32,
    /// `right` of `messages`.
    pub accuracy: f64,
    /// Of which the language was right.
    pub language_accuracy: f64,
    #[serde(skip)]
    language_right: u32,
}

/// How well one intent was found.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Score {
    /// Messages with this label.
    pub messages: u32,
    /// Of those that were given it, how many have it.
    pub precision: f64,
    /// Of those that have it, how many were given it.
    pub recall: f64,
    /// The harmonic mean of both.
    pub f1: f64,
}

/// What [`evaluate`] found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Messages.
    pub messages: usize,
    /// Share of messages whose intent was right.
    pub accuracy: f64,
    /// Mean of the intents' F1.
    pub macro_f1: f64,
    /// Share of messages whose language was right.
    pub language_accuracy: f64,
    /// Share of right sentiments among the messages that have one.
    pub sentiment_accuracy: Option<f64>,
    /// Share of right stages among the messages that have one.
    pub stage_accuracy: Option<f64>,
    /// By language.
    pub languages: BTreeMap<String, Share>,
    /// By intent.
    pub intents: BTreeMap<String, Score>,
    /// How often an intent (outer) was taken for another (inner).
    pub confusion: BTreeMap<String, BTreeMap<String, u32>>,
}

/// Reads the labelled messages of a file.
///
/// # Errors
/// [`Error`] for the first line that is not one, or when there is none.
pub fn read(file: &str) -> Result<Vec<Labelled>, Error> {
    let mut all = Vec::new();
    for (index, line) in file
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let labelled = serde_json::from_str(line)
            .map_err(|error| error.to_string())
            .and_then(checked)
            .map_err(|reason| Error::Line {
                line: index + 1,
                reason,
            })?;
        all.push(labelled);
    }
    if all.is_empty() {
        Err(Error::Empty)
    } else {
        Ok(all)
    }
}

fn checked(labelled: Labelled) -> Result<Labelled, String> {
    for (field, value) in [
        ("language", &labelled.language),
        ("intent", &labelled.intent),
    ] {
        if value.trim().is_empty() {
            return Err(format!("`{field}` is empty"));
        }
    }
    let stages = [
        Stage::New,
        Stage::Engaged,
        Stage::Qualified,
        Stage::Disqualified,
        Stage::Customer,
    ]
    .map(Stage::name);
    let choices = [
        (
            "sentiment",
            &labelled.sentiment,
            &["positive", "neutral", "negative"][..],
        ),
        ("stage", &labelled.stage, &stages[..]),
    ];
    for (field, value, known) in choices {
        if value
            .as_deref()
            .is_some_and(|value| !known.contains(&value))
        {
            return Err(format!("`{field}` is none of {}", known.join(", ")));
        }
    }
    Ok(labelled)
}

/// Enriches each message of `file` as a conversation of its own and compares.
///
/// # Errors
/// Those of [`read`].
pub fn evaluate(file: &str) -> Result<Report, Error> {
    Ok(measure(&read(file)?))
}

/// Enriches each of these messages as a conversation of its own and compares.
#[must_use]
pub fn measure(all: &[Labelled]) -> Report {
    let mut languages: BTreeMap<String, Share> = BTreeMap::new();
    let mut confusion: BTreeMap<String, BTreeMap<String, u32>> = BTreeMap::new();
    let (mut sentiments, mut stages) = (Tally::default(), Tally::default());
    for labelled in all {
        let turn = Turn {
            message_id: String::new(),
            role: Role::Customer,
            at: NOW,
            text: labelled.text.clone(),
        };
        let request = Request {
            now: NOW,
            ..Request::default()
        };
        let got = enrich(&[turn], &request);
        let intent = got
            .intents
            .first()
            .map_or("", |intent| intent.name.as_str());
        *confusion
            .entry(labelled.intent.clone())
            .or_default()
            .entry(intent.to_owned())
            .or_default() += 1;
        let share = languages.entry(labelled.language.clone()).or_default();
        share.messages += 1;
        share.right += u32::from(intent == labelled.intent);
        share.language_right += u32::from(got.language == labelled.language);
        sentiments.add(labelled.sentiment.as_deref(), got.sentiment.name());
        stages.add(
            labelled.stage.as_deref(),
            got.lead.map_or("", |lead| lead.stage.name()),
        );
    }
    for share in languages.values_mut() {
        share.accuracy = ratio(share.right, share.messages);
        share.language_accuracy = ratio(share.language_right, share.messages);
    }
    let intents: BTreeMap<String, Score> = confusion
        .keys()
        .map(|intent| (intent.clone(), score(intent, &confusion)))
        .collect();
    let messages = languages.values().map(|share| share.messages).sum();
    Report {
        messages: all.len(),
        accuracy: ratio(languages.values().map(|share| share.right).sum(), messages),
        macro_f1: rounded(
            intents.values().map(|score| score.f1).sum::<f64>() / intents.len().max(1) as f64,
        ),
        language_accuracy: ratio(
            languages.values().map(|share| share.language_right).sum(),
            messages,
        ),
        sentiment_accuracy: sentiments.share(),
        stage_accuracy: stages.share(),
        languages,
        intents,
        confusion,
    }
}

#[derive(Default)]
struct Tally {
    asked: u32,
    right: u32,
}

impl Tally {
    fn add(&mut self, want: Option<&str>, got: &str) {
        if let Some(want) = want {
            self.asked += 1;
            self.right += u32::from(want == got);
        }
    }

    fn share(&self) -> Option<f64> {
        (self.asked > 0).then(|| ratio(self.right, self.asked))
    }
}

fn score(intent: &str, confusion: &BTreeMap<String, BTreeMap<String, u32>>) -> Score {
    let row = confusion.get(intent);
    let messages = row.map_or(0, |row| row.values().sum());
    let right = row
        .and_then(|row| row.get(intent))
        .copied()
        .unwrap_or_default();
    let given: u32 = confusion.values().filter_map(|row| row.get(intent)).sum();
    Score {
        messages,
        precision: ratio(right, given),
        recall: ratio(right, messages),
        f1: ratio(2 * right, messages + given),
    }
}

fn ratio(part: u32, whole: u32) -> f64 {
    if whole == 0 {
        0.0
    } else {
        rounded(f64::from(part) / f64::from(whole))
    }
}

/// Four digits: more would pretend to a precision that a few hundred messages do not have.
fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_add_up() {
        let file = r#"
            {"text":"hello","language":"en","intent":"greeting","sentiment":"neutral","stage":"new"}
            {"text":"how much is it?","language":"en","intent":"pricing"}
            {"text":"how much is it?","language":"en","intent":"support"}
        "#;
        let report = evaluate(file).unwrap();
        assert_eq!((report.messages, report.accuracy), (3, 0.6667));
        assert_eq!(report.macro_f1, 0.5556);
        assert_eq!(report.intents["pricing"].precision, 0.5);
        assert_eq!(report.confusion["support"]["pricing"], 1);
        assert_eq!(report.languages["en"].right, 2);
        assert_eq!(
            (report.sentiment_accuracy, report.stage_accuracy),
            (Some(1.0), Some(1.0))
        );
    }

    #[test]
    fn a_bad_line_is_named() {
        let good = r#"{"text":"a","language":"en","intent":"other"}"#;
        for (name, bad, want) in [
            ("no JSON", "x", "line 2: expected value"),
            (
                "no intent",
                r#"{"text":"a","language":"en"}"#,
                "line 2: missing field `intent`",
            ),
            (
                "empty",
                r#"{"text":"a","language":"","intent":"x"}"#,
                "line 2: `language` is empty",
            ),
            (
                "stage",
                r#"{"text":"a","language":"en","intent":"x","stage":"hot"}"#,
                "line 2: `stage` is none of new",
            ),
        ] {
            let error = evaluate(&format!("{good}\n{bad}\n"))
                .unwrap_err()
                .to_string();
            assert!(error.starts_with(want), "{name}: {error}");
        }
        assert_eq!(evaluate(" \n"), Err(Error::Empty));
    }
}
