//! Media of a message: a file id becomes a path that is good for an hour; both addresses hold the token.
//!
//! Source: Telegram Bot API, `getFile`: files up to 20 MB.

use chatly_canonical::Media;
use chatly_channel::media::{get, id_segment};
use chatly_channel::outbound::{Auth, Sender};
use chatly_channel::{Located, MediaStep};
use serde::Deserialize;

pub(crate) fn fetch(from: &Sender, media: &Media) -> MediaStep {
    let Some(id) = media.id.as_deref().and_then(id_segment) else {
        return MediaStep::unnamed();
    };
    let base = from.base_url.trim_end_matches('/');
    let url = format!("{base}/bot{{access_token}}/getFile?file_id={id}");
    MediaStep::Ask(get(url, Auth::Path))
}

#[derive(Deserialize)]
struct Answer {
    result: File,
}

#[derive(Deserialize)]
struct File {
    file_path: String,
    file_size: Option<u64>,
}

pub(crate) fn read(from: &Sender, body: &[u8]) -> Result<Located, String> {
    let answer: Answer =
        serde_json::from_slice(body).map_err(|_| "the answer names no file_path".to_owned())?;
    let path = answer.result.file_path;
    if !is_plain(&path) {
        return Err("the answer's file_path is none".to_owned());
    }
    let base = from.base_url.trim_end_matches('/');
    let url = format!("{base}/file/bot{{access_token}}/{path}");
    Ok(Located {
        request: get(url, Auth::Path),
        sha256: None,
        bytes: answer.result.file_size,
    })
}

/// Names with a slash between; with the token in the address, it must not lead elsewhere.
fn is_plain(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    path.split('/').all(|segment| {
        !segment.is_empty() && !segment.starts_with('.') && segment.bytes().all(plain)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from() -> Sender {
        Sender {
            account: "shop".into(),
            base_url: "https://api.telegram.org".into(),
        }
    }

    #[test]
    fn a_file_is_found_by_its_id() {
        let media = |id: Option<&str>| Media {
            id: id.map(str::to_owned),
            ..Media::default()
        };
        let url = "https://api.telegram.org/bot{access_token}/getFile?file_id=AgACAgIAAxkBAAIB-_";
        for (id, want) in [
            (
                Some("AgACAgIAAxkBAAIB-_"),
                MediaStep::Ask(get(url.into(), Auth::Path)),
            ),
            (Some("a&b=c"), MediaStep::unnamed()),
            (None, MediaStep::unnamed()),
        ] {
            assert_eq!(fetch(&from(), &media(id)), want, "{id:?}");
        }
    }

    #[test]
    fn a_path_leads_nowhere_else() {
        let body = |path: &str| {
            format!(
                r#"{{"ok":true,"result":{{"file_id":"x","file_unique_id":"y","file_size":1234,"file_path":"{path}"}}}}"#
            )
        };
        let url = "https://api.telegram.org/file/bot{access_token}/photos/file_1.jpg";
        let want = Located {
            request: get(url.into(), Auth::Path),
            sha256: None,
            bytes: Some(1234),
        };
        assert_eq!(
            read(&from(), body("photos/file_1.jpg").as_bytes()),
            Ok(want)
        );
        for path in [
            "",
            "/etc/passwd",
            "../x",
            "a/../b",
            "a//b",
            "a?b",
            "a%2e",
            "a b",
            ".x",
        ] {
            assert!(read(&from(), body(path).as_bytes()).is_err(), "{path}");
        }
        for body in ["", "{}", r#"{"ok":true,"result":{"file_id":"x"}}"#] {
            assert!(read(&from(), body.as_bytes()).is_err(), "{body}");
        }
    }
}
