//! Spin's own protocol: `/infer` and `/embed`.

use serde::Deserialize;
use serde_json::json;

use super::super::{
    EmbeddingsResult, EmbeddingsUsage, Error, InferencingParams, InferencingResult,
    InferencingUsage,
};
use super::Remote;

#[derive(Deserialize)]
struct Inferred {
    text: String,
    usage: InferUsage,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InferUsage {
    prompt_token_count: u32,
    generated_token_count: u32,
}

#[derive(Deserialize)]
struct Embedded {
    embeddings: Vec<Vec<f32>>,
    usage: EmbedUsage,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EmbedUsage {
    prompt_token_count: u32,
}

/// See [`super::super::Backend::infer`].
pub(super) async fn infer(
    server: &Remote,
    model: &str,
    prompt: &str,
    params: InferencingParams,
) -> Result<InferencingResult, Error> {
    let body = serde_json::to_vec(&json!({
        "model": model,
        "prompt": prompt,
        "options": {
            "maxTokens": params.max_tokens,
            "repeatPenalty": params.repeat_penalty,
            "repeatPenaltyLastNTokenCount": params.repeat_penalty_last_n_token_count,
            "temperature": params.temperature,
            "topK": params.top_k,
            "topP": params.top_p,
        },
    }));
    let place = r#"for "POST  /index""#;
    let Inferred { text, usage } = server.ask("/infer", place, body).await?;
    Ok(InferencingResult {
        text,
        usage: InferencingUsage {
            prompt_token_count: usage.prompt_token_count,
            generated_token_count: usage.generated_token_count,
        },
    })
}

/// See [`super::super::Backend::embed`].
pub(super) async fn embed(
    server: &Remote,
    model: &str,
    texts: &[String],
) -> Result<EmbeddingsResult, Error> {
    let body = serde_json::to_vec(&json!({ "model": model, "input": texts }));
    let place = r#" for "POST  /embed""#;
    let Embedded { embeddings, usage } = server.ask("/embed", place, body).await?;
    Ok(EmbeddingsResult {
        embeddings,
        usage: EmbeddingsUsage {
            prompt_token_count: usage.prompt_token_count,
        },
    })
}
