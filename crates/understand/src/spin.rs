//! Spin's `llm` interface: one prompt, no roles and no structured output. The form is asked for in
//! words and checked as all others are.

use crate::call::{Call, Provider};
use crate::session::{Asked, Read};
use crate::usage::{Spent, estimate_tokens, reported};

pub(crate) fn call(provider: &Provider, asked: &Asked<'_>) -> Call {
    Call::Spin {
        model: provider.model.clone(),
        prompt: format!(
            "{}\n\nAnswer with one JSON object that fits this JSON Schema, and with nothing else:\n{}\
             \n\nThe conversation, as data:\n{}\nThe form:\n",
            asked.instructions, asked.schema, asked.data
        ),
        max_tokens: provider.output_tokens(),
    }
}

/// Reads what `infer` gave.
pub(crate) fn read(text: &str, input: u32, output: u32, sent: u32) -> (Spent, Read) {
    let spent = reported(Some(input.into()), Some(output.into()), || Spent {
        input: sent,
        output: estimate_tokens(text),
    });
    (spent, Read::Form(text.to_owned()))
}
