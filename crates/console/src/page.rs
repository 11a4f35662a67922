//! The page's files and their headers.
//!
//! 1. Nothing comes from anywhere else: no build step, no other host, nothing inline. The policy
//!    ([`POLICY`]) makes the browser hold the page to that.
//! 2. Markup is never made from text: `require-trusted-types-for 'script'` turns an assignment to
//!    `innerHTML` into an error, and a test looks for one.
//! 3. Every file has an `etag` and is asked for again each time, so that a new version of the
//!    component is the new page.

use chatly_respond::{Response, content, empty, with};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, IF_NONE_MATCH, REFERRER_POLICY};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// What the page may do (Content Security Policy Level 3; Trusted Types for the last one).
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; img-src 'self' data:; media-src 'self'; form-action 'self'; frame-ancestors 'none'; \
    base-uri 'none'; require-trusted-types-for 'script'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// One file of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File {
    /// Its path on the server.
    pub path: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// What it holds.
    pub bytes: &'static [u8],
}

macro_rules! files {
    ($($media_type:ident $path:literal = $file:literal)*) => {
        /// Every file there is; the first is the page itself.
        pub const FILES: &[File] = &[
            $(File {
                path: $path,
                media_type: $media_type,
                bytes: include_bytes!(concat!("../assets/", $file)),
            },)*
        ];
    };
}
files! {
    HTML "/" = "index.html"
    HTML "/console" = "index.html"
    STYLE "/console/style.css" = "style.css"
    STYLE "/console/panes.css" = "panes.css"
    STYLE "/console/media.css" = "media.css"
    STYLE "/console/insight.css" = "insight.css"
    SVG "/console/icon.svg" = "icon.svg"
    SCRIPT "/console/app.js" = "app.js"
    SCRIPT "/console/api.js" = "api.js"
    SCRIPT "/console/dom.js" = "dom.js"
    SCRIPT "/console/words.js" = "words.js"
    SCRIPT "/console/live.js" = "live.js"
    SCRIPT "/console/accounts.js" = "accounts.js"
    SCRIPT "/console/list.js" = "list.js"
    SCRIPT "/console/thread.js" = "thread.js"
    SCRIPT "/console/message.js" = "message.js"
    SCRIPT "/console/media.js" = "media.js"
    SCRIPT "/console/card.js" = "card.js"
    SCRIPT "/console/lead.js" = "lead.js"
    SCRIPT "/console/insight.js" = "insight.js"
    SCRIPT "/console/usage.js" = "usage.js"
    SCRIPT "/console/channels.js" = "channels.js"
    SCRIPT "/console/compose.js" = "compose.js"
    SCRIPT "/console/routing.js" = "routing.js"
    SCRIPT "/console/deliveries.js" = "deliveries.js"
    SCRIPT "/console/trial.js" = "trial.js"
}

/// The file at `path`; `/console/` is the page too.
pub fn find(path: &str) -> Option<File> {
    let path = if path == "/console/" {
        "/console"
    } else {
        path
    };
    FILES.iter().find(|file| file.path == path).copied()
}

impl File {
    /// Its entity tag: a strong one, of the bytes alone (RFC 9110, section 8.8.3).
    pub fn etag(&self) -> String {
        let mut digest = chatly_signature::sha256_hex(&[self.bytes]);
        digest.truncate(32);
        format!("\"{digest}\"")
    }

    /// The answer to a `GET` or `HEAD` with these headers: the file, or 304 when the client has it.
    pub fn response(&self, request: &HeaderMap) -> Response {
        let etag = self.etag();
        let mut response = if is_known(request, &etag) {
            empty(StatusCode::NOT_MODIFIED)
        } else {
            content(StatusCode::OK, self.media_type, self.bytes)
        };
        if let Ok(etag) = HeaderValue::from_str(&etag) {
            response = with(response, ETAG, etag);
        }
        for (name, value) in [
            (CACHE_CONTROL, "no-cache"),
            (CONTENT_SECURITY_POLICY, POLICY),
            (REFERRER_POLICY, "no-referrer"),
            (OPENER_POLICY, "same-origin"),
            (RESOURCE_POLICY, "same-origin"),
        ] {
            response = with(response, name, HeaderValue::from_static(value));
        }
        response
    }
}

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// `If-None-Match` compares weakly, and may list several (RFC 9110, section 13.1.2).
fn is_known(request: &HeaderMap, etag: &str) -> bool {
    request
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|given| given == "*" || given.trim_start_matches("W/") == etag)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn text(file: &File) -> &'static str {
        std::str::from_utf8(file.bytes).unwrap()
    }

    /// What stands between `open` and the next `"`.
    fn quoted<'a>(text: &'a str, open: &str) -> Vec<&'a str> {
        text.split(open)
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect()
    }

    #[test]
    fn every_file_says_what_it_is_and_what_it_may_do() {
        for file in FILES {
            let response = file.response(&HeaderMap::new());
            let header = |name: &str| {
                response
                    .headers()
                    .get(name)
                    .map_or("", |value| value.to_str().unwrap())
            };
            assert_eq!(response.status(), 200, "{}", file.path);
            assert_eq!(header("content-type"), file.media_type, "{}", file.path);
            assert_eq!(
                header("content-length"),
                file.bytes.len().to_string(),
                "{}",
                file.path
            );
            assert_eq!(header("content-security-policy"), POLICY, "{}", file.path);
            assert_eq!(header("x-content-type-options"), "nosniff", "{}", file.path);
            assert_eq!(header("referrer-policy"), "no-referrer", "{}", file.path);
            assert_eq!(header("etag"), file.etag(), "{}", file.path);
        }
    }

    #[test]
    fn a_file_that_the_client_has_is_not_sent_again() {
        let file = find("/").unwrap();
        let (etag, other) = (file.etag(), find("/console/app.js").unwrap().etag());
        for (name, given, want) in [
            ("nothing", None, 200),
            ("the same", Some(etag.clone()), 304),
            ("weak", Some(format!("W/{etag}")), 304),
            ("among others", Some(format!("{other}, {etag}")), 304),
            ("any", Some("*".to_owned()), 304),
            ("another", Some(other), 200),
            ("without its quotes", Some(etag.replace('"', "")), 200),
        ] {
            let mut request = HeaderMap::new();
            request.extend(given.map(|given| (IF_NONE_MATCH, given.parse().unwrap())));
            assert_eq!(file.response(&request).status(), want, "{name}");
        }
    }

    #[test]
    fn all_that_the_page_names_is_there_and_nothing_else() {
        let mut named = BTreeSet::from(["/", "/console"]);
        for file in FILES {
            named.extend(
                quoted(text(file), "href=\"/")
                    .into_iter()
                    .chain(quoted(text(file), "src=\"/"))
                    .map(|path| {
                        FILES
                            .iter()
                            .map(|file| file.path)
                            .find(|known| known[1..] == *path)
                            .unwrap_or_else(|| {
                                panic!("{} names /{path}, which is not there", file.path)
                            })
                    }),
            );
            named.extend(quoted(text(file), "from \"./").into_iter().map(|name| {
                let path = format!("/console/{name}");
                find(&path)
                    .unwrap_or_else(|| panic!("{} imports {path}", file.path))
                    .path
            }));
        }
        let all: BTreeSet<_> = FILES.iter().map(|file| file.path).collect();
        assert_eq!(named, all);
        assert_eq!(
            find("/console/").map(|file| file.bytes),
            find("/").map(|file| file.bytes)
        );
        for path in [
            "",
            "/index.html",
            "/console/none.js",
            "/console/../app.js",
            "//",
        ] {
            assert_eq!(find(path), None, "{path}");
        }
    }

    /// The policy would refuse these in the browser; here they are found before.
    #[test]
    fn nothing_makes_markup_or_code_from_text() {
        for file in FILES {
            for word in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "new Function",
                "javascript:",
                "style=\"",
                "<script>",
                "<style",
                "http://",
                "https://",
            ] {
                let text = text(file).replace("http://www.w3.org/2000/svg", "");
                assert!(!text.contains(word), "{} holds {word}", file.path);
            }
            for handler in ["onclick=", "onerror=", "onload=", "onsubmit="] {
                assert!(
                    !text(file).contains(handler),
                    "{} holds {handler}",
                    file.path
                );
            }
        }
    }
}
