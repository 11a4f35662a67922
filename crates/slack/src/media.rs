//! Where Slack keeps a file, and when the bot's token goes there.
//!
//! Whoever shares a remote file chooses its address, and the Web API takes GET: a token that went to any
//! path of Slack's would do what that address says. It goes to kept files only.

use chatly_canonical::Media;
use chatly_channel::outbound::{Auth, Sender};
use chatly_channel::{MediaHost, MediaStep};

/// The host of kept files.
const FILES: &str = "https://files.slack.com";
/// Where kept files are, below a base URL that stands in for Slack's.
const PRIVATE: &str = "/files-pri/";

pub fn hosts() -> Vec<MediaHost> {
    vec![MediaHost::trusted(FILES)]
}

/// Fetches a file that Slack keeps; of others there is nothing to fetch.
pub fn fetch(from: &Sender, media: &Media) -> MediaStep {
    let url = media.url.as_deref().unwrap_or_default();
    let base = from.base_url.trim_end_matches('/');
    let is_kept = [FILES, base].iter().any(|origin| {
        url.strip_prefix(origin)
            .is_some_and(|path| path.starts_with(PRIVATE) && is_plain(path))
    });
    if url.is_empty() || is_kept {
        return MediaStep::by_url(media, Auth::Bearer);
    }
    MediaStep::Absent("the file is not kept at Slack".to_owned())
}

/// A path that stays below what it begins with, however it is read.
fn is_plain(path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let lower = path.to_ascii_lowercase();
    !path.contains('\\') && !lower.contains("%2e") && !path.split('/').any(|part| part == "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_goes_to_kept_files_only() {
        for (url, want) in [
            (
                "https://files.slack.com/files-pri/T1-F1/download/a.png",
                true,
            ),
            ("https://stand-in.example/files-pri/T1-F1/a.png?t=1", true),
            ("https://files.slack.com/api/auth.revoke", false),
            (
                "https://files.slack.com/files-pri/../api/auth.revoke",
                false,
            ),
            (
                "https://files.slack.com/files-pri/%2E%2e/api/auth.revoke",
                false,
            ),
            ("https://files.slack.com/files-pri/..\\api", false),
            ("https://files.slack.com.evil.example/files-pri/1", false),
            (
                "https://stand-in.example/api/chat.postMessage?text=x",
                false,
            ),
            ("https://slack.com/api/auth.revoke", false),
            ("https://docs.example/files-pri/1", false),
        ] {
            let from = Sender {
                base_url: "https://stand-in.example".to_owned(),
                account: "T1".to_owned(),
            };
            let media = Media {
                url: Some(url.to_owned()),
                ..Media::default()
            };
            let step = fetch(&from, &media);
            assert_eq!(matches!(step, MediaStep::Download(_)), want, "{url}");
        }
    }
}
