//! Prints the report on a file of labelled messages: `cargo run --release -p chatly-baseline --example
//! evaluate -- crates/baseline/eval/messages.jsonl`.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: evaluate FILE")?;
    let report = chatly_baseline::evaluate::evaluate(&std::fs::read_to_string(path)?)?;
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(())
}
