//! A server that runs models, by one of the two protocols that Spin knows.
//!
//! The error texts are Spin's, its slips included: components may show them. So a URL in them, or
//! in a log, has neither user and password nor a query.

mod open_ai;
mod plain;

use async_trait::async_trait;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use url::Url;

use super::client::{self, Failure};
use super::{
    Backend, EmbeddingsResult, Error, InferencingParams, InferencingResult, MAX_RESULT_BYTES,
};

/// `[llm_compute]` of type `remote_http` in the runtime configuration.
#[derive(Clone, Deserialize)]
pub struct Settings {
    /// Where the server is. Its path is replaced by the protocol's.
    #[serde(deserialize_with = "address")]
    pub url: Url,
    /// What it wants as a bearer token.
    pub auth_token: String,
    /// What it speaks.
    #[serde(default)]
    pub api_type: Api,
}

fn address<'de, D: Deserializer<'de>>(from: D) -> Result<Url, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map_err(D::Error::custom)
}

/// A protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Api {
    /// Chat completions and embeddings as OpenAI and many others have them.
    OpenAi,
    /// `/infer` and `/embed`, Spin's own.
    #[default]
    Default,
}

/// A server that runs models.
pub struct Remote {
    settings: Settings,
}

impl Remote {
    /// The server that `settings` name. Connects to nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// Posts `body` to `path` and reads what comes back; `place` is where Spin says an
    /// unreadable answer came from.
    async fn ask<R: DeserializeOwned>(
        &self,
        path: &str,
        place: &str,
        body: serde_json::Result<Vec<u8>>,
    ) -> Result<R, Error> {
        let body = body.map_err(|_| failed("Failed to serialize JSON"))?;
        let url = self.settings.url.join(path);
        let url = url.map_err(|_| failed("Failed to create URL"))?;
        let shown = shown(&url);
        tracing::debug!(url = shown, "asking a language model");
        let answer = client::post(&url, &self.settings.auth_token, body).await;
        let answer = answer.map_err(|failure| match failure {
            Failure::Token => failed("Failed to create authorization header"),
            Failure::Send => failed(format!(
                "POST {path} request error: error sending request for url ({shown})"
            )),
            Failure::Read => failed("POST /infer request error: error decoding response body"),
            Failure::TooLarge => failed(format!(
                "query result exceeds limit of {MAX_RESULT_BYTES} bytes"
            )),
        })?;
        serde_json::from_slice(&answer)
            .map_err(|error| failed(format!("Failed to deserialize response {place}: {error}")))
    }
}

#[async_trait]
impl Backend for Remote {
    async fn infer(
        &self,
        model: String,
        prompt: String,
        params: InferencingParams,
    ) -> Result<InferencingResult, Error> {
        match self.settings.api_type {
            Api::Default => plain::infer(self, &model, &prompt, params).await,
            Api::OpenAi => open_ai::infer(self, &model, &prompt, params).await,
        }
    }

    async fn embed(&self, model: String, texts: Vec<String>) -> Result<EmbeddingsResult, Error> {
        match self.settings.api_type {
            Api::Default => plain::embed(self, &model, &texts).await,
            Api::OpenAi => open_ai::embed(self, &model, &texts).await,
        }
    }
}

/// `url` as others may see it: what proves who asks is left out.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Neither fails where there is something to remove: such a URL has a host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

fn failed(text: impl Into<String>) -> Error {
    Error::RuntimeError(text.into())
}
