//! What is sent, and what comes back.

use std::fmt;

/// How a service is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// Chat completions, as OpenAI and those who copy it understand them.
    OpenAi,
    /// Anthropic's messages.
    Anthropic,
    /// Spin's `llm` interface.
    Spin,
}

/// A key. Is never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Key(
    /// The key itself; empty where a service needs none.
    pub String,
);

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// A service and what it may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// How it is spoken to.
    pub api: Api,
    /// An origin, or a base with a path.
    pub base_url: String,
    /// Empty: no header is sent.
    pub api_key: Key,
    /// The model's name, as the service knows it.
    pub model: String,
    /// Tokens that one call may answer with; 0 means 1024.
    pub max_output_tokens: u32,
}

impl Provider {
    /// Room for a form that is full, in a language of many tokens a word.
    const OUTPUT_TOKENS: u32 = 1024;

    pub(crate) fn output_tokens(&self) -> u32 {
        match self.max_output_tokens {
            0 => Self::OUTPUT_TOKENS,
            set => set,
        }
    }
}

/// One request.
#[derive(Clone, PartialEq, Eq)]
pub enum Call {
    /// `POST` of a JSON body.
    Http {
        /// Where to.
        url: String,
        /// Names in small letters. Values hold the key.
        headers: Vec<(&'static str, String)>,
        /// JSON.
        body: String,
    },
    /// Spin's `infer`.
    Spin {
        /// The model.
        model: String,
        /// Instructions, schema and conversation.
        prompt: String,
        /// Tokens of the answer.
        max_tokens: u32,
    },
}

/// Headers hold a key and bodies a conversation: only the address is printed.
impl fmt::Debug for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http { url, .. } => write!(formatter, "Http({url})"),
            Self::Spin { model, .. } => write!(formatter, "Spin({model})"),
        }
    }
}

impl Call {
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Http { body, .. } => body,
            Self::Spin { prompt, .. } => prompt,
        }
    }
}

/// What a service answered over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Header names in any case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body as far as it came.
    pub body: Vec<u8>,
}
