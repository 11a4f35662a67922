//! Trains the models of `chatly-baseline` from the texts in `train/`, deterministically:
//!
//! ```sh
//! cargo run --release -p chatly-baseline --example train             # writes model/*.bin
//! cargo run --release -p chatly-baseline --example train -- --folds  # cross-validation only
//! cargo run --release -p chatly-baseline --example train -- --wrong  # and what it got wrong
//! ```
//!
//! Cross-validation leaves out a fifth of the topics at a time, in all languages at once; it also says
//! which temperature suits each model. The sets in `eval/` are never read here.

mod corpus;
mod learn;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use chatly_baseline::features::{Features, INTENT, LANGUAGE, features};
use chatly_baseline::intent;
use chatly_baseline::model::Model;
use chatly_baseline::sentiment;
use chatly_baseline::text::{Accents, words};
use chatly_random::Random;

use corpus::{Corpus, Message, Sample, message};
use learn::{Example, Settings, cool, temperature};

const SEED: u64 = 0x0005_eed0_fc4a_7119;
const FOLDS: usize = 5;

/// Fewer say nothing about a language.
const LETTERS: usize = 3;

/// What is learnt: the class of a sample (none when empty), how a text is taken apart, what the crate
/// makes of a text by a model, and how to learn.
struct Task {
    file: &'static str,
    class: fn(&Sample) -> &str,
    features: fn(&Sample) -> Features,
    judge: fn(&[Model], &Sample) -> String,
    settings: Settings,
    /// What `--folds` last said: the number that makes the model as sure as it is right.
    temperature: f32,
}

const TASKS: [Task; 4] = [
    Task {
        file: "intent.bin",
        class: |sample| &sample.intent,
        features: |sample| features(&sample.text, INTENT),
        judge: |models, sample| {
            intents(models, sample)
                .into_iter()
                .next()
                .map_or_else(|| intent::OTHER.to_owned(), |first| first.name)
        },
        settings: Settings {
            epochs: 12,
            rate: 0.5,
            decay: 2e-5,
            keep: 26_000,
        },
        temperature: 0.96,
    },
    Task {
        file: "sentiment.bin",
        class: |sample| &sample.sentiment,
        features: |sample| {
            sentiment::features(&words(&sample.text, Accents::Fold), &sample.language)
        },
        judge: |models, sample| {
            let words = words(&sample.text, Accents::Fold);
            models.get(1).map_or_else(String::new, |model| {
                sentiment::judge(model, &words, &sample.language, &intents(models, sample))
                    .name()
                    .to_owned()
            })
        },
        settings: Settings {
            epochs: 10,
            rate: 0.2,
            decay: 1e-5,
            keep: 14_000,
        },
        temperature: 1.19,
    },
    Task {
        file: "language.bin",
        class: |sample| {
            if sample.text.chars().filter(|c| c.is_alphabetic()).count() < LETTERS {
                ""
            } else {
                &sample.language
            }
        },
        features: |sample| features(&sample.text, LANGUAGE),
        judge: |models, sample| {
            models.get(2).map_or_else(String::new, |model| {
                best(model, &model.scores(&features(&sample.text, LANGUAGE)))
            })
        },
        settings: Settings {
            epochs: 6,
            rate: 0.4,
            decay: 2e-6,
            keep: 13_000,
        },
        temperature: 0.84,
    },
    Task {
        file: "stage.bin",
        class: |sample| &sample.stage,
        features: |sample| message(&sample.text).features(),
        judge: |models, sample| {
            models.get(3).map_or_else(String::new, |model| {
                message(&sample.text)
                    .judge(model, &intents(models, sample))
                    .name()
                    .to_owned()
            })
        },
        settings: Settings {
            epochs: 10,
            rate: 0.3,
            decay: 2e-5,
            keep: 14_000,
        },
        temperature: 1.0,
    },
];

fn main() -> Result<(), Box<dyn Error>> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = Corpus::read(&home.join("train"))?;
    let said = |word: &str| std::env::args().any(|argument| argument == word);
    let (wrong, only) = (said("--wrong"), said("--folds") || said("--wrong"));
    println!(
        "{} messages, {} templates",
        corpus.messages.len(),
        corpus.templates.len()
    );
    if only {
        cross_validate(&corpus, wrong);
        return Ok(());
    }
    for task in &TASKS {
        let mut model = train(task, &corpus, |_| true);
        cool(&mut model, task.temperature);
        model.digest = corpus.digest;
        let file = model.encode();
        std::fs::write(home.join("model").join(task.file), &file)?;
        println!(
            "{}: {} features, {} bytes",
            task.file,
            model.buckets.len(),
            file.len()
        );
    }
    Ok(())
}

fn intents(models: &[Model], sample: &Sample) -> Vec<intent::Intent> {
    models
        .first()
        .and_then(|model| intent::judge(model, &sample.text, &[]))
        .unwrap_or_default()
}

fn train(task: &Task, corpus: &Corpus, wanted: impl Fn(&Message) -> bool) -> Model {
    let mut random = Random::new(SEED);
    let mut classes: Vec<String> = Vec::new();
    let mut examples = Vec::new();
    for sample in corpus.samples(&mut random, wanted) {
        let name = (task.class)(&sample);
        if name.is_empty() {
            continue;
        }
        let class = classes
            .iter()
            .position(|known| known == name)
            .unwrap_or_else(|| {
                classes.push(name.to_owned());
                classes.len() - 1
            });
        examples.push(Example {
            features: (task.features)(&sample),
            class,
            weight: sample.weight,
        });
    }
    learn::learn(&classes, &examples, &task.settings, &mut random)
}

fn best(model: &Model, scores: &[f32]) -> String {
    model
        .classes
        .iter()
        .zip(scores)
        .max_by(|a, b| a.1.total_cmp(b.1))
        .map_or_else(String::new, |(class, _)| class.name.clone())
}

/// Right, given and had, per class.
type Tally = BTreeMap<String, (u32, u32, u32)>;

/// What left-out messages say of a task.
#[derive(Default)]
struct Outcome {
    classes: Tally,
    languages: Tally,
    held_out: Vec<(Vec<f32>, usize)>,
}

/// Trains on four fifths of the topics, asks about the messages of the last fifth, and reports, with the
/// temperature that suits the answers.
fn cross_validate(corpus: &Corpus, wrong: bool) {
    let mut topics: Vec<&str> = corpus.messages.iter().map(|m| m.topic.as_str()).collect();
    topics.sort_unstable();
    topics.dedup();
    Random::new(SEED).shuffle(&mut topics);
    let fold_of = |message: &Message| {
        topics
            .iter()
            .position(|topic| *topic == message.topic)
            .map_or(0, |place| place % FOLDS)
    };
    let mut outcomes: [Outcome; TASKS.len()] = Default::default();
    for fold in 0..FOLDS {
        let models: Vec<Model> = TASKS
            .iter()
            .map(|task| train(task, corpus, |message| fold_of(message) != fold))
            .collect();
        for message in corpus.messages.iter().filter(|m| fold_of(m) == fold) {
            for ((task, model), outcome) in TASKS.iter().zip(&models).zip(&mut outcomes) {
                let sample = &message.sample;
                let want = (task.class)(sample);
                if want.is_empty() {
                    continue;
                }
                let got = (task.judge)(&models, sample);
                outcome.add(want, &got, &sample.language);
                if wrong && got != want {
                    println!(
                        "  {} {want:>13} taken for {got:<13} {}",
                        sample.language, sample.text
                    );
                }
                if let Some(class) = model.classes.iter().position(|class| class.name == want) {
                    let scores = model.scores(&(task.features)(sample));
                    outcome.held_out.push((scores, class));
                }
            }
        }
    }
    for (task, outcome) in TASKS.iter().zip(&outcomes) {
        report(task.file, outcome, temperature(&outcome.held_out));
    }
}

impl Outcome {
    fn add(&mut self, want: &str, got: &str, language: &str) {
        count(&mut self.classes, want, got);
        count(
            &mut self.languages,
            language,
            if want == got { language } else { "" },
        );
    }
}

fn count(tally: &mut Tally, want: &str, got: &str) {
    tally.entry(want.to_owned()).or_default().2 += 1;
    tally.entry(got.to_owned()).or_default().1 += 1;
    if want == got {
        tally.entry(want.to_owned()).or_default().0 += 1;
    }
}

fn report(name: &str, outcome: &Outcome, temperature: f32) {
    let (tally, languages) = (&outcome.classes, &outcome.languages);
    let (right, had) = tally
        .values()
        .fold((0, 0), |sum, class| (sum.0 + class.0, sum.1 + class.2));
    let f1 = |(right, given, had): &(u32, u32, u32)| {
        2.0 * f64::from(*right) / f64::from((given + had).max(1))
    };
    let macro_f1 = tally.values().map(f1).sum::<f64>() / tally.len().max(1) as f64;
    println!(
        "{name}: {right} of {had} messages of left-out topics right ({:.3}), macro-F1 {macro_f1:.3}, temperature {temperature}",
        f64::from(right) / f64::from(had.max(1))
    );
    for (class, counts) in tally {
        print!("  {class} {:.2}", f1(counts));
    }
    println!();
    for (language, (right, _, had)) in languages.iter().filter(|(_, counts)| counts.2 > 0) {
        print!("  {language} {:.3}", f64::from(*right) / f64::from(*had));
    }
    println!();
}
