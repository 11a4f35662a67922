//! How long 200 rules over one message take, the first time (conditions are parsed) and later.

use std::io::{self, Write};
use std::time::Instant;

use chatly_rules::{StoredRule, route};

fn main() -> io::Result<()> {
    let rules: Vec<StoredRule> = (0..200)
        .map(|i| StoredRule {
            id: format!("r{i}"),
            condition: format!(
                "enrichment.intent == \"pricing\" && lead.score > {} && \
                 message.text.lower().contains(\"word{i}\") || contact.tags.exists(t, t == \"vip{i}\")",
                i % 100
            ),
            actions: "[{\"do\":\"enrich\"}]".to_owned(),
            ..StoredRule::default()
        })
        .collect();
    let facts = "{\"message\":{\"text\":\"Hola, quiero 20 unidades azules\"},\
        \"enrichment\":{\"intent\":\"pricing\"},\"lead\":{\"score\":70},\
        \"contact\":{\"tags\":[\"a\",\"b\",\"vip7\"]}}";
    for run in ["first", "second", "third"] {
        let start = Instant::now();
        let outcome = route(&rules, facts);
        let (took, matched) = (start.elapsed(), outcome.decisions.len());
        writeln!(
            io::stdout(),
            "{run} run: {took:?}, {matched} of 200 matched"
        )?;
    }
    Ok(())
}
