//! What a component sees of a request, and a client of a response.

use anyhow::Result;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;

use crate::host::{Answer, Host, component};

#[tokio::test(flavor = "multi_thread")]
async fn a_component_sees_how_it_was_reached_and_nothing_forged() -> Result<()> {
    let host = Host::start(&component("named", r#""/a/:user_id/...""#, "")).await?;
    let request = Request::get("/a/42/headers?x=1")
        .header("spin-client-addr", "1.2.3.4:5")
        .header("spin-path-match-other", "forged")
        .header("x-kept", "kept");
    let answer = Answer::read(
        host.connect()
            .await?
            .send(request.body(Full::default())?)
            .await?,
    )
    .await?;
    let seen = answer.json()?;
    assert_eq!(
        seen["spin-full-url"],
        format!("http://{}/a/42/headers?x=1", host.address)
    );
    assert_eq!(seen["spin-matched-route"], "/a/:user_id/...");
    assert_eq!(seen["spin-component-route"], "/a/:user_id");
    assert_eq!(seen["spin-path-info"], "/headers");
    assert_eq!(seen["spin-path-match-user-id"], "42");
    assert_eq!(seen["x-kept"], "kept");
    assert!(
        seen["spin-client-addr"]
            .as_str()
            .unwrap()
            .starts_with("127.0.0.1:")
    );
    assert!(seen.get("spin-path-match-other").is_none());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_whose_size_the_guest_sets_goes_out_unchunked() -> Result<()> {
    let host = Host::start(&component("sized", r#""/...""#, "")).await?;
    let mut client = host.connect().await?;
    for path in ["/sized", "/sized"] {
        let answer = client.get(path).await?;
        assert_eq!(answer.header("content-length"), Some("5"));
        assert_eq!(answer.header("transfer-encoding"), None);
        assert_eq!(answer.body, "sized");
        assert_eq!(answer.header("x-request-id").map(str::len), Some(32));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_is_a_small_problem_of_known_size() -> Result<()> {
    let host = Host::start(&component("one", r#""/one""#, "")).await?;
    let answer = host.get("/two").await?;
    assert_eq!(answer.status, 404);
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    assert_eq!(
        answer.header("content-length"),
        Some(answer.body.len().to_string().as_str())
    );
    assert_eq!(answer.json()?["code"], "route_not_found");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_arrives_whole() -> Result<()> {
    let host = Host::start(&component("large", r#""/...""#, "")).await?;
    let body = Full::new(Bytes::from(vec![b'x'; 3 << 20]));
    let answer = Answer::read(
        host.connect()
            .await?
            .send(Request::post("/length").body(body)?)
            .await?,
    )
    .await?;
    assert_eq!(answer.body, (3 << 20).to_string());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_is_the_manifests_and_the_command_lines_and_nothing_else() -> Result<()> {
    let body = component(
        "env",
        r#""/...""#,
        "environment = { A = \"manifest\", B = \"manifest\" }",
    );
    let host = Host::start_with(&body, |options| {
        options.env.insert("B".into(), "command line".into());
    })
    .await?;
    let want = serde_json::json!([["A", "manifest"], ["B", "command line"]]);
    assert_eq!(host.get("/environment").await?.json()?, want);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_answers_many_requests() -> Result<()> {
    let host = Host::start(&component("reused", r#""/...""#, "")).await?;
    let mut client = host.connect().await?;
    let mut most = 0;
    for _ in 0..50 {
        most = most.max(client.get("/seen").await?.body.parse::<u32>()?);
    }
    assert!(most > 1, "every request had an instance of its own");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_wait_share_the_instances() -> Result<()> {
    let host = Host::start(&component("shared", r#""/...""#, "")).await?;
    let waiting: Vec<_> = (0..64)
        .map(|_| {
            let client = host.connect();
            async { client.await?.get("/sleep?200").await }
        })
        .collect();
    let mut most = 0;
    for answer in futures::future::join_all(waiting).await {
        let body = answer?.body;
        most = most.max(body.strip_prefix("slept with ").unwrap().parse::<usize>()?);
    }
    assert!(
        most >= 64 / chatly_host::instance::max_instances(),
        "{most}"
    );
    Ok(())
}
