//! Addresses: e-mail, also written so that machines should not see it, and links that say more than
//! where to go.

use std::sync::LazyLock;

use linkify::{LinkFinder, LinkKind};
use regex::Regex;
use url::Url;

use crate::span::{Kind, Span};
use crate::token;

/// Parameters of a link that hold a credential or somebody's data, as OAuth 2.0, signed URLs of cloud
/// storage and common frameworks call them. Compared without case, dashes and underscores.
const SECRET_KEYS: [&str; 40] = [
    "accesskey",
    "accesstoken",
    "apikey",
    "assertion",
    "auth",
    "authorization",
    "authtoken",
    "awsaccesskeyid",
    "clientsecret",
    "code",
    "credential",
    "email",
    "hash",
    "idtoken",
    "invite",
    "jwt",
    "key",
    "login",
    "magic",
    "mail",
    "mobile",
    "nonce",
    "otp",
    "pass",
    "passwd",
    "password",
    "phone",
    "pin",
    "pwd",
    "refreshtoken",
    "reset",
    "secret",
    "session",
    "sessionid",
    "sid",
    "sig",
    "signature",
    "tel",
    "token",
    "user",
];

/// `name (at) example (dot) com` and its like in five languages.
static SPELT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    const AT: &str = r"(?:\s*[\[({<]\s*(?:at|arroba|arrobase|ät|a|@)\s*[\])}>]\s*|\s+(?:at|arroba|arrobase|ät)\s+|\s*@\s*)";
    const DOT: &str = r"(?:\s*[\[({<]\s*(?:dot|punto|ponto|point|punkt|\.)\s*[\])}>]\s*|\s+(?:dot|punto|ponto|point|punkt)\s+|\.)";
    Regex::new(&format!(
        r"(?i)\b[a-z0-9][a-z0-9._%+-]*{AT}[a-z0-9][a-z0-9-]*(?:{DOT}[a-z0-9-]+)*{DOT}[a-z]{{2,24}}\b"
    ))
    .ok()
});

/// RFC 6531's letters of any script; quotes and comments are not written in chats.
static EMAIL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"[\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N}.!#$%&'*+/=?^_`{|}~-]*@[\p{L}\p{M}\p{N}-]+(?:\.[\p{L}\p{M}\p{N}-]+)+").ok()
});

/// `scheme://user:password@host`, also of schemes that are no web addresses.
static WITH_USER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\b[a-z][a-z0-9+.-]{1,24}://[^\s/@\x01]+@[^\s\x01]+").ok());

pub(crate) fn find(text: &str) -> Vec<Span> {
    let mut found: Vec<Span> = WITH_USER
        .iter()
        .flat_map(|pattern| pattern.find_iter(text))
        .map(|found| Span::new(Kind::Url, found.range()))
        .collect();
    found.extend(
        EMAIL
            .iter()
            .flat_map(|pattern| pattern.find_iter(text))
            .map(|found| Span::new(Kind::Email, found.range())),
    );
    let mut finder = LinkFinder::new();
    finder
        .kinds(&[LinkKind::Url, LinkKind::Email])
        .url_must_have_scheme(false);
    for link in finder.links(text) {
        let range = link.start()..link.end();
        match link.kind() {
            LinkKind::Email => found.push(Span::new(Kind::Email, range)),
            LinkKind::Url if says_more(link.as_str()) => found.push(Span::new(Kind::Url, range)),
            _ => {}
        }
    }
    found.extend(
        SPELT
            .iter()
            .flat_map(|pattern| pattern.find_iter(text))
            .map(|found| Span::new(Kind::Email, found.range())),
    );
    found
}

/// Whether a link holds credentials, an address, or a part that nobody types.
fn says_more(link: &str) -> bool {
    let parsed = Url::parse(link).or_else(|_| Url::parse(&format!("https://{link}")));
    let Ok(url) = parsed else {
        // It is no address that we can read, so nobody knows what it holds.
        return true;
    };
    let fragment = url.fragment().unwrap_or_default();
    let in_fragment = url::form_urlencoded::parse(fragment.as_bytes());
    !url.username().is_empty()
        || url.password().is_some()
        || link.contains('@')
        || link.to_ascii_lowercase().contains("%40")
        || url
            .query_pairs()
            .chain(in_fragment)
            .any(|(key, value)| !value.is_empty() && (is_secret(&key) || token::is_dense(&value)))
        || url
            .path_segments()
            .into_iter()
            .flatten()
            .any(|part| token::is_dense(part) || is_long_number(part))
}

fn is_secret(key: &str) -> bool {
    let key: String = key
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|character| character.to_ascii_lowercase())
        .collect();
    SECRET_KEYS.contains(&key.as_str())
        || [
            "token",
            "secret",
            "signature",
            "password",
            "credential",
            "apikey",
        ]
        .iter()
        .any(|word| key.contains(word))
}

/// A phone number in a chat link (`wa.me/491701234567`).
fn is_long_number(part: &str) -> bool {
    let digits = part.chars().filter(char::is_ascii_digit).count();
    digits >= 9
        && part
            .chars()
            .all(|it| it.is_ascii_digit() || "+-".contains(it))
}
