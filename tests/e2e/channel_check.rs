//! `chatly channel`: one plugin alone. `check` says of each broken one what is wrong with it, and
//! nothing of a sound one.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use harness::{chatly, guest, guest_for, root};
use serde_json::{Value, json};

/// Runs `chatly channel` with something on its standard input.
fn channel(args: &[&str], input: &[u8]) -> Result<Output> {
    let mut child = Command::new(chatly())
        .arg("channel")
        .args(args)
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().context("standard input")?;
    let input = input.to_vec();
    // Beside it, because both pipes may fill up; a plugin that refuses its input may not read it all.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output()?;
    assert!(writer.join().is_ok());
    Ok(output)
}

fn check(plugin: &Path) -> Result<(Option<i32>, Value)> {
    let plugin = plugin.to_str().context("a path of text")?;
    let output = channel(&["check", plugin, "--json"], b"")?;
    let report = serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    Ok((output.status.code(), report))
}

#[test]
fn a_sound_plugin_passes_every_check() -> Result<()> {
    let output = channel(&["check", "whatsapp"], b"")?;
    let text = String::from_utf8(output.stdout)?;
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.lines().count() >= 14, "{text}");
    assert!(text.lines().all(|line| line.starts_with("ok ")), "{text}");
    Ok(())
}

#[test]
fn a_broken_plugin_fails_for_what_is_broken() -> Result<()> {
    for (package, broken, reason) in [
        (
            "guest-channel-unsigned",
            "refuses a delivery without its proof",
            "is accepted: without x-hub-signature-256",
        ),
        (
            "guest-channel-prefix",
            "refuses a proof that is cut or changed",
            "is accepted: x-hub-signature-256 cut after",
        ),
        (
            "guest-channel-first-only",
            "never drops a sibling",
            "all kinds in one: an event is lost",
        ),
        (
            "guest-channel-looping",
            "bears hostile bodies",
            "parse of nothing: the plugin was stopped",
        ),
    ] {
        let name = package.strip_prefix("guest-").context("a guest")?;
        let (code, report) = check(&guest_for(name, "wasm32-unknown-unknown")?)?;
        assert_eq!(code, Some(1), "{name}: {report}");
        assert_eq!(report["passed"], false, "{name}");
        let checks = report["checks"].as_array().context("checks")?;
        let failed = checks.iter().find(|it| it["name"] == broken);
        let text = failed.context(name.to_owned())?["reason"].to_string();
        assert!(text.contains(reason), "{name}: {text}");
    }
    Ok(())
}

#[test]
fn a_plugin_that_imports_the_network_is_not_even_started() -> Result<()> {
    let (code, report) = check(&guest("channel-network")?)?;
    assert_eq!(code, Some(1));
    let checks = report["checks"].as_array().context("checks")?;
    assert_eq!(checks.len(), 1, "{report}");
    let reason = checks[0]["reason"].as_str().context("a reason")?;
    assert!(reason.contains("wasi:sockets/tcp@"), "{reason}");
    Ok(())
}

#[test]
fn thousands_of_documents_run_in_one_process_and_a_broken_one_costs_only_itself() -> Result<()> {
    let case = std::fs::read_to_string(root().join("tests/cases/whatsapp/text.json"))?;
    let case: Value = serde_json::from_str(&case)?;
    let body = base64(case["body"].to_string().as_bytes());
    let mut input = format!("{}\n", json!({ "body_b64": body })).repeat(2_000);
    input.push_str("no JSON\n{\"body_b64\":\"e30=\",\"content\":1}\n{\"body_b64\":\"W10=\"}");
    let output = channel(&["parse", "whatsapp", "--jsonl"], input.as_bytes())?;
    assert_eq!(output.status.code(), Some(0));
    let lines: Vec<Value> = String::from_utf8(output.stdout)?
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    assert_eq!(lines.len(), 2_003);
    assert!(lines[..2_000].iter().all(|line| *line == case["events"]));
    assert!(lines[2_000]["error"].is_string() && lines[2_001]["error"].is_string());
    assert_eq!(lines[2_002][0]["kind"], "unparsable");
    Ok(())
}

#[test]
fn exit_codes_tell_accepted_from_refused_from_wrong() -> Result<()> {
    let delivery = |signature: &str| {
        json!({ "method": "POST", "url": "https://a.example/", "headers": [["x-hub-signature-256", signature]],
            "body_b64": base64(b"hi"), "secrets": ["key"], "now": 1 })
        .to_string()
    };
    let signed = chatly_simulator::whatsapp::signed(b"hi".to_vec(), "key");
    let (_, signature) = signed
        .headers
        .iter()
        .find(|(name, _)| name == "x-hub-signature-256")
        .context("a signature")?;
    let too_long = vec![b' '; (3 << 20) + 1];
    for (name, args, input, want) in [
        (
            "genuine",
            vec!["verify", "whatsapp"],
            delivery(signature).into_bytes(),
            0,
        ),
        (
            "forged",
            vec!["verify", "whatsapp"],
            delivery("sha256=00").into_bytes(),
            1,
        ),
        ("no document", vec!["verify", "whatsapp"], b"hi".to_vec(), 2),
        ("no such channel", vec!["verify", "nonsense"], vec![], 2),
        (
            "no handshake",
            vec!["handshake", "whatsapp"],
            delivery(signature).into_bytes(),
            1,
        ),
        ("any body", vec!["parse", "whatsapp"], vec![0xff], 0),
        (
            "a lone surrogate",
            vec!["parse", "whatsapp"],
            br#"{"a":"\ud800"}"#.to_vec(),
            0,
        ),
        (
            "a body above the limit",
            vec!["parse", "whatsapp"],
            too_long,
            2,
        ),
    ] {
        let output = channel(&args, &input)?;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(want), "{name}: {error}");
        assert_eq!(error.is_empty(), want == 0, "{name}: {error}");
    }
    Ok(())
}

#[test]
fn a_request_without_an_account_keeps_its_place() -> Result<()> {
    let text = "a".repeat(5_000);
    let message =
        json!({ "to": { "scheme": "phone", "id": "16505551234" }, "type": "text", "text": text });
    let output = channel(&["render", "whatsapp"], message.to_string().as_bytes())?;
    let requests: Vec<Value> = String::from_utf8(output.stdout)?
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    assert_eq!(requests.len(), 2);
    for request in requests {
        let url = request["url"].as_str().context("a URL")?;
        assert!(url.ends_with("/{account}/messages"), "{url}");
        let token = json!(["authorization", "Bearer {access_token}"]);
        let headers = request["headers"].as_array().context("headers")?;
        assert!(headers.contains(&token), "{request}");
    }
    Ok(())
}

fn base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}
