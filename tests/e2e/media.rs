//! What customers send as files: fetched from the platform at once, kept, and read by links that end.

use anyhow::{Context as _, Result, ensure};
use chatly_signature::sha256_hex;
use chatly_simulator::{Delivery, find, whatsapp};
use harness::{Answer, Asked, Gives, MediaHost, Options, TestApp, eventually, root, secrets};
use http::Method;
use serde_json::{Value, json};

const TOKEN: &str = "4839574812:AAFD39kkdpWt3ywyRZergyOLMaJhac60qc";
const SIGNING: &str = "qZ4media-secret-71";
const MAX_BYTES: usize = 1 << 20;

/// A picture of so many bytes, no two alike.
fn png(bytes: usize, seed: u8) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    let start = png.len();
    png.extend((start..bytes).map(|at| (at / 7) as u8 ^ seed));
    png
}

pub fn options(channel: &str, base: &str) -> Options {
    let mut options = Options {
        arguments: vec!["--allow-private".to_owned(), "127.0.0.0/8".to_owned()],
        ..Options::default()
    };
    let token = match channel {
        "whatsapp" => secrets::WHATSAPP_ACCESS,
        _ => TOKEN,
    };
    for (name, value) in [
        (&*format!("{channel}_base_url"), base),
        (&format!("{channel}_access_token"), token),
        ("media_signing_secret", SIGNING),
        ("media_max_bytes", &MAX_BYTES.to_string()),
        // Short, because a lease is twice as long and a test waits for its end.
        ("media_timeout_ms", "2500"),
    ] {
        options.variables.insert(name.to_owned(), value.to_owned());
    }
    options
}

/// A picture on WhatsApp, and its host: first the id is asked for.
fn picture(host: &MediaHost, id: &str, sha256: Option<&str>, file: &[Gives]) -> Delivery {
    let answer = json!({
        "messaging_product": "whatsapp", "url": format!("{}/file/{id}?oh=secret", host.base()),
        "mime_type": "image/jpeg", "sha256": sha256, "id": id,
    });
    let answer = Gives::Body(200, answer.to_string().into_bytes());
    host.put(&format!("/v26.0/{id}"), &[answer]);
    host.put(&format!("/file/{id}"), file);
    let message = json!({
        "from": "16505551234", "id": format!("wamid.{id}"), "timestamp": "1749416383", "type": "image",
        "image": { "id": id, "mime_type": "image/jpeg", "sha256": "", "caption": id },
    });
    whatsapp::raw_message(message).signed_with(secrets::WHATSAPP_APP[0])
}

async fn accept(app: &TestApp, delivery: &Delivery) -> Result<()> {
    let answer = app.deliver(delivery).await?;
    ensure!(answer.status == 200, "{}", answer.status);
    Ok(())
}

/// What became of the first medium of the message, once `done` holds.
async fn medium(app: &TestApp, id: &str, done: impl Fn(&Value) -> bool) -> Result<Value> {
    eventually(
        &format!("the medium of {id} is as it should be"),
        async || {
            let messages = app.messages().await?;
            let message = messages.into_iter().find(|it| it["message"]["id"] == id);
            let media = message.map(|message| message["stored_media"][0].clone());
            Ok(media.filter(|media| done(media)))
        },
    )
    .await
}

async fn settled(app: &TestApp, id: &str) -> Result<Value> {
    medium(app, id, |media| {
        matches!(media["state"].as_str(), Some("stored" | "failed"))
    })
    .await
}

async fn get(app: &TestApp, url: &Value, headers: &[(&str, &str)]) -> Result<Answer> {
    app.request(Method::GET, url.as_str().context("url")?, headers, "")
        .await
}

#[tokio::test]
async fn a_picture_is_stored_and_read_by_a_link_that_ends() -> Result<()> {
    let host = MediaHost::start().await?;
    let app = TestApp::start_with(options("whatsapp", host.base())).await?;
    let mut changes = app.events(None).await?;
    let bytes = png(600_000, 1);
    let sha256 = sha256_hex(&[&bytes]);
    accept(
        &app,
        &picture(
            &host,
            "1",
            Some(&sha256),
            &[Gives::Body(200, bytes.clone())],
        ),
    )
    .await?;

    let media = settled(&app, "wamid.1").await?;
    let of = |name: &str| media[name].clone();
    assert_eq!(of("state"), "stored", "{media}");
    assert_eq!(of("mime_type"), "image/png");
    assert_eq!(of("bytes"), 600_000);
    assert_eq!(of("sha256"), sha256);
    let bearer = Some(format!("Bearer {}", secrets::WHATSAPP_ACCESS));
    let asked = |path: &str| Asked {
        path: path.to_owned(),
        authorization: bearer.clone(),
    };
    assert_eq!(
        host.asked(),
        [asked("/v26.0/1"), asked("/file/1?oh=secret")]
    );
    changes.find(|it| it.event == "message.updated").await?;

    let url = of("url");
    let answer = get(&app, &url, &[]).await?;
    assert_eq!(answer.status, 200);
    assert!(answer.body == bytes, "other bytes");
    for (name, value) in [
        ("content-type", "image/png"),
        ("content-length", "600000"),
        ("content-disposition", "inline"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "sandbox; default-src 'none'"),
        ("etag", &format!("\"{sha256}\"")),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    let part = get(&app, &url, &[("range", "bytes=262100-524300")]).await?;
    assert_eq!(part.status, 206);
    assert!(part.body == bytes[262_100..=524_300], "another part");
    let known = get(&app, &url, &[("if-none-match", &format!("\"{sha256}\""))]).await?;
    assert_eq!((known.status.as_u16(), known.body.len()), (304, 0));
    let link = url.as_str().context("url")?;
    let head = app.request(Method::HEAD, link, &[], "").await?;
    assert_eq!(
        (head.status.as_u16(), head.header("content-length")),
        (200, "600000")
    );

    let (path, query) = link.split_once('?').context("query")?;
    let medium = path.strip_prefix("/media/").context("prefix")?;
    let over = chatly_media::link::make(SIGNING, "", medium, 1).context("link")?;
    let absent = chatly_media::link::make(SIGNING, "", "none/0", u64::MAX / 4).context("link")?;
    let last = if link.ends_with('0') { "1" } else { "0" };
    for (name, url, want) in [
        ("over", over, 403),
        ("changed", format!("{}{last}", &link[..link.len() - 1]), 403),
        (
            "another medium",
            format!("{}1?{query}", &path[..path.len() - 1]),
            403,
        ),
        ("up and down", format!("/media/x/../{medium}?{query}"), 403),
        ("without a query", path.to_owned(), 403),
        ("nothing there", absent, 404),
    ] {
        assert_eq!(get(&app, &url.into(), &[]).await?.status, want, "{name}");
    }
    assert_eq!(app.request(Method::POST, link, &[], "").await?.status, 405);

    let calls = app.list("/v1/external-calls").await?;
    let target = |call: &Value| call["target"].as_str().unwrap_or_default().to_owned();
    let mut targets: Vec<String> = calls.iter().map(target).collect();
    targets.sort();
    let want = [
        format!("{}/file/1", host.base()),
        format!("{}/v26.0/1", host.base()),
    ];
    assert_eq!(targets, want);
    let (output, _) = app.stop()?;
    assert!(!output.contains(secrets::WHATSAPP_ACCESS) && !output.contains("oh=secret"));
    assert!(!output.contains(SIGNING));
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_is_not_kept_and_says_why() -> Result<()> {
    let host = MediaHost::start().await?;
    let app = TestApp::start_with(options("whatsapp", host.base())).await?;
    let good = png(30_000, 2);
    let other = sha256_hex(&[b"other"]);
    let page = b"<!DOCTYPE html><script>alert(1)</script>".to_vec();
    let cases = [
        (
            "large",
            None,
            Gives::Body(200, png(MAX_BYTES + 1, 3)),
            "failed",
            "too_large: more than 1048576 bytes",
        ),
        (
            "endless",
            None,
            Gives::Endless(png(100, 4)),
            "failed",
            "too_large: more than 1048576 bytes",
        ),
        (
            "page",
            None,
            Gives::Body(200, page),
            "failed",
            "type_refused: text/html",
        ),
        (
            "gone",
            None,
            Gives::Body(404, vec![]),
            "failed",
            "gone: HTTP 404",
        ),
        (
            "refused",
            None,
            Gives::Body(400, vec![]),
            "failed",
            "refused: HTTP 400",
        ),
        (
            "other",
            Some(&*other),
            Gives::Body(200, good.clone()),
            "pending",
            "digest_mismatch",
        ),
        (
            "stalls",
            None,
            Gives::Stalls(png(100, 5)),
            "pending",
            "the medium did not come in time",
        ),
        ("holds", None, Gives::Holds, "pending", "no answer in time"),
        (
            "token",
            None,
            Gives::Body(401, vec![]),
            "pending",
            "token_refused: HTTP 401",
        ),
    ];
    for (id, sha256, gives, _, _) in &cases {
        accept(
            &app,
            &picture(&host, id, *sha256, std::slice::from_ref(gives)),
        )
        .await?;
    }
    // None of them holds up the thread.
    app.settle().await?;
    assert_eq!(app.messages().await?.len(), cases.len());
    for (id, _, _, state, error) in &cases {
        let media = medium(&app, &format!("wamid.{id}"), |media| {
            !media["error"].is_null()
        })
        .await?;
        assert_eq!(media["state"], *state, "{id}: {media}");
        let said = media["error"].as_str().unwrap_or_default();
        assert!(said.starts_with(error), "{id}: {said}");
        assert_eq!(
            (&media["url"], &media["sha256"]),
            (&Value::Null, &Value::Null),
            "{id}"
        );
        if *state == "failed" {
            assert_eq!(host.count(&format!("/file/{id}")), 1, "{id}");
        }
    }
    // A broken transfer, a bad minute: another try does it.
    let sha256 = sha256_hex(&[&good]);
    let turns = [
        Gives::Body(500, vec![]),
        Gives::Body(200, png(30_000, 9)),
        Gives::Body(200, good),
    ];
    accept(&app, &picture(&host, "later", Some(&sha256), &turns)).await?;
    let media = settled(&app, "wamid.later").await?;
    assert_eq!(
        (&media["state"], &media["error"]),
        (&json!("stored"), &Value::Null)
    );
    assert_eq!(media["sha256"], sha256);
    assert_eq!(host.count("/file/later"), 3);
    Ok(())
}

#[tokio::test]
async fn without_a_signing_secret_there_is_no_link() -> Result<()> {
    let host = MediaHost::start().await?;
    let mut options = options("whatsapp", host.base());
    // Without any value the host would make one up.
    let blank = ("media_signing_secret".to_owned(), " ".to_owned());
    options.variables.extend([blank]);
    let app = TestApp::start_with(options).await?;
    accept(
        &app,
        &picture(&host, "1", None, &[Gives::Body(200, png(100, 1))]),
    )
    .await?;
    let media = settled(&app, "wamid.1").await?;
    assert_eq!(
        (&media["state"], &media["url"]),
        (&json!("stored"), &Value::Null)
    );
    for key in ["", " ", SIGNING] {
        let link = chatly_media::link::make(key, "", "x/0", u64::MAX / 4);
        let link = link.unwrap_or_else(|| "/media/x/0?expires=9999999999&signature=00".to_owned());
        assert_eq!(get(&app, &link.into(), &[]).await?.status, 403, "{key:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_fetch_that_a_crash_cut_off_is_done_after_it() -> Result<()> {
    let host = MediaHost::start().await?;
    let bytes = png(400_000, 6);
    let app = TestApp::start_with(options("whatsapp", host.base())).await?;
    let turns = [
        Gives::Stalls(bytes[..300_000].to_vec()),
        Gives::Body(200, bytes.clone()),
    ];
    accept(&app, &picture(&host, "1", None, &turns)).await?;
    eventually("it is being fetched", async || {
        Ok((host.count("/file/1") == 1).then_some(()))
    })
    .await?;
    let state = app.kill()?;
    let app = TestApp::start_with(Options {
        state: Some(state),
        ..options("whatsapp", host.base())
    })
    .await?;
    let media = settled(&app, "wamid.1").await?;
    assert_eq!(media["state"], "stored", "{media}");
    assert!(
        get(&app, &media["url"], &[]).await?.body == bytes,
        "other bytes"
    );
    assert_eq!(host.count("/file/1"), 2);
    Ok(())
}

/// A platform's own delivery from `tests/cases`, with addresses led to `host`.
fn case(app: &TestApp, channel: &str, name: &str, from: &str, to: &str) -> Result<Delivery> {
    let path = root().join(format!("tests/cases/{channel}/{name}.json"));
    let case: Value = serde_json::from_slice(&std::fs::read(path)?)?;
    let body = match &case["body_text"] {
        Value::String(text) => text.clone(),
        _ => case["body"].to_string(),
    };
    ensure!(body.contains(from), "{channel}: {from}");
    let kind = case["content_type"].as_str().unwrap_or("application/json");
    let account = case["account"].as_str();
    let delivery = Delivery {
        method: "POST".to_owned(),
        path: match account {
            Some(account) => format!("/webhooks/{channel}/{account}"),
            None => format!("/webhooks/{channel}"),
        },
        headers: vec![("content-type".to_owned(), kind.to_owned())],
        body: body.replace(from, to).into_bytes(),
    };
    let platform = find(channel).context("platform")?;
    Ok(platform.sign(
        delivery,
        app.base(),
        secrets::signing(channel),
        1_749_416_383,
    ))
}

#[tokio::test]
async fn each_way_to_ask_for_a_medium_leads_to_it() -> Result<()> {
    let (host, cdn, foreign) = (
        MediaHost::start().await?,
        MediaHost::start().await?,
        MediaHost::start().await?,
    );
    let bytes = png(5_000, 8);
    let whole = Gives::Body(200, bytes.clone());
    let mut all = options("telegram", host.base());
    for channel in ["messenger", "twilio", "line"] {
        all.variables
            .extend(options(channel, host.base()).variables);
    }
    let folder = tempfile::tempdir()?;
    all.manifest = with_media_host(&folder, "deliver-twilio", cdn.base())?;
    let app = TestApp::start_with(all).await?;

    // Telegram: the id gives a path, and both addresses hold the token.
    let file =
        json!({ "ok": true, "result": { "file_id": "x", "file_path": "photos/file_1.png" } });
    host.put(
        &format!("/bot{TOKEN}/getFile"),
        &[Gives::Body(200, file.to_string().into_bytes())],
    );
    host.put(
        &format!("/file/bot{TOKEN}/photos/file_1.png"),
        std::slice::from_ref(&whole),
    );
    accept(&app, &case(&app, "telegram", "photo", "24576", "5000")?).await?;
    // Messenger: the address in the delivery, to whoever asks.
    host.put("/v/t1.15752-9/a.jpg", std::slice::from_ref(&whole));
    accept(
        &app,
        &case(
            &app,
            "messenger",
            "image",
            "https://scontent.example",
            host.base(),
        )?,
    )
    .await?;
    // Twilio: the account and its token, and a redirect to where they must not go.
    let account = "ACa1b2c3d4e5f60718293a4b5c6d7e8f90";
    let place = format!(
        "/2010-04-01/Accounts/{account}/Messages/MM5f3a9c1e7b2d4860a1c3e5f708192a3d/Media/ME5f3a9c1e7b2d4860a1c3e5f70819333b"
    );
    host.put(
        &place,
        &[Gives::Redirect(format!(
            "{}/stored?signature=1",
            cdn.base()
        ))],
    );
    cdn.put("/stored", std::slice::from_ref(&whole));
    let escaped = |base: &str| base.replace(':', "%3A").replace('/', "%2F");
    let (api, ours) = ("https%3A%2F%2Fapi.twilio.com", escaped(host.base()));
    accept(&app, &case(&app, "twilio", "image", api, &ours)?).await?;

    for id in [
        "1111111:1365",
        "m_AbC1xYz-_08",
        "SM5f3a9c1e7b2d4860a1c3e5f708192a42",
    ] {
        let media = settled(&app, id).await?;
        assert_eq!(media["state"], "stored", "{id}: {media}");
        assert!(get(&app, &media["url"], &[]).await?.body == bytes, "{id}");
    }
    let basic = {
        use base64::Engine as _;
        let pair = base64::prelude::BASE64_STANDARD.encode(format!("{account}:{TOKEN}"));
        format!("Basic {pair}")
    };
    let asked = host.asked();
    let of = |path: &str| {
        asked
            .iter()
            .find(|it| it.path.starts_with(path))
            .map(|it| it.authorization.clone())
    };
    assert_eq!(of(&place), Some(Some(basic)));
    assert_eq!(of("/v/t1"), Some(None));
    assert_eq!(of("/bot"), Some(None));
    let at_cdn = Asked {
        path: "/stored?signature=1".to_owned(),
        authorization: None,
    };
    assert_eq!(cdn.asked(), [at_cdn]);

    // A redirect to a host that is on no list is not followed, and an address to one is not asked.
    foreign.put("/stored", std::slice::from_ref(&whole));
    host.put(
        &place,
        &[Gives::Redirect(format!("{}/stored", foreign.base()))],
    );
    let mut again = case(
        &app,
        "twilio",
        "image",
        "SM5f3a9c1e7b2d4860a1c3e5f708192a42",
        "SM00000000000000000000000000000001",
    )?;
    let body = String::from_utf8(again.body.clone())?.replace(api, &ours);
    again.body = body.into_bytes();
    again
        .headers
        .retain(|(name, _)| !name.eq_ignore_ascii_case("x-twilio-signature"));
    let platform = find("twilio").context("twilio")?;
    let again = platform.sign(again, app.base(), secrets::signing("twilio"), 1_749_416_383);
    accept(&app, &again).await?;
    let elsewhere = case(
        &app,
        "messenger",
        "images",
        "https://scontent.example",
        foreign.base(),
    )?;
    accept(&app, &elsewhere).await?;
    let id = eventually("the other picture is there", async || {
        let messages = app.messages().await?;
        let known =
            |it: &&Value| it["channel"] == "messenger" && it["message"]["id"] != "m_AbC1xYz-_08";
        Ok(messages
            .iter()
            .find(known)
            .and_then(|it| it["message"]["id"].as_str().map(str::to_owned)))
    })
    .await?;
    for id in ["SM00000000000000000000000000000001", &id] {
        let media = settled(&app, id).await?;
        assert_eq!(media["state"], "failed", "{id}");
        assert_eq!(
            media["error"], "host_refused: no host of this channel's media",
            "{id}"
        );
    }
    assert_eq!(foreign.asked(), []);
    let (output, _) = app.stop()?;
    assert!(!output.contains(TOKEN));
    Ok(())
}

/// The repository's manifest, where a component may fetch media from one more host.
fn with_media_host(folder: &tempfile::TempDir, id: &str, host: &str) -> Result<std::path::PathBuf> {
    let mut manifest: toml::Table = std::fs::read_to_string(root().join("spin.toml"))?.parse()?;
    crate::manifest::absolute_sources(&mut manifest)?;
    let component = &mut manifest["component"][id];
    let hosts = component["allowed_outbound_hosts"]
        .as_array_mut()
        .context("hosts")?;
    hosts.push(host.into());
    let variables = component["variables"].as_table_mut().context("variables")?;
    variables.insert("media_hosts".to_owned(), host.into());
    let path = folder.path().join("spin.toml");
    std::fs::write(&path, toml::to_string(&manifest)?)?;
    Ok(path)
}
