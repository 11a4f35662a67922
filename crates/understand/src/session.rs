//! One enrichment: a first call, at most one repair, and what both used.

use serde_json::{Value, json};

use crate::answer::{self, Enriched};
use crate::call::{Api, Call, Provider, Response};
use crate::classify::classify;
use crate::error::Error;
use crate::prompt::{Request, instructions};
use crate::schema::{self, Fault};
use crate::usage::{Spent, Usage, estimate_tokens};
use crate::window::{self, Turn};
use crate::{anthropic, openai, spin, text};

/// Characters of a rejected answer that go back.
const MAX_REJECTED: usize = 4_000;
/// Characters of a model's name.
const MAX_MODEL: usize = 200;

/// What is asked, whatever the protocol.
pub(crate) struct Asked<'a> {
    pub instructions: &'a str,
    pub schema: &'a Value,
    /// Lines of JSON.
    pub data: &'a str,
}

/// What a protocol found in a success.
pub(crate) enum Read {
    Form(String),
    /// A fault that shows outside of the form, and the form as far as it came.
    Fault(Fault, String),
    Refused(&'static str),
    Failed(String),
}

/// What comes next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// It is understood.
    Done(Box<Enriched>),
    /// The answer did not fit. Send this, if there is time, and otherwise [`Session::give_up`].
    Repair(Call),
    /// There is no answer.
    Failed(Error),
}

/// One enrichment. Send [`Session::first`], hand in what came of it, do as the [`Step`] says.
pub struct Session {
    provider: Provider,
    instructions: String,
    intents: Vec<String>,
    schema: Value,
    lines: String,
    texts: Vec<String>,
    now: u64,
    first: Call,
    sent: u32,
    fault: Option<Fault>,
    usage: Usage,
}

impl Session {
    /// # Errors
    /// [`Error::Other`] without a turn, without a well-formed model name, or when the base address
    /// is none.
    pub fn new(provider: Provider, window: &[Turn], request: &Request) -> Result<Self, Error> {
        let named = !provider.model.is_empty()
            && text::head(&provider.model, MAX_MODEL) == provider.model
            && !provider.model.contains(char::is_control);
        if !named {
            return Err(Error::Other("the model has no well-formed name".to_owned()));
        }
        if window.is_empty() {
            return Err(Error::Other("the window has no turn".to_owned()));
        }
        let taxonomy = request.taxonomy();
        let schema = schema::schema(&taxonomy);
        let instructions = instructions(request);
        let lines = window::lines(window);
        let asked = Asked {
            instructions: &instructions,
            schema: &schema,
            data: &lines,
        };
        let first = call(&provider, &asked)?;
        Ok(Self {
            usage: Usage {
                model: provider.model.clone(),
                ..Usage::default()
            },
            intents: taxonomy.into_iter().map(str::to_owned).collect(),
            texts: window.iter().map(|turn| turn.text.clone()).collect(),
            now: request.now,
            sent: estimate_tokens(first.text()),
            fault: None,
            provider,
            instructions,
            schema,
            lines,
            first,
        })
    }

    /// The first call.
    pub fn first(&self) -> Call {
        self.first.clone()
    }

    /// An upper guess of the tokens of the first call, for who reserves before asking.
    pub fn estimate(&self) -> (u32, u32) {
        (self.sent, self.provider.output_tokens())
    }

    /// What was used so far.
    pub fn usage(&self) -> &Usage {
        &self.usage
    }

    /// Takes what a service answered over HTTP. An answer that is no success used no tokens.
    pub fn answered(&mut self, response: &Response) -> Step {
        if let Err(error) = classify(response, self.now) {
            self.usage.add(Spent::default());
            return Step::Failed(self.safe(error));
        }
        let (spent, read) = match self.provider.api {
            Api::Anthropic => anthropic::read(&response.body, self.sent),
            Api::OpenAi | Api::Spin => openai::read(&response.body, self.sent),
        };
        self.take(spent, read)
    }

    /// Takes what Spin's interface gave.
    pub fn inferred(&mut self, text: &str, input_tokens: u32, output_tokens: u32) -> Step {
        let (spent, read) = spin::read(text, input_tokens, output_tokens, self.sent);
        self.take(spent, read)
    }

    /// No whole answer came. What was `sent` may have been billed in full, and is counted so.
    pub fn lost(&mut self, error: Error, sent: bool) -> Error {
        if sent {
            let (input, output) = self.estimate();
            self.usage.add(Spent { input, output });
        }
        self.safe(error)
    }

    /// No time for the repair.
    pub fn give_up(&self) -> Error {
        let fault = self.fault.unwrap_or(Fault::Empty);
        Error::InvalidAnswer(fault.to_string())
    }

    fn take(&mut self, spent: Spent, read: Read) -> Step {
        let (input, output) = self.estimate();
        self.usage.add(spent.within(Spent { input, output }));
        let (fault, rejected) = match read {
            Read::Failed(message) => return Step::Failed(self.safe(Error::Unavailable(message))),
            Read::Refused(why) => return Step::Failed(Error::Refused(why.to_owned())),
            Read::Fault(fault, form) => (fault, form),
            Read::Form(form) => {
                let intents: Vec<&str> = self.intents.iter().map(String::as_str).collect();
                let last = self.texts.last().map_or("", String::as_str);
                match answer::read(&form, &intents, last) {
                    Ok(enriched) => return Step::Done(Box::new(enriched)),
                    Err(fault) => (fault, form),
                }
            }
        };
        let repaired = self.fault.replace(fault).is_some();
        if repaired {
            Step::Failed(self.give_up())
        } else {
            self.repair(fault, &rejected)
        }
    }

    fn repair(&mut self, fault: Fault, rejected: &str) -> Step {
        let line = json!({
            "rejected_answer": text::head(rejected, MAX_REJECTED),
            "problem": fault.to_string(),
        });
        let data = format!("{}{line}\n", self.lines);
        let asked = Asked {
            instructions: &self.instructions,
            schema: &self.schema,
            data: &data,
        };
        match call(&self.provider, &asked) {
            Ok(call) => {
                self.sent = estimate_tokens(call.text());
                Step::Repair(call)
            }
            Err(error) => Step::Failed(error),
        }
    }

    fn safe(&self, error: Error) -> Error {
        error.without(
            &self.provider.api_key.0,
            self.texts.iter().map(String::as_str),
        )
    }
}

fn call(provider: &Provider, asked: &Asked<'_>) -> Result<Call, Error> {
    match provider.api {
        Api::OpenAi => openai::call(provider, asked),
        Api::Anthropic => anthropic::call(provider, asked),
        Api::Spin => Ok(spin::call(provider, asked)),
    }
}

#[cfg(test)]
mod tests;
