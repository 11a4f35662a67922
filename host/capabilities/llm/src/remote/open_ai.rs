//! Chat completions and embeddings, in the form that OpenAI's API has made common
//! (<https://platform.openai.com/docs/api-reference>).
//!
//! Of the parameters it has a place for `max-tokens` and `repeat-penalty` only, as Spin
//! sends them.

use serde::{Deserialize, Serialize};

use super::super::{
    EmbeddingsResult, EmbeddingsUsage, Error, InferencingParams, InferencingResult,
    InferencingUsage,
};
use super::Remote;

const CHAT: &str = "/v1/chat/completions";
const EMBEDDINGS: &str = "/v1/embeddings";

#[derive(Serialize)]
struct Chat<'a> {
    messages: [Prompt<'a>; 1],
    model: &'a str,
    max_completion_tokens: u32,
    frequency_penalty: f32,
}

#[derive(Serialize)]
struct Prompt<'a> {
    role: &'static str,
    content: &'a str,
}

#[derive(Serialize)]
struct Embed<'a> {
    input: &'a [String],
    model: &'a str,
}

/// What was asked for, or the server's reason.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answer<R> {
    Done(R),
    Refused { error: Reason },
}

#[derive(Deserialize)]
struct Reason {
    message: String,
}

#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
    usage: CompletionUsage,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    content: String,
}

#[derive(Deserialize)]
struct CompletionUsage {
    completion_tokens: u32,
    prompt_tokens: u32,
}

#[derive(Deserialize)]
struct Embeddings {
    data: Vec<Embedding>,
    usage: EmbeddingUsage,
}

#[derive(Deserialize)]
struct Embedding {
    embedding: Vec<f32>,
}

#[derive(Deserialize)]
struct EmbeddingUsage {
    prompt_tokens: u32,
}

impl<R> Answer<R> {
    fn into_result(self) -> Result<R, Error> {
        match self {
            Self::Done(answer) => Ok(answer),
            Self::Refused { error } => Err(Error::RuntimeError(error.message)),
        }
    }
}

/// See [`super::super::Backend::infer`].
pub(super) async fn infer(
    server: &Remote,
    model: &str,
    prompt: &str,
    params: InferencingParams,
) -> Result<InferencingResult, Error> {
    let body = serde_json::to_vec(&Chat {
        messages: [Prompt {
            role: "user",
            content: prompt,
        }],
        model,
        max_completion_tokens: params.max_tokens,
        frequency_penalty: params.repeat_penalty,
    });
    let place = format!("for \"POST  {CHAT}\"");
    let answer: Answer<Completion> = server.ask(CHAT, &place, body).await?;
    let Completion { choices, usage } = answer.into_result()?;
    let first = choices.into_iter().next();
    Ok(InferencingResult {
        text: first.map_or_else(String::new, |choice| choice.message.content),
        usage: InferencingUsage {
            prompt_token_count: usage.prompt_tokens,
            generated_token_count: usage.completion_tokens,
        },
    })
}

/// See [`super::super::Backend::embed`].
pub(super) async fn embed(
    server: &Remote,
    model: &str,
    texts: &[String],
) -> Result<EmbeddingsResult, Error> {
    let body = serde_json::to_vec(&Embed {
        input: texts,
        model,
    });
    let place = format!(" for \"POST  {EMBEDDINGS}\"");
    let answer: Answer<Embeddings> = server.ask(EMBEDDINGS, &place, body).await?;
    let Embeddings { data, usage } = answer.into_result()?;
    Ok(EmbeddingsResult {
        embeddings: data.into_iter().map(|one| one.embedding).collect(),
        usage: EmbeddingsUsage {
            prompt_token_count: usage.prompt_tokens,
        },
    })
}
