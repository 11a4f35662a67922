//! `fermyon:spin@2.0.0`, the generation of Spin's second SDK: key-value, sqlite, variables and
//! llm, and none of them without the grant.

use anyhow::Result;
use harness::{GuestApp, Setup, guest};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::client_tls::{Authority, Hello};

const GRANTS: &str = r#"
    key_value_stores = ["default"]
    sqlite_databases = ["default"]
    ai_models = ["llama"]
    [component.granted.variables]
    channel = "whatsapp"
"#;

async fn start() -> Result<GuestApp> {
    GuestApp::start(guest("spin-2")?, GRANTS).await
}

/// The same, with a server of models at `url`.
async fn start_with_models(url: &str) -> Result<GuestApp> {
    let config =
        format!("[llm_compute]\ntype = \"remote_http\"\nurl = \"{url}\"\nauth_token = \"t0ken\"\n");
    let guest = guest("spin-2")?;
    Setup::new()?
        .component("granted", &guest, GRANTS)
        .component("bare", &guest, "")
        .runtime_config(&config)?
        .start()
        .await
}

#[tokio::test]
async fn stores_and_databases_work_as_they_do_in_spin() -> Result<()> {
    let app = start().await?;
    let script = json!([
        ["store", "default"],
        ["get", "k"],
        ["set", "k", "v"],
        ["get", "k"],
        ["exists", "k"],
        ["keys"],
        ["delete", "k"],
        ["exists", "k"],
    ]);
    let want = json!([null, null, null, [118], true, ["k"], null, false]);
    assert_eq!(app.calls("/granted", script).await?, want);

    let script = json!([
        ["database", "default"],
        ["execute", "CREATE TABLE t (a, b, c, d, e)"],
        [
            "execute",
            "INSERT INTO t VALUES (?, ?, ?, ?, ?)",
            [7, 0.5, "ä", [0, 255], null]
        ],
        ["execute", "SELECT a AS first, b, c, d, e FROM t; nonsense"],
        ["execute", "SELECT changes()"],
        ["execute", "nonsense"],
    ]);
    let got = app.calls("/granted", script).await?;
    assert_eq!(got[3]["columns"], json!(["first", "b", "c", "d", "e"]));
    let row = "[Value::Integer(7), Value::Real(0.5), Value::Text(\"ä\"), Value::Blob([0, 255]), Value::Null]";
    assert_eq!(got[3]["rows"], json!([row]));
    assert_eq!(got[4]["rows"], json!(["[Value::Integer(1)]"]));
    let refused = got[5]["error"].as_str().expect("an error");
    assert!(
        refused.starts_with("Error::Io(\"near \\\"nonsense\\\": syntax error"),
        "{refused}"
    );
    Ok(())
}

#[tokio::test]
async fn a_variable_is_the_components_own() -> Result<()> {
    let app = start().await?;
    let script = json!([
        ["variable", "channel"],
        ["variable", "other"],
        ["variable", "-"]
    ]);
    let got = app.calls("/granted", script).await?;
    assert_eq!(got[0], "whatsapp");
    let undefined = r#"Error::Undefined("no variable for \"granted\".\"other\"")"#;
    assert_eq!(got[1], json!({ "error": undefined }));
    let invalid = got[2]["error"].as_str().expect("an error");
    assert!(invalid.starts_with("Error::InvalidName("), "{invalid}");
    Ok(())
}

#[tokio::test]
async fn without_a_backend_a_granted_model_is_spins_runtime_error() -> Result<()> {
    let app = start().await?;
    let script = json!([["infer", "llama", "Who?"], ["embed", "llama", "a"]]);
    let error =
        r#"Error::RuntimeError("Local LLM operations are not supported in this version of Spin.")"#;
    let want = json!([{ "error": error }, { "error": error }]);
    assert_eq!(app.calls("/granted", script).await?, want);
    Ok(())
}

/// A server of models that gives each request the next of `answers`, and what it was asked.
async fn models(answers: Vec<Value>) -> Result<(u16, JoinHandle<Result<Vec<String>>>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let serving = async move {
        let mut asked = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await?;
            let mut request = String::new();
            let is_whole = |request: &str| {
                let body = request.split_once("\r\n\r\n").map(|(_, body)| body);
                body.is_some_and(|body| serde_json::from_str::<Value>(body).is_ok())
            };
            while !is_whole(&request) {
                let mut chunk = [0; 4096];
                let length = stream.read(&mut chunk).await?;
                anyhow::ensure!(length > 0, "the request breaks off");
                request += std::str::from_utf8(&chunk[..length])?;
            }
            asked.push(request);
            let answer = answer.to_string();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n",
                answer.len()
            );
            stream.write_all((head + &answer).as_bytes()).await?;
        }
        Ok(asked)
    };
    Ok((port, tokio::spawn(serving)))
}

#[tokio::test]
async fn a_granted_model_answers_through_the_configured_server() -> Result<()> {
    let usage = json!({ "promptTokenCount": 2, "generatedTokenCount": 3 });
    let (port, asked) = models(vec![
        json!({ "text": "Me.", "usage": usage }),
        json!({ "embeddings": [[0.5, -1.0]], "usage": usage }),
    ])
    .await?;
    let app = start_with_models(&format!("http://127.0.0.1:{port}")).await?;
    let refused = app
        .calls("/bare", json!([["infer", "llama", "Who?"]]))
        .await?;
    let text = refused[0]["error"].as_str().expect("an error");
    assert!(text.starts_with("Error::InvalidInput("), "{text}");

    let script = json!([["infer", "llama", "Who?"], ["embed", "llama", "a"]]);
    let want = json!([["Me.", 3], [[[0.5, -1.0]], 2]]);
    assert_eq!(app.calls("/granted", script).await?, want);
    let asked = asked.await??;
    assert!(asked[0].starts_with("POST /infer "), "{}", asked[0]);
    assert!(
        asked[0].contains("authorization: bearer t0ken"),
        "{}",
        asked[0]
    );
    assert!(asked[1].starts_with("POST /embed "), "{}", asked[1]);
    assert_eq!(asked.len(), 2, "the refused call never got there");
    Ok(())
}

/// There is no way to name another authority for it: only public ones count.
#[tokio::test]
async fn a_server_of_models_that_no_public_authority_vouches_for_gets_no_token() -> Result<()> {
    let identity = Authority::new()?.identity(&["localhost"])?;
    let server = Hello::start(&identity, None).await?;
    let app = start_with_models(&format!("https://localhost:{}", server.port)).await?;
    let script = json!([["infer", "llama", "Who?"], ["embed", "llama", "a"]]);
    let got = app.calls("/granted", script).await?;
    for (at, path) in [(0, "/infer"), (1, "/embed")] {
        let text = got[at]["error"].as_str().expect("an error");
        let want =
            format!("Error::RuntimeError(\"POST {path} request error: error sending request");
        assert!(text.starts_with(&want), "{text}");
    }
    assert_eq!(server.asked(), Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn without_the_grants_each_interface_refuses_in_spins_way() -> Result<()> {
    let app = start().await?;
    let script = json!([
        ["store", "default"],
        ["database", "default"],
        ["variable", "channel"],
        ["infer", "llama", "Who?"],
        ["embed", "llama", "a"],
    ]);
    let model = "Error::InvalidInput(\"The component does not have access to use 'llama'. To give the component access, add 'llama' to the 'ai_models' key for the component in your spin.toml manifest\")";
    let want = [
        "Error::AccessDenied",
        "Error::AccessDenied",
        r#"Error::Undefined("no variable for \"bare\".\"channel\"")"#,
        model,
        model,
    ];
    let want: Vec<_> = want.iter().map(|error| json!({ "error": error })).collect();
    assert_eq!(app.calls("/bare", script).await?, Value::from(want));
    let other = json!([
        ["store", "other"],
        ["database", "other"],
        ["infer", "gpt", ""]
    ]);
    let got = app.calls("/granted", other).await?;
    assert_eq!(got[0], json!({ "error": "Error::AccessDenied" }));
    assert_eq!(got[1], json!({ "error": "Error::AccessDenied" }));
    let refused = got[2]["error"].as_str().expect("an error");
    assert!(refused.starts_with("Error::InvalidInput("), "{refused}");
    Ok(())
}
