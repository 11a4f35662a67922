//! How the media of the cases are fetched: the request for each, and to whom the token goes.

use std::path::{Path, PathBuf};

use chatly_canonical::{Body, Media};
use chatly_channel::outbound::{Auth, Request, Sender};
use chatly_channel::{Delivery, Header, MediaStep};
use chatly_channels::{ALL, Plugin, find};
use serde_json::Value;

fn cases(channel: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases");
    let files = std::fs::read_dir(folder.join(channel)).unwrap();
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The media of the messages of a case, in order.
fn media(plugin: Plugin, path: &Path) -> Vec<Media> {
    let case: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let body = match &case["body_text"] {
        Value::String(text) => text.clone(),
        _ => case["body"].to_string(),
    };
    let kind = case["content_type"].as_str().unwrap_or("application/json");
    let delivery = Delivery {
        method: "POST".into(),
        url: "https://example.com/webhooks".into(),
        headers: vec![Header::new("content-type", kind)],
        body: body.into_bytes(),
    };
    let events = (plugin.parse)(&delivery, case["account"].as_str());
    let of = |body: Body| match body {
        Body::Message(message) | Body::MessageEdited(message) => message.media,
        _ => vec![],
    };
    events
        .into_iter()
        .flat_map(|event| of(event.body))
        .collect()
}

/// The step for a medium, at the platform's own address.
fn step(plugin: Plugin, media: &Media) -> MediaStep {
    let from = Sender {
        account: "1".into(),
        base_url: (plugin.describe)().base_url,
    };
    (plugin.fetch_media)(&from, media)
}

fn shown(step: MediaStep) -> String {
    let request = |request: Request| {
        assert!(request.headers.is_empty() && request.body.is_empty());
        format!("{} {} {:?}", request.method, request.url, request.auth)
    };
    match step {
        MediaStep::Download(it) => request(it),
        MediaStep::Ask(it) => format!("ask {}", request(it)),
        MediaStep::Absent(_) => "absent".to_owned(),
    }
}

#[test]
fn each_medium_is_asked_for_as_its_platform_documents() {
    const LINE: &str = "https://api-data.line.me/v2/bot/message";
    const SLACK: &str = "https://files.slack.com/files-pri/T061EG9R6-F0RDC39U1/download/shirt.png";
    const META: &str = "https://scontent.example/v/t1.15752-9/a.jpg?_nc_cat=1&oh=2";
    let line = |id: &str| format!("GET {LINE}/{id}/content Bearer");
    let (slack, meta) = (format!("GET {SLACK} Bearer"), format!("GET {META} None"));
    let open = |url: &str| format!("GET {url} None");
    let absent = || "absent".to_owned();
    for (channel, case, want) in [
        ("line", "image", vec![line("444573844083572722")]),
        (
            "line",
            "image_external",
            vec![open("https://example.com/original.jpg")],
        ),
        ("line", "video", vec![line("444573844083572725")]),
        ("line", "audio", vec![line("444573844083572801")]),
        ("line", "file", vec![line("444573844083572802")]),
        ("line", "sticker", vec![absent()]),
        ("slack", "image", vec![slack.clone()]),
        ("slack", "two_files", vec![slack.clone(), slack.clone()]),
        ("slack", "voice", vec![slack]),
        ("slack", "file_without_access", vec![absent()]),
        (
            "viber",
            "picture",
            vec![open("https://dl-media.viber.com/a.jpg")],
        ),
        (
            "viber",
            "video",
            vec![open("https://dl-media.viber.com/a.mp4")],
        ),
        (
            "viber",
            "file",
            vec![open("https://dl-media.viber.com/a.doc")],
        ),
        (
            "viber",
            "sticker",
            vec![open("https://media.viber.com/46105.png")],
        ),
        (
            "discord",
            "command_attachment",
            vec![open(
                "https://cdn.discordapp.com/ephemeral-attachments/1/906/a.png",
            )],
        ),
        (
            "discord",
            "lobby_image",
            vec![open("https://cdn.discordapp.com/a")],
        ),
        (
            "discord",
            "lobby_video",
            vec![open("https://cdn.discordapp.com/a")],
        ),
        ("instagram", "image", vec![meta.clone()]),
        (
            "instagram",
            "images",
            vec![meta.clone(), open(&format!("{META}&n=2"))],
        ),
        ("instagram", "video", vec![meta.clone()]),
        ("instagram", "file", vec![meta]),
        ("instagram", "like_heart", vec![absent()]),
    ] {
        let plugin = find(channel).unwrap();
        let path = cases(channel)
            .into_iter()
            .find(|path| path.file_stem().is_some_and(|stem| stem == case));
        let media = media(plugin, &path.unwrap());
        let steps: Vec<_> = media.iter().map(|it| shown(step(plugin, it))).collect();
        assert_eq!(steps, want, "{channel} {case}");
    }
}

/// Whether `url` is at `origin`, which may be `https://*.host`.
fn is_at(url: &str, origin: &str) -> bool {
    let host = |of: &str| of.split('/').nth(2).unwrap_or_default().to_owned();
    match origin.strip_prefix("https://*.") {
        Some(parent) => host(url).ends_with(&format!(".{parent}")),
        None => url.starts_with("https://") && host(url) == host(origin),
    }
}

#[test]
fn no_case_of_any_channel_takes_a_token_to_a_host_that_is_not_its_platforms() {
    let mut with_token = 0;
    for plugin in ALL {
        let about = (plugin.describe)();
        let hosts = (plugin.media_hosts)();
        for path in cases(&about.name) {
            for media in media(*plugin, &path) {
                let request = match step(*plugin, &media) {
                    MediaStep::Download(request) | MediaStep::Ask(request) => request,
                    MediaStep::Absent(_) => continue,
                };
                if request.auth == Auth::None {
                    continue;
                }
                with_token += 1;
                let trusted = hosts.iter().filter(|host| host.trusted);
                let mut origins = trusted.map(|host| host.origin.as_str());
                let url = &request.url;
                let is_own = is_at(url, &about.base_url) || origins.any(|it| is_at(url, it));
                assert!(is_own, "{}: {url}", path.display());
            }
        }
    }
    assert!(with_token > 20, "the cases hold media that need a token");
}
