//! Media of a message: fetched by the message's id from a host of its own, with the token. It may
//! still be in the making (202).
//!
//! Source: LINE Messaging API, "Get content".

use chatly_canonical::Media;
use chatly_channel::media::{get, id_segment};
use chatly_channel::outbound::{Auth, Sender};
use chatly_channel::{MediaHost, MediaStep};

/// The host of content, and that of everything else.
const DATA: &str = "https://api-data.line.me";
pub(crate) const API: &str = "https://api.line.me";

pub(crate) fn hosts() -> Vec<MediaHost> {
    vec![MediaHost::trusted(DATA)]
}

pub(crate) fn fetch(from: &Sender, media: &Media) -> MediaStep {
    if media.kind == "sticker" {
        return MediaStep::Absent("a sticker has no content to fetch".to_owned());
    }
    let Some(id) = media.id.as_deref().and_then(id_segment) else {
        return MediaStep::by_url(media, Auth::None);
    };
    // Whoever stands in for the platform stands in for both hosts.
    let base = match from.base_url.trim_end_matches('/') {
        API => DATA,
        other => other,
    };
    let url = format!("{base}/v2/bot/message/{id}/content");
    MediaStep::Download(get(url, Auth::Bearer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_has_a_host_of_its_own() {
        let media = |kind: &str, id: Option<&str>, url: Option<&str>| Media {
            kind: kind.into(),
            id: id.map(str::to_owned),
            url: url.map(str::to_owned),
            ..Media::default()
        };
        let own = "https://api-data.line.me/v2/bot/message/325708/content";
        let stood_in = "http://127.0.0.1:9/v2/bot/message/325708/content";
        let with = |url: &str, auth| MediaStep::Download(get(url.into(), auth));
        let sticker = MediaStep::Absent("a sticker has no content to fetch".into());
        for (base, media, want) in [
            (
                API,
                media("image", Some("325708"), None),
                with(own, Auth::Bearer),
            ),
            (
                "http://127.0.0.1:9/",
                media("image", Some("325708"), None),
                with(stood_in, Auth::Bearer),
            ),
            (
                API,
                media("image", None, Some("https://a.com/1")),
                with("https://a.com/1", Auth::None),
            ),
            (API, media("sticker", Some("446/1988"), None), sticker),
            (
                API,
                media("image", Some("../x"), None),
                MediaStep::unnamed(),
            ),
        ] {
            let from = Sender {
                account: "U1".into(),
                base_url: base.into(),
            };
            assert_eq!(fetch(&from, &media), want, "{base} {media:?}");
        }
    }
}
