//! Media of a message: its id is asked for, the answer names an address that is good for five minutes
//! and asks for the token, too.
//!
//! Source: Meta's WhatsApp Cloud API documentation, "Media".

use chatly_canonical::Media;
use chatly_channel::media::{get, id_segment};
use chatly_channel::outbound::{Auth, Sender};
use chatly_channel::{Located, MediaHost, MediaStep};
use serde::Deserialize;

use crate::message::sha256_in_hex;
use crate::render::API_VERSION;

pub(crate) fn hosts() -> Vec<MediaHost> {
    vec![MediaHost::trusted("https://lookaside.fbsbx.com")]
}

/// By the id, which lives for days; the address that may be in the delivery lives for minutes.
pub(crate) fn fetch(from: &Sender, media: &Media) -> MediaStep {
    match media.id.as_deref().and_then(id_segment) {
        Some(id) => {
            let base = from.base_url.trim_end_matches('/');
            MediaStep::Ask(get(format!("{base}/{API_VERSION}/{id}"), Auth::Bearer))
        }
        None => MediaStep::by_url(media, Auth::Bearer),
    }
}

#[derive(Deserialize)]
struct Answer {
    url: String,
    sha256: Option<String>,
    file_size: Option<u64>,
}

pub(crate) fn read(body: &[u8]) -> Result<Located, String> {
    let answer: Answer =
        serde_json::from_slice(body).map_err(|_| "the answer names no url".to_owned())?;
    let digest = answer.sha256.as_deref();
    Ok(Located {
        request: get(answer.url, Auth::Bearer),
        sha256: digest.and_then(sha256_in_hex),
        bytes: answer.file_size,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from() -> Sender {
        Sender {
            account: "106540352242922".into(),
            base_url: "https://graph.facebook.com/".into(),
        }
    }

    #[test]
    fn the_id_is_asked_for_before_the_address() {
        let media = |id: Option<&str>, url: Option<&str>| Media {
            id: id.map(str::to_owned),
            url: url.map(str::to_owned),
            ..Media::default()
        };
        let link = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1";
        let asked = "https://graph.facebook.com/v26.0/1037543291543636".to_owned();
        for (name, media, want) in [
            (
                "id",
                media(Some("1037543291543636"), Some(link)),
                MediaStep::Ask(get(asked, Auth::Bearer)),
            ),
            (
                "url",
                media(None, Some(link)),
                MediaStep::Download(get(link.into(), Auth::Bearer)),
            ),
            (
                "an id that leads elsewhere",
                media(Some("../1"), None),
                MediaStep::unnamed(),
            ),
            ("neither", media(None, None), MediaStep::unnamed()),
        ] {
            assert_eq!(fetch(&from(), &media), want, "{name}");
        }
    }

    #[test]
    fn the_answer_names_the_address_and_the_digest() {
        let hex = "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c";
        let base64 = "tbudgBSg+bHWHiHnlteNzN8TUvI80ygS9IULh4rklEw=";
        for digest in [hex, base64] {
            let body = format!(
                r#"{{"messaging_product":"whatsapp","url":"https://lookaside.fbsbx.com/1","mime_type":"image/jpeg","sha256":"{digest}","file_size":303833,"id":"1"}}"#
            );
            let want = Located {
                request: get("https://lookaside.fbsbx.com/1".into(), Auth::Bearer),
                sha256: Some(hex.into()),
                bytes: Some(303_833),
            };
            assert_eq!(read(body.as_bytes()), Ok(want), "{digest}");
        }
        for body in ["", "{}", "[]", r#"{"url":1}"#] {
            assert!(read(body.as_bytes()).is_err(), "{body}");
        }
    }
}
