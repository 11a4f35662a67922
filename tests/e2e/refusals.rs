//! What must not come in.

use std::collections::BTreeMap;

use anyhow::Result;
use bytes::Bytes;
use harness::{Options, TestApp, secrets};
use http::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::payload;

const LIMIT_BYTES: usize = 3 * 1024 * 1024;

async fn post(app: &TestApp, headers: &[(&str, &str)], body: &[u8]) -> Result<harness::Answer> {
    app.request(
        Method::POST,
        "/webhooks/whatsapp",
        headers,
        Bytes::copy_from_slice(body),
    )
    .await
}

#[tokio::test]
async fn a_delivery_without_a_genuine_signature_is_refused() -> Result<()> {
    let app = TestApp::start().await?;
    let delivery = payload::text_delivery("16505551234", "wamid.A", "Hi");
    let (_, signature) = delivery
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("x-hub-signature-256"))
        .expect("signed");
    let mut flipped_body = delivery.body.clone();
    flipped_body[40] ^= 1;
    let mut flipped_signature = signature.clone().into_bytes();
    flipped_signature[30] ^= 1;
    let flipped_signature = String::from_utf8(flipped_signature)?;
    let upper = signature.to_uppercase().replace("SHA256", "sha256");
    let other = payload::signed_bytes(delivery.body.clone(), "another secret");
    let (_, other) = &other
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("x-hub-signature-256"))
        .expect("signed");
    let name = "x-hub-signature-256";
    for (case, headers, body) in [
        ("none", vec![], &delivery.body),
        (
            "one bit of the body",
            vec![(name, signature.as_str())],
            &flipped_body,
        ),
        (
            "one bit of the signature",
            vec![(name, &flipped_signature)],
            &delivery.body,
        ),
        (
            "the old scheme only",
            vec![(
                "x-hub-signature",
                "sha1=0123456789abcdef0123456789abcdef01234567",
            )],
            &delivery.body,
        ),
        ("another secret", vec![(name, other)], &delivery.body),
        ("no prefix", vec![(name, &signature[7..])], &delivery.body),
        (
            "cut short",
            vec![(name, &signature[..signature.len() - 2])],
            &delivery.body,
        ),
        ("empty", vec![(name, "")], &delivery.body),
        (
            "twice",
            vec![(name, signature.as_str()), (name, signature.as_str())],
            &delivery.body,
        ),
        ("upper case", vec![(name, &upper)], &delivery.body),
    ] {
        let answer = post(&app, &headers, body).await?;
        assert_eq!(answer.status, 401, "{case}: {answer:?}");
        assert_eq!(
            answer.header("content-type"),
            "application/problem+json",
            "{case}"
        );
        assert!(answer.json()?["code"].is_string(), "{case}");
    }
    app.settle().await?;
    assert!(app.list("/v1/inbox").await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn every_secret_of_the_list_is_accepted() -> Result<()> {
    let app = TestApp::start().await?;
    for (n, secret) in secrets::WHATSAPP_APP.iter().enumerate() {
        let body = payload::envelope(payload::text_value(
            "16505551234",
            &format!("wamid.{n}"),
            "Hi",
        ));
        let answer = app
            .deliver(&payload::signed_bytes(
                body.to_string().into_bytes(),
                secret,
            ))
            .await?;
        assert_eq!(answer.status, 200, "secret {n}");
    }
    app.settle().await?;
    assert_eq!(app.messages().await?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn without_a_secret_nothing_is_accepted() -> Result<()> {
    for blank in ["", " ", ",", " , "] {
        let mut variables: BTreeMap<_, _> = Options::default().variables;
        variables.insert("whatsapp_app_secret".into(), blank.into());
        let app = TestApp::start_with(Options {
            variables,
            ..Options::default()
        })
        .await?;
        for secret in [secrets::WHATSAPP_APP[0], "", " "] {
            let body =
                payload::envelope(payload::text_value("16505551234", "wamid.A", "Hi")).to_string();
            let answer = app
                .deliver(&payload::signed_bytes(body.into_bytes(), secret))
                .await?;
            assert_eq!(answer.status, 503, "{blank:?} {secret:?}: {answer:?}");
        }
        assert!(app.list("/v1/inbox").await?.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn escaped_bodies_are_verified_as_they_were_sent() -> Result<()> {
    let app = TestApp::start().await?;
    let body =
        payload::envelope(payload::text_value("16505551234", "wamid.A", "PLACEHOLDER")).to_string();
    let body = body.replace("PLACEHOLDER", r"K\u00e4se \/ \u0040 \ud83d\ude00");
    let answer = app
        .deliver(&payload::signed_bytes(
            body.into_bytes(),
            secrets::WHATSAPP_APP[0],
        ))
        .await?;
    assert_eq!(answer.status, 200);
    app.settle().await?;
    assert_eq!(app.messages().await?[0]["message"]["text"], "Käse / @ 😀");
    Ok(())
}

#[tokio::test]
async fn other_methods_are_refused() -> Result<()> {
    let app = TestApp::start().await?;
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        let answer = app
            .request(method.clone(), "/webhooks/whatsapp", &[], "")
            .await?;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), "GET, POST", "{method}");
    }
    Ok(())
}

#[tokio::test]
async fn the_largest_body_is_accepted_and_one_byte_more_is_not() -> Result<()> {
    let app = TestApp::start().await?;
    let body = |bytes: usize| {
        let short =
            payload::envelope(payload::text_value("16505551234", "wamid.A", "")).to_string();
        let text = "x".repeat(bytes - short.len());
        let body =
            payload::envelope(payload::text_value("16505551234", "wamid.A", &text)).to_string();
        assert_eq!(body.len(), bytes);
        payload::signed_bytes(body.into_bytes(), secrets::WHATSAPP_APP[0])
    };
    assert_eq!(app.deliver(&body(LIMIT_BYTES)).await?.status, 200);
    assert_eq!(app.deliver(&body(LIMIT_BYTES + 1)).await?.status, 413);
    Ok(())
}

/// The answer comes although most of the body that was announced never does.
#[tokio::test]
async fn a_body_over_the_limit_is_refused_before_it_is_read() -> Result<()> {
    let app = TestApp::start().await?;
    let address = app.base().trim_start_matches("http://").to_owned();
    let chunk = vec![b'x'; 1 << 20];
    let announced = format!(
        "POST /webhooks/whatsapp HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n",
        1u64 << 40
    );
    let chunked =
        "POST /webhooks/whatsapp HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
            .to_owned();
    for (name, head, chunks) in [("announced", announced, 0), ("chunked", chunked, 5)] {
        let mut stream = TcpStream::connect(&address).await?;
        stream.write_all(head.as_bytes()).await?;
        for _ in 0..chunks {
            // The host may close as soon as it has answered.
            let sent = async {
                stream
                    .write_all(format!("{:x}\r\n", chunk.len()).as_bytes())
                    .await?;
                stream.write_all(&chunk).await?;
                stream.write_all(b"\r\n").await
            };
            if sent.await.is_err() {
                break;
            }
        }
        let mut answer = vec![0; 12];
        stream.read_exact(&mut answer).await?;
        assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 413", "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn the_api_needs_the_key() -> Result<()> {
    let app = TestApp::start().await?;
    for path in [
        "/v1/conversations",
        "/v1/contacts",
        "/v1/events",
        "/v1/inbox",
    ] {
        for headers in [
            vec![],
            vec![("authorization", "Bearer wrong")],
            vec![("authorization", "Basic eDp5")],
        ] {
            let answer = app.request(Method::GET, path, &headers, "").await?;
            assert_eq!(answer.status, 401, "{path} {headers:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_body_that_is_no_json_is_kept_when_it_is_genuine() -> Result<()> {
    let app = TestApp::start().await?;
    for body in [
        b"hello".to_vec(),
        b"[1,2]".to_vec(),
        b"\xff\xfe\x00".to_vec(),
        b"{\"object\":".to_vec(),
        vec![],
    ] {
        let answer = app
            .deliver(&payload::signed_bytes(
                body.clone(),
                secrets::WHATSAPP_APP[0],
            ))
            .await?;
        assert_eq!(answer.status, 200, "{body:?}");
    }
    app.settle().await?;
    let inbox = app.list("/v1/inbox").await?;
    assert_eq!(inbox.len(), 5, "{}", json!(inbox));
    for row in inbox {
        assert_eq!(row["event"]["kind"], "unparsable", "{row}");
    }
    Ok(())
}

/// More senders than the host has places, who send a head and never a whole body.
#[tokio::test]
async fn senders_of_slow_bodies_do_not_keep_genuine_ones_out() -> Result<()> {
    let app = TestApp::start().await?;
    let address = app.base().trim_start_matches("http://").to_owned();
    let mut slow = Vec::new();
    for _ in 0..600 {
        let mut stream = TcpStream::connect(&address).await?;
        stream
            .write_all(
                b"POST /webhooks/whatsapp HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{",
            )
            .await?;
        slow.push(stream);
    }
    let genuine = payload::text_delivery("16505551234", "wamid.A", "Hi");
    assert_eq!(app.deliver(&genuine).await?.status, 200);
    for mut stream in slow {
        let mut answer = vec![0; 12];
        stream.read_exact(&mut answer).await?;
        assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 408");
    }
    Ok(())
}
