//! Spin's own interface. It cannot be interrupted: the deadline only keeps a second call back.

use chatly_understand::Error;
use spin_sdk::llm::{
    self, Error as LlmError, InferencingModel, InferencingParams, InferencingResult,
};

pub fn infer(model: &str, prompt: &str, max_tokens: u32) -> Result<InferencingResult, Error> {
    // The likeliest token, and no penalty for repetition: JSON repeats itself.
    let params = InferencingParams {
        max_tokens,
        temperature: 0.0,
        repeat_penalty: 1.0,
        ..InferencingParams::default()
    };
    llm::infer_with_options(InferencingModel::Other(model), prompt, params).map_err(|error| {
        match error {
            LlmError::ModelNotSupported => Error::Refused("the model is not supported".to_owned()),
            // Their words may repeat the prompt.
            LlmError::InvalidInput(_) => {
                Error::Refused("the model is not granted, or its input is invalid".to_owned())
            }
            LlmError::RuntimeError(_) => Error::Unavailable("the model did not run".to_owned()),
        }
    })
}
