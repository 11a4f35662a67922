//! The capability as a guest sees it, before a server that the test plays.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use wasmtime::Engine;

use super::llm::Host as _;
use super::*;

fn state(settings: Option<Settings>) -> State {
    let grant = Grant::from_iter(["llama".to_owned()]);
    State::new(Arc::new(grant), Arc::new(Shared::new(settings)))
}

fn settings(port: u16, api_type: Api) -> Option<Settings> {
    Some(Settings {
        url: format!("http://127.0.0.1:{port}/ignored").parse().unwrap(),
        auth_token: "s3cret".to_owned(),
        api_type,
    })
}

/// A server that answers one request after the other; what it was asked.
async fn serve(answers: Vec<Vec<u8>>) -> (u16, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, asked) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !is_whole(&request) {
                assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0);
            }
            _ = sender.send(String::from_utf8(request).unwrap());
            // A client that has had enough leaves.
            _ = stream.write_all(&answer).await;
        }
    });
    (port, asked)
}

/// Whether the body is as long as the head says.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    length.is_some_and(|length| length.parse::<usize>().unwrap() <= body.len())
}

fn answer(body: &Value) -> Vec<u8> {
    let body = body.to_string();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The head's first line, and the body.
fn parts(request: &str) -> (String, Value) {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(
        head.contains("\r\nauthorization: bearer s3cret\r\n"),
        "{head}"
    );
    let line = head.lines().next().unwrap().to_owned();
    (line, serde_json::from_str(body).unwrap())
}

async fn infer(state: &mut State) -> Result<InferencingResult, Error> {
    let (model, prompt) = ("llama".to_owned(), "Who?".to_owned());
    state.infer(model, prompt, None).await.unwrap()
}

async fn embed(state: &mut State) -> Result<EmbeddingsResult, Error> {
    let texts = vec!["a".to_owned(), "b".to_owned()];
    let embedded = state.generate_embeddings("llama".to_owned(), texts).await;
    embedded.unwrap()
}

fn runtime_error<R: std::fmt::Debug>(result: Result<R, Error>) -> String {
    match result {
        Err(Error::RuntimeError(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn without_the_grant_a_model_is_invalid_input() {
    let want = "The component does not have access to use 'gpt'. To give the component access, add 'gpt' to the 'ai_models' key for the component in your spin.toml manifest";
    let mut state = state(None);
    let inferred = state.infer("gpt".to_owned(), String::new(), None).await;
    match inferred.unwrap() {
        Err(Error::InvalidInput(text)) => assert_eq!(text, want),
        other => panic!("{other:?}"),
    }
    let embedded = state.generate_embeddings("gpt".to_owned(), vec![]).await;
    match embedded.unwrap() {
        Err(Error::InvalidInput(text)) => assert_eq!(text, want),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn without_a_backend_every_call_is_spins_runtime_error() {
    let want = "Local LLM operations are not supported in this version of Spin.";
    let mut state = state(None);
    assert_eq!(runtime_error(infer(&mut state).await), want);
    assert_eq!(runtime_error(embed(&mut state).await), want);
}

#[tokio::test]
async fn the_default_protocol_is_spins() {
    let inferred =
        json!({ "text": "Me.", "usage": { "promptTokenCount": 2, "generatedTokenCount": 3 } });
    let embedded = json!({ "embeddings": [[0.5], [1, -1]], "usage": { "promptTokenCount": 4 } });
    let (port, mut asked) = serve(vec![answer(&inferred), answer(&embedded)]).await;
    let mut state = state(settings(port, Api::Default));

    let got = infer(&mut state).await.unwrap();
    assert_eq!(
        (got.text.as_str(), got.usage.prompt_token_count),
        ("Me.", 2)
    );
    assert_eq!(got.usage.generated_token_count, 3);
    let (line, body) = parts(&asked.recv().await.unwrap());
    assert_eq!(line, "POST /infer HTTP/1.1");
    let options = json!({
        "maxTokens": 100,
        "repeatPenalty": 1.1_f32,
        "repeatPenaltyLastNTokenCount": 64,
        "temperature": 0.8_f32,
        "topK": 40,
        "topP": 0.9_f32,
    });
    assert_eq!(
        body,
        json!({ "model": "llama", "prompt": "Who?", "options": options })
    );

    let got = embed(&mut state).await.unwrap();
    assert_eq!(got.embeddings, [vec![0.5], vec![1.0, -1.0]]);
    assert_eq!(got.usage.prompt_token_count, 4);
    let (line, body) = parts(&asked.recv().await.unwrap());
    assert_eq!(line, "POST /embed HTTP/1.1");
    assert_eq!(body, json!({ "model": "llama", "input": ["a", "b"] }));
}

#[tokio::test]
async fn the_other_protocol_is_open_ais() {
    let usage = json!({ "prompt_tokens": 2, "completion_tokens": 3 });
    let choices = json!([{ "message": { "content": "Me." } }, { "message": { "content": "No." } }]);
    let chat = json!({ "choices": choices, "usage": usage });
    let silent = json!({ "choices": [], "usage": usage });
    let embedded = json!({ "data": [{ "embedding": [0.5] }], "usage": { "prompt_tokens": 4 } });
    let refused = json!({ "error": { "message": "no such model", "type": "x" } });
    let answers = [&chat, &silent, &embedded, &refused, &refused];
    let (port, mut asked) = serve(answers.map(answer).to_vec()).await;
    let mut state = state(settings(port, Api::OpenAi));

    assert_eq!(infer(&mut state).await.unwrap().text, "Me.");
    let (line, body) = parts(&asked.recv().await.unwrap());
    assert_eq!(line, "POST /v1/chat/completions HTTP/1.1");
    let messages = json!([{ "role": "user", "content": "Who?" }]);
    assert_eq!(
        body,
        json!({ "messages": messages, "model": "llama", "max_completion_tokens": 100, "frequency_penalty": 1.1 })
    );
    assert_eq!(infer(&mut state).await.unwrap().text, "");
    _ = asked.recv().await;

    assert_eq!(embed(&mut state).await.unwrap().embeddings, [vec![0.5]]);
    let (line, body) = parts(&asked.recv().await.unwrap());
    assert_eq!(line, "POST /v1/embeddings HTTP/1.1");
    assert_eq!(body, json!({ "input": ["a", "b"], "model": "llama" }));

    assert_eq!(runtime_error(infer(&mut state).await), "no such model");
    assert_eq!(runtime_error(embed(&mut state).await), "no such model");
}

#[tokio::test]
async fn a_bad_answer_is_told_in_spins_words() {
    let not_json = b"HTTP/1.1 500 Oh\r\ncontent-length: 4\r\n\r\noops".to_vec();
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{".to_vec();
    let no_http = b"hello\r\n\r\n".to_vec();
    for (name, answer, api, want) in [
        (
            "no JSON",
            not_json.clone(),
            Api::Default,
            "Failed to deserialize response for \"POST  /index\": expected value at line 1 column 1",
        ),
        (
            "no JSON here either",
            not_json,
            Api::OpenAi,
            "Failed to deserialize response for \"POST  /v1/chat/completions\": expected value at line 1 column 1",
        ),
        (
            "half a body",
            cut,
            Api::Default,
            "POST /infer request error: error decoding response body",
        ),
        (
            "no HTTP",
            no_http,
            Api::Default,
            "POST /infer request error: error sending request for url (http://127.0.0.1:PORT/infer)",
        ),
    ] {
        let (port, _asked) = serve(vec![answer]).await;
        let got = runtime_error(infer(&mut state(settings(port, api))).await);
        assert_eq!(got, want.replace("PORT", &port.to_string()), "{name}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_cut() {
    let mut endless = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    endless.resize(MAX_RESULT_BYTES + 100, b' ');
    let (port, _asked) = serve(vec![endless]).await;
    let got = runtime_error(infer(&mut state(settings(port, Api::Default))).await);
    assert_eq!(got, "query result exceeds limit of 134217728 bytes");
}

#[tokio::test]
async fn a_server_that_is_not_there_and_a_token_that_is_none_are_errors() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let got = runtime_error(embed(&mut state(settings(port, Api::Default))).await);
    let url = format!("http://127.0.0.1:{port}/embed");
    let want = format!("POST /embed request error: error sending request for url ({url})");
    assert_eq!(got, want);

    let mut told = settings(port, Api::Default).unwrap();
    told.url = format!("http://user:secret@127.0.0.1:{port}/x?key=secret#secret")
        .parse()
        .unwrap();
    let got = runtime_error(embed(&mut state(Some(told))).await);
    assert_eq!(got, want, "what proves who asks is not told");

    let mut torn = settings(port, Api::Default).unwrap();
    torn.auth_token = "a\nb".to_owned();
    let got = runtime_error(infer(&mut state(Some(torn))).await);
    assert_eq!(got, "Failed to create authorization header");
}

#[test]
fn settings_are_read_as_spin_reads_them() {
    let read = |text: &str| serde_json::from_str::<Settings>(text).unwrap();
    let usual = read(r#"{"url": "http://x", "auth_token": "t"}"#);
    assert_eq!(usual.api_type, Api::Default);
    let other = read(r#"{"url": "http://x", "auth_token": "t", "api_type": "open_ai"}"#);
    assert_eq!(other.api_type, Api::OpenAi);
}

#[test]
fn the_interface_links() {
    let mut linker = Linker::<State>::new(&Engine::default());
    link(&mut linker, |state| state).unwrap();
}
