//! `static_response`, build profiles, middleware and downloads: what a manifest can say of a
//! trigger and a component beside its source.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::Command;

use anyhow::{Context as _, Result};
use harness::{Options, TestApp, eventually, guest};
use http::Method;

async fn start(body: &str, arguments: &[&str]) -> Result<(TestApp, tempfile::TempDir)> {
    let folder = tempfile::tempdir()?;
    let head = "spin_manifest_version = 2\n[application]\nname = \"app\"\n";
    let path = folder.path().join("spin.toml");
    std::fs::write(&path, format!("{head}{body}"))?;
    let options = Options {
        manifest: path,
        arguments: arguments.iter().map(|one| (*one).to_owned()).collect(),
        ..Options::default()
    };
    Ok((TestApp::start_with(options).await?, folder))
}

async fn text(app: &TestApp, path: &str) -> Result<String> {
    let answer = app.request(Method::GET, path, &[], "").await?;
    Ok(String::from_utf8(answer.body.to_vec())?)
}

#[tokio::test]
async fn a_static_response_is_what_the_manifest_says() -> Result<()> {
    let body = "[[trigger.http]]\nroute = \"/old/...\"\n\
                static_response = { status_code = 301, headers = { location = \"/new\", x-kind = \"moved\" } }\n\
                [[trigger.http]]\nroute = \"/robots.txt\"\nstatic_response = { body = \"Disallow: /\" }\n";
    let (app, _folder) = start(body, &[]).await?;
    let moved = app.request(Method::GET, "/old/page", &[], "").await?;
    assert_eq!(moved.status, 301);
    assert_eq!(moved.headers["location"], "/new");
    assert_eq!(moved.headers["x-kind"], "moved");
    assert_eq!(moved.headers["content-length"], "0");
    assert!(moved.body.is_empty());
    let robots = app.request(Method::POST, "/robots.txt", &[], "x").await?;
    assert_eq!(
        (robots.status.as_u16(), &*robots.body),
        (200, &b"Disallow: /"[..])
    );
    let none = app.request(Method::GET, "/", &[], "").await?;
    assert_eq!(none.status, 404);
    Ok(())
}

#[tokio::test]
async fn middleware_gets_requests_first_and_only_what_it_inherits() -> Result<()> {
    let probe = guest("probe")?;
    let layer = guest("middleware")?;
    let (probe, layer) = (probe.display(), layer.display());
    let body = format!(
        "[[trigger.http]]\nroute = \"/guarded/...\"\ncomponent = \"probe\"\n\
         [trigger.http.dependencies]\nmiddleware = [\n\
         {{ path = \"{layer}\", inherit_configuration = [\"environment\"] }},\n\
         {{ component = \"layer\" }},\n]\n\
         [[trigger.http]]\nroute = \"/inner/...\"\ncomponent = \"probe\"\n\
         [trigger.http.dependencies]\nmiddleware = [{{ component = \"layer\" }}]\n\
         [[trigger.http]]\nroute = \"/open/...\"\ncomponent = \"probe\"\n\
         [component.probe]\nsource = \"{probe}\"\nenvironment = {{ NAME = \"outer\" }}\n\
         [component.layer]\nsource = \"{layer}\"\n"
    );
    let (app, _folder) = start(&body, &[]).await?;
    for (path, want) in [
        ("/guarded/stop", "stopped by outer"),
        ("/inner/stop", "stopped by nobody"),
        ("/open/stop", "nothing to do for \"stop\""),
        ("/guarded/sized", "sized"),
        ("/inner/sized", "sized"),
        ("/open/sized", "sized"),
    ] {
        assert_eq!(text(&app, path).await?, want, "{path}");
    }
    let logs = app.state().join("logs");
    let printed = |id: &str| std::fs::read_to_string(logs.join(format!("{id}_stdout.txt")));
    let want = "outer passes /guarded/sized\nnobody passes /guarded/sized\n";
    eventually(want, async || {
        let guarded = printed("probe-for-probe-http-trigger")?;
        Ok((guarded == want).then_some(()))
    })
    .await
}

#[tokio::test]
async fn a_profile_chooses_source_and_environment() -> Result<()> {
    let probe = guest("probe")?;
    let body = format!(
        "[[trigger.http]]\nroute = \"/...\"\ncomponent = \"a\"\n\
         [component.a]\nsource = \"not-built.wasm\"\nenvironment = {{ MODE = \"release\" }}\n\
         [component.a.profile.debug]\nsource = \"{}\"\nenvironment = {{ MODE = \"debug\" }}\n",
        probe.display()
    );
    let (app, _folder) = start(&body, &["--profile", "debug"]).await?;
    assert_eq!(text(&app, "/environment").await?, "[[\"MODE\",\"debug\"]]");
    let error = start(&body, &["--profile", "deubg"]).await.map(|_| ());
    let error = format!("{:#}", error.expect_err("a mistyped profile is refused"));
    assert!(
        error.contains("no component has the build profile \"deubg\" (known: debug)"),
        "{error}"
    );
    Ok(())
}

/// Serves `bytes` to everyone, until the process ends.
fn serve(bytes: Vec<u8>) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let base = format!("http://{}", listener.local_addr()?);
    std::thread::spawn(move || -> Result<()> {
        for stream in listener.incoming() {
            let mut stream = stream?;
            let mut reader = BufReader::new(stream.try_clone()?);
            reader.read_line(&mut String::new())?;
            let length = bytes.len();
            write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n"
            )?;
            stream.write_all(&bytes)?;
        }
        Ok(())
    });
    Ok(base)
}

#[tokio::test]
async fn a_component_by_url_runs_when_its_digest_is_right() -> Result<()> {
    let probe = guest("probe")?;
    let sum = Command::new("sha256sum").arg(&probe).output()?.stdout;
    let sum = String::from_utf8(sum)?;
    let sum = sum.split(' ').next().context("a digest")?;
    let base = serve(std::fs::read(&probe)?)?;
    let body = |digest: &str| {
        format!(
            "[[trigger.http]]\nroute = \"/...\"\ncomponent = \"a\"\n\
             [component.a]\nsource = {{ url = \"{base}/a.wasm\", digest = \"sha256:{digest}\" }}\n"
        )
    };
    let (app, _folder) = start(&body(sum), &[]).await?;
    assert_eq!(text(&app, "/sized").await?, "sized");
    let wrong = "0".repeat(64);
    let error = start(&body(&wrong), &[]).await.map(|_| ());
    let error = format!("{:#}", error.expect_err("another digest is refused"));
    let want =
        format!("the manifest wants the digest sha256:{wrong}, and the server sent sha256:{sum}");
    assert!(error.contains(&want), "{error}");
    Ok(())
}
