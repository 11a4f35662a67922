//! From a base address to the one that is called, and whose dialect it speaks.

use crate::error::Error;

/// What differs among services that copy OpenAI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// OpenAI itself: `max_completion_tokens`, which its newer models insist on; `store` is refused.
    OpenAi,
    /// Azure: the same limit; the key has a header of its own.
    Azure,
    /// Ollama, vLLM, llama.cpp, LiteLLM: all know `max_tokens`, and Ollama ignores the newer name.
    Compatible,
}

/// The address of `leaf` under `base`. A bare origin gets `/v1`; a query stays at the end.
pub(crate) fn url(base: &str, leaf: &str) -> Result<String, Error> {
    let wrong = || Error::Other("the base address is no http or https URL".to_owned());
    let (base, query) = match base.split_once('?') {
        Some((base, query)) => (base, Some(query)),
        None => (base, None),
    };
    let (scheme, rest) = base.split_once("://").ok_or_else(wrong)?;
    let printable = |c: char| c.is_ascii_graphic() && !"@#\\\"<>".contains(c);
    let whole = rest
        .chars()
        .chain(query.unwrap_or_default().chars())
        .all(printable);
    if !matches!(scheme, "http" | "https") || !whole || authority(rest).is_empty() {
        return Err(wrong());
    }
    let rest = rest.trim_end_matches('/');
    let version = if rest.contains('/') { "" } else { "/v1" };
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    Ok(format!("{scheme}://{rest}{version}/{leaf}{query}"))
}

pub(crate) fn dialect(base: &str) -> Dialect {
    let rest = base.split_once("://").map_or(base, |(_, rest)| rest);
    let host = authority(rest)
        .split(':')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let under = |domain: &str| host.ends_with(domain);
    if host == "api.openai.com" || under(".api.openai.com") {
        Dialect::OpenAi
    } else if under(".openai.azure.com")
        || under(".cognitiveservices.azure.com")
        || under(".services.ai.azure.com")
    {
        Dialect::Azure
    } else {
        Dialect::Compatible
    }
}

fn authority(rest: &str) -> &str {
    rest.split(['/', '?']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_gets_a_version_and_a_path_does_not() {
        for (base, want) in [
            (
                "https://api.openai.com",
                Some("https://api.openai.com/v1/chat"),
            ),
            (
                "https://api.openai.com/",
                Some("https://api.openai.com/v1/chat"),
            ),
            (
                "http://127.0.0.1:4000",
                Some("http://127.0.0.1:4000/v1/chat"),
            ),
            (
                "https://a.example/openai/v1/",
                Some("https://a.example/openai/v1/chat"),
            ),
            (
                "https://r.openai.azure.com/openai/deployments/d?api-version=2024-10-21",
                Some("https://r.openai.azure.com/openai/deployments/d/chat?api-version=2024-10-21"),
            ),
            ("ftp://a.example", None),
            ("https://", None),
            ("https:///v1", None),
            ("https://key@a.example", None),
            ("https://a.example/\r\nx: y", None),
            ("https://a.example/#f", None),
            ("a.example", None),
            ("", None),
        ] {
            assert_eq!(url(base, "chat").ok().as_deref(), want, "{base}");
        }
    }

    #[test]
    fn a_dialect_is_told_by_the_whole_host() {
        for (base, want) in [
            ("https://api.openai.com", Dialect::OpenAi),
            ("https://eu.api.openai.com/v1", Dialect::OpenAi),
            ("https://API.openai.com:443", Dialect::OpenAi),
            ("https://api.openai.com.evil.example", Dialect::Compatible),
            ("https://evil.example/api.openai.com", Dialect::Compatible),
            ("https://r.openai.azure.com/openai/v1", Dialect::Azure),
            ("http://localhost:11434", Dialect::Compatible),
        ] {
            assert_eq!(dialect(base), want, "{base}");
        }
    }
}
