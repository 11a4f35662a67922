//! Whatever comes, a plugin answers, within its memory and instructions.

use chatly_canonical::{ContactCard, Event, Identity, Location};
use chatly_channel::outbound::{
    Button, Content, MediaLocation, MediaSource, Menu, Message, ReactionTo, Row, Section, Sender,
    Template,
};
use chatly_channel::{Delivery, Header, Response};

use super::bodies::{disguised, filled, fixed, named, random};
use super::cases::{Golden, json};
use super::{Outcome, Subject, failed};
use crate::plugin::Plugin;

pub(super) fn bodies(subject: &mut Subject) -> Outcome {
    let Subject { plugin, golden } = subject;
    let description = plugin.describe().map_err(failed("describe"))?;
    let Some(first) = golden.first() else {
        return Err("there is no delivery".to_owned());
    };
    let mut all = fixed();
    for golden in golden.iter() {
        all.extend(disguised(golden));
    }
    all.extend(random(golden));
    let largest = golden.iter().max_by_key(|it| it.delivery.body.len());
    all.extend(largest.into_iter().flat_map(filled));
    for (name, body) in &all {
        let delivery = Delivery {
            body: body.clone(),
            ..first.delivery.clone()
        };
        let events = plugin
            .parse(&delivery, first.account.as_deref())
            .map_err(failed(&format!("parse of {name}")))?;
        sound(&events, &description.name, &description.kinds)
            .map_err(|reason| format!("parse of {name}: {reason}"))?;
        if events.is_empty() && !json(body).is_some_and(|text| text.starts_with('{')) {
            return Err(format!("parse of {name}: it gives no event"));
        }
        takes(plugin, first, &delivery, name)?;
    }
    Ok(format!("{} bodies", all.len()))
}

/// The other functions that read a delivery.
fn takes(
    plugin: &mut Plugin,
    golden: &Golden,
    delivery: &Delivery,
    name: &str,
) -> Result<(), String> {
    let is_accepted = plugin
        .verify(delivery, &golden.secrets, golden.now)
        .map_err(failed(&format!("verify of {name}")))?
        .is_ok();
    if is_accepted && golden.covers_body && delivery.body != golden.delivery.body {
        return Err(format!("verify of {name}: it is accepted"));
    }
    let tokens = ["token".to_owned()];
    plugin
        .handshake(delivery, &tokens, &golden.secrets, golden.now)
        .map_err(failed(&format!("handshake of {name}")))?;
    plugin
        .acknowledge(delivery)
        .map_err(failed(&format!("acknowledge of {name}")))?;
    Ok(())
}

/// What each event must have.
fn sound(events: &[Event], channel: &str, kinds: &[String]) -> Result<(), String> {
    for event in events {
        let text = serde_json::to_string(event).map_err(|error| error.to_string())?;
        let Kind { kind } = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        if !kinds.contains(&kind) {
            return Err(format!("the kind {kind:?} is not described"));
        }
        if event.channel != channel {
            return Err(format!("an event is of the channel {:?}", event.channel));
        }
        let prefix = format!("{channel}:");
        if !event.key.starts_with(&prefix) {
            return Err(format!(
                "the key {:?} does not begin with {prefix}",
                event.key
            ));
        }
    }
    Ok(())
}

/// What is read of an event's JSON.
#[derive(serde::Deserialize)]
struct Kind {
    kind: String,
}

pub(super) fn answers(subject: &mut Subject) -> Outcome {
    let bodies = [
        named("nothing", ""),
        named("null", "null"),
        named("half an object", "{\"error\":{\"code\":"),
        named(
            "wrong types",
            r#"{"error":[1],"messages":{"id":7},"ok":"no","result":null}"#,
        ),
        named(
            "no object",
            r#"{"error":"a","message_id":{"a":[]},"status":[]}"#,
        ),
        named("invalid UTF-8", vec![0xff; 64]),
        named("deep JSON", "[".repeat(1 << 20)),
        named("1 MiB of text", "a".repeat(1 << 20)),
    ];
    let headers = [
        vec![],
        vec![Header::new("retry-after", "99999999999999999999999")],
        vec![
            Header::new("retry-after", "-1"),
            Header::new("retry-after", "Wed, 32 Foo"),
            Header::new(
                "x-business-use-case-usage",
                "{\"a\":[{\"estimated_time_to_regain_access\":1e400}]}",
            ),
        ],
    ];
    let mut count = 0;
    for status in [
        0,
        100,
        200,
        201,
        204,
        302,
        400,
        401,
        403,
        404,
        409,
        429,
        500,
        503,
        999,
        u16::MAX,
    ] {
        for (name, body) in &bodies {
            for headers in &headers {
                let response = Response {
                    status,
                    headers: headers.clone(),
                    body: body.clone(),
                };
                count += 1;
                subject
                    .plugin
                    .classify(&response)
                    .map_err(failed(&format!("classify of {status} with {name}")))?;
            }
        }
    }
    Ok(format!("{count} answers"))
}

pub(super) fn messages(subject: &mut Subject) -> Outcome {
    let texts = [
        String::new(),
        " ".to_owned(),
        "\0".to_owned(),
        "👨\u{200d}👩\u{200d}👧".repeat(2_000),
        "e\u{301}".repeat(50_000),
        "../../?#{access_token}\r\nhost: x".to_owned(),
    ];
    let mut count = 0;
    for text in &texts {
        let name: String = text.chars().take(12).collect();
        for content in contents(text) {
            let message = Message {
                to: Identity {
                    scheme: text.chars().take(20).collect(),
                    id: text.chars().take(200).collect(),
                },
                chat: Some(text.chars().take(200).collect()),
                content,
                reply_to: Some(text.chars().take(200).collect()),
                reference: Some(text.chars().take(200).collect()),
                tag: Some(text.chars().take(200).collect()),
            };
            let from = Sender {
                account: text.chars().take(200).collect(),
                base_url: "https://api.example".to_owned(),
            };
            count += 1;
            let requests = subject
                .plugin
                .render(&from, &message)
                .map_err(failed(&format!("render of {name:?}")))?;
            let is_foreign = |url: &str| {
                !url.starts_with("https://api.example/") || url.contains(['\r', '\n', ' ', '#'])
            };
            let urls = requests.into_iter().flatten().map(|request| request.url);
            if let Some(url) = urls.into_iter().find(|url| is_foreign(url)) {
                return Err(format!("render of {name:?} asks {url:?}"));
            }
        }
    }
    Ok(format!("{count} messages"))
}

fn contents(text: &str) -> Vec<Content> {
    let some = || Some(text.to_owned());
    let button = || Button {
        id: text.to_owned(),
        title: text.to_owned(),
    };
    let media = |location| {
        Content::Media(MediaSource {
            kind: text.chars().take(20).collect(),
            location,
            caption: some(),
            filename: some(),
        })
    };
    let short: String = text.chars().take(300).collect();
    let row = Row {
        id: short.clone(),
        title: short.clone(),
        description: Some(short),
    };
    let menu = Menu {
        button: text.to_owned(),
        sections: vec![
            Section {
                title: some(),
                rows: vec![row; 30],
            };
            30
        ],
    };
    vec![
        Content::Text(text.to_owned()),
        media(MediaLocation::Url(text.to_owned())),
        media(MediaLocation::Id(text.to_owned())),
        Content::Location(Location {
            latitude: f64::NAN,
            longitude: f64::INFINITY,
            name: some(),
            address: some(),
        }),
        Content::Contacts(vec![ContactCard {
            name: some(),
            phones: vec![text.to_owned()],
            emails: vec![],
            org: some(),
        }]),
        Content::Reaction(ReactionTo {
            message_id: text.to_owned(),
            emoji: some(),
        }),
        Content::Template(Template {
            name: text.to_owned(),
            language: text.to_owned(),
            components: some(),
        }),
        Content::Buttons(text.to_owned(), vec![button(); 30]),
        Content::Menu(text.to_owned(), menu),
        Content::QuickReplies(text.to_owned(), vec![]),
        Content::MarkRead(text.to_owned()),
        Content::Typing(some()),
    ]
}
