//! Prints the report on a file of labelled messages:
//! `cargo run --release -p chatly-baseline --example evaluate -- crates/baseline/eval/messages.jsonl`.
//!
//! `--topics development` and `--topics test` keep the messages of two thirds and of the other third of
//! the file's topics; `--lines` then prints those messages, and not the report. `--wrong` prints, before
//! the report, each message whose stage or intent was told wrong; it is refused for test topics.

use std::error::Error;

use chatly_baseline::evaluate::{Labelled, NOW, Part, measure, read, topics};
use chatly_baseline::{Request, Role, Turn, enrich};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (mut path, mut part, mut wrong, mut lines) = (None, None, false, false);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--wrong" => wrong = true,
            "--lines" => lines = true,
            "--topics" => {
                part = Some(match arguments.next().as_deref() {
                    Some("development") => Part::Development,
                    Some("test") => Part::Test,
                    _ => return Err("--topics takes development or test".into()),
                });
            }
            _ => path = Some(argument),
        }
    }
    let path = path.ok_or("usage: evaluate FILE [--topics development|test] [--lines|--wrong]")?;
    if wrong && (part == Some(Part::Test) || path.contains("test")) {
        return Err("the errors of the test topics are not for reading".into());
    }
    let file = std::fs::read_to_string(path)?;
    let mut set = read(&file)?;
    if let Some(part) = part {
        let kept = topics(&set, part);
        if lines {
            print_lines(&file, &set, |topic| kept.contains(topic));
            return Ok(());
        }
        let of = |one: &Labelled| {
            one.topic
                .as_deref()
                .is_some_and(|topic| kept.contains(topic))
        };
        let keep: Vec<bool> = set.iter().map(of).collect();
        let mut keep = keep.into_iter();
        set.retain(|_| keep.next().unwrap_or_default());
    }
    if wrong {
        set.iter().for_each(print_wrong);
    }
    println!("{}", serde_json::to_string_pretty(&measure(&set))?);
    Ok(())
}

fn print_lines(file: &str, set: &[Labelled], wanted: impl Fn(&str) -> bool) {
    let lines = file.lines().filter(|line| !line.trim().is_empty());
    for (line, one) in lines.zip(set) {
        if one.topic.as_deref().is_some_and(&wanted) {
            println!("{line}");
        }
    }
}

fn print_wrong(one: &Labelled) {
    let turn = Turn {
        message_id: String::new(),
        role: Role::Customer,
        at: NOW,
        text: one.text.clone(),
    };
    let request = Request {
        now: NOW,
        ..Request::default()
    };
    let got = enrich(&[turn], &request);
    let intent = got.intents.first().map_or("", |first| first.name.as_str());
    let stage = got.lead.map_or("", |lead| lead.stage.name());
    let want = one.stage.as_deref().unwrap_or(stage);
    if intent != one.intent || stage != want {
        println!(
            "{} {want:>12} told {stage:<12} | {:>12} told {intent:<12} | {}",
            one.language, one.intent, one.text
        );
    }
}
