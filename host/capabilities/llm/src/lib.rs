//! `fermyon:spin/llm@2.0.0`: language models for components, by the names that the manifest grants.
//!
//! 1. A model that `ai_models` does not name is `invalid-input`, in Spin's words.
//! 2. Behind all of them is one [`Backend`], which the runtime configuration decides: a server
//!    that speaks one of the two protocols that Spin knows. Without one every call is Spin's
//!    `runtime-error` of a build without local models.
//! 3. An answer is at most [`MAX_RESULT_BYTES`] long and comes within [`DEADLINE`].
//!
//! It runs no model itself, follows no redirects and repeats no call.
#![deny(missing_docs)]

mod client;
mod remote;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chatly_manifest::Component;
use tracing::instrument;
use wasmtime::component::{HasData, Linker};

pub use bindings::fermyon::spin::llm::{
    EmbeddingsResult, EmbeddingsUsage, Error, InferencingParams, InferencingResult,
    InferencingUsage,
};
pub use remote::{Api, Remote, Settings};

use bindings::fermyon::spin::llm;

mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "chatly:llm-capability/capability",
        imports: { default: async | trappable },
    });
}

/// Bytes that a server may answer with: Spin's `MAX_HOST_BUFFERED_BYTES`.
pub const MAX_RESULT_BYTES: usize = 128 << 20;

/// Longest wait for an answer: as long as a component's own request may wait for one.
pub const DEADLINE: Duration = Duration::from_secs(600);

/// The models that the manifest allows one component: its `ai_models`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grant {
    models: BTreeSet<String>,
}

impl Grant {
    /// The grant of one component.
    pub fn new(component: &Component) -> Self {
        component.ai_models.iter().cloned().collect()
    }

    /// Whether the component may use `model`.
    pub fn allows(&self, model: &str) -> bool {
        self.models.contains(model)
    }
}

impl FromIterator<String> for Grant {
    fn from_iter<I: IntoIterator<Item = String>>(models: I) -> Self {
        Self {
            models: models.into_iter().collect(),
        }
    }
}

/// What stands behind the models of the app.
#[derive(Clone)]
pub struct Shared {
    backend: Arc<dyn Backend>,
}

impl Shared {
    /// The server that `[llm_compute]` of the runtime configuration names, or none.
    pub fn new(settings: Option<Settings>) -> Self {
        match settings {
            Some(settings) => Self::with(Arc::new(Remote::new(settings))),
            None => Self::default(),
        }
    }

    /// Puts `backend` behind all models.
    pub fn with(backend: Arc<dyn Backend>) -> Self {
        Self { backend }
    }
}

impl Default for Shared {
    fn default() -> Self {
        Self::with(Arc::new(Nobody))
    }
}

/// The models of one instance.
#[derive(Clone)]
pub struct State {
    grant: Arc<Grant>,
    shared: Arc<Shared>,
}

impl State {
    /// A new instance's state.
    pub fn new(grant: Arc<Grant>, shared: Arc<Shared>) -> Self {
        Self { grant, shared }
    }

    /// What a span shows of a model's name: those that the manifest has, not a text of any length.
    fn shown<'a>(&self, model: &'a str) -> Option<&'a str> {
        self.grant.allows(model).then_some(model)
    }

    /// The backend, when the component may use `model`.
    fn backend(&self, model: &str) -> Result<Arc<dyn Backend>, Error> {
        if self.grant.allows(model) {
            return Ok(self.shared.backend.clone());
        }
        tracing::warn!(
            model,
            add = format!("ai_models = [{model:?}]"),
            "refused a language model that the manifest does not grant"
        );
        // Spin's sentence.
        Err(Error::InvalidInput(format!(
            "The component does not have access to use '{model}'. To give the component access, add '{model}' to the 'ai_models' key for the component in your spin.toml manifest"
        )))
    }
}

/// Offers `fermyon:spin/llm@2.0.0` to components.
///
/// # Errors
///
/// When the linker has the interface already.
pub fn link<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: fn(&mut T) -> &mut State,
) -> wasmtime::Result<()> {
    llm::add_to_linker::<T, Data>(linker, get)
}

/// Tells wasmtime that the interface works on a [`State`].
struct Data;

impl HasData for Data {
    type Data<'a> = &'a mut State;
}

/// Whatever runs models.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Generates text that follows `prompt`.
    ///
    /// # Errors
    ///
    /// [`Error::RuntimeError`] when it cannot be had.
    async fn infer(
        &self,
        model: String,
        prompt: String,
        params: InferencingParams,
    ) -> Result<InferencingResult, Error>;

    /// Makes a vector of each of `texts`.
    ///
    /// # Errors
    ///
    /// [`Error::RuntimeError`] when they cannot be had.
    async fn embed(&self, model: String, texts: Vec<String>) -> Result<EmbeddingsResult, Error>;
}

/// Stands where no backend is configured.
struct Nobody;

impl Nobody {
    /// What a Spin without local models says.
    fn refusal<R>() -> Result<R, Error> {
        Err(Error::RuntimeError(
            "Local LLM operations are not supported in this version of Spin.".to_owned(),
        ))
    }
}

#[async_trait]
impl Backend for Nobody {
    async fn infer(
        &self,
        _model: String,
        _prompt: String,
        _params: InferencingParams,
    ) -> Result<InferencingResult, Error> {
        Self::refusal()
    }

    async fn embed(&self, _model: String, _texts: Vec<String>) -> Result<EmbeddingsResult, Error> {
        Self::refusal()
    }
}

/// What Spin takes for parameters that a component does not give.
const USUAL: InferencingParams = InferencingParams {
    max_tokens: 100,
    repeat_penalty: 1.1,
    repeat_penalty_last_n_token_count: 64,
    temperature: 0.8,
    top_k: 40,
    top_p: 0.9,
};

impl llm::Host for State {
    #[instrument(name = "spin_llm.infer", level = "debug", skip_all, fields(otel.kind = "client", model = self.shown(&model)))]
    async fn infer(
        &mut self,
        model: String,
        prompt: String,
        params: Option<InferencingParams>,
    ) -> wasmtime::Result<Result<InferencingResult, Error>> {
        Ok(match self.backend(&model) {
            Ok(backend) => backend.infer(model, prompt, params.unwrap_or(USUAL)).await,
            Err(refused) => Err(refused),
        })
    }

    #[instrument(name = "spin_llm.generate_embeddings", level = "debug", skip_all, fields(otel.kind = "client", model = self.shown(&model)))]
    async fn generate_embeddings(
        &mut self,
        model: String,
        texts: Vec<String>,
    ) -> wasmtime::Result<Result<EmbeddingsResult, Error>> {
        Ok(match self.backend(&model) {
            Ok(backend) => backend.embed(model, texts).await,
            Err(refused) => Err(refused),
        })
    }
}

#[cfg(test)]
mod tests;
