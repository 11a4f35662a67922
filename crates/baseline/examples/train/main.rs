//! Trains the models of `chatly-baseline` from the texts beside it, deterministically:
//!
//! ```sh
//! cargo run --release -p chatly-baseline --example train             # writes model/*.bin
//! cargo run --release -p chatly-baseline --example train -- --folds  # cross-validation only
//! ```
//!
//! Cross-validation leaves out whole templates, not expansions of them: a template whose twin was
//! trained on would be guessed too well. The set in `eval/` is never read here.

mod corpus;
mod learn;
mod random;

use std::error::Error;
use std::path::Path;

use chatly_baseline::features::{INTENT, LANGUAGE, Recipe, features};
use chatly_baseline::model::Model;

use corpus::{Corpus, Sample};
use learn::{Example, Settings};
use random::Random;

const SEED: u64 = 0x0005_eed0_fc4a_7119;
const FOLDS: usize = 5;

/// What is learnt: the class of a sample, how a text is taken apart, and how many features stay.
struct Task {
    file: &'static str,
    class: fn(&Sample) -> &str,
    recipe: Recipe,
    settings: Settings,
}

const TASKS: [Task; 2] = [
    Task {
        file: "intent.bin",
        class: |sample| &sample.intent,
        recipe: INTENT,
        settings: Settings {
            epochs: 14,
            rate: 0.4,
            decay: 2e-6,
            keep: 24_000,
        },
    },
    Task {
        file: "language.bin",
        class: |sample| &sample.language,
        recipe: LANGUAGE,
        settings: Settings {
            epochs: 10,
            rate: 0.4,
            decay: 2e-6,
            keep: 14_000,
        },
    },
];

fn main() -> Result<(), Box<dyn Error>> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = Corpus::read(&home.join("train"))?;
    let folds = std::env::args().any(|argument| argument == "--folds");
    println!("{} templates", corpus.templates.len());
    for task in &TASKS {
        if folds {
            cross_validate(task, &corpus);
            continue;
        }
        let model = train(task, &corpus, |_| true);
        let path = home.join("model").join(task.file);
        std::fs::create_dir_all(home.join("model"))?;
        let file = model.encode();
        std::fs::write(&path, &file)?;
        println!(
            "{}: {} features, {} bytes",
            task.file,
            model.buckets.len(),
            file.len()
        );
    }
    Ok(())
}

fn train(task: &Task, corpus: &Corpus, wanted: impl Fn(usize) -> bool) -> Model {
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
            features: features(&sample.text, task.recipe),
            class,
        });
    }
    println!("{}: {} examples", task.file, examples.len());
    learn::learn(&classes, &mut examples, &task.settings, &mut random)
}

/// Trains on four fifths of the templates, asks about plain expansions of the last fifth.
fn cross_validate(task: &Task, corpus: &Corpus) {
    let (mut asked, mut right) = (0_u32, 0_u32);
    for fold in 0..FOLDS {
        let held_out = |index: usize| Random::new(SEED ^ index as u64).below(FOLDS) == fold;
        let model = train(task, corpus, |index| !held_out(index));
        for sample in corpus.plain(&mut Random::new(SEED), held_out) {
            let want = (task.class)(&sample);
            if want.is_empty() {
                continue;
            }
            let scores = model.scores(&features(&sample.text, task.recipe));
            let best = model
                .classes
                .iter()
                .zip(&scores)
                .max_by(|a, b| a.1.total_cmp(b.1));
            let got = best.map_or("", |(class, _)| class.name.as_str());
            asked += 1;
            right += u32::from(got == want);
            if got != want {
                println!("  {want:>13} taken for {got:<13} {}", sample.text);
            }
        }
    }
    println!(
        "{}: {right} of {asked} left-out templates right ({:.3})",
        task.file,
        f64::from(right) / f64::from(asked.max(1))
    );
}
