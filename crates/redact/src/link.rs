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
const SECRET_KEYS: [&str; 41] = [
    "access",
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
    const AT: &str = r"(?:\s*[\[({<]\s*(?:at|arroba|arrobase|ät|a|@)\s*[\])}>]\s*|\s+-?(?:at|arroba|arrobase|ät)-?\s+|\s*@\s*|%40|[-_](?:at|arroba|arrobase|ät)[-_])";
    const DOT: &str = r"(?:\s*[\[({<]\s*(?:dot|punto|ponto|point|punkt|\.)\s*[\])}>]\s*|\s+-?(?:dot|punto|ponto|point|punkt)-?\s+|\.|\s+\.\s*|[-_](?:dot|punto|ponto|point|punkt)[-_])";
    const NAME: &str = r"[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}_-]*[\p{L}\p{M}\p{N}])??";
    Regex::new(&format!(
        r"(?i)\b(?P<local>[\p{{L}}\p{{N}}][\p{{L}}\p{{M}}\p{{N}}._%+-]*?)(?P<at>{AT}){NAME}(?:{DOT}{NAME})*?(?P<dot>{DOT})[a-z]{{2,24}}\b"
    ))
    .ok()
});

/// `a n a @ g m a i l . c o m`.
static SPACED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:[a-z0-9._-] ){2,}@(?: [a-z0-9-]){2,}(?: \.(?: [a-z]){2,})+\b").ok()
});

/// What stands before a bare "at" and is no name: "have a look at example.com".
const NO_NAMES: [&str; 33] = [
    "look",
    "looked",
    "looking",
    "looks",
    "saw",
    "seen",
    "found",
    "find",
    "shop",
    "shopped",
    "buy",
    "bought",
    "order",
    "ordered",
    "ordering",
    "sold",
    "available",
    "cheaper",
    "price",
    "prices",
    "it",
    "them",
    "one",
    "this",
    "that",
    "are",
    "is",
    "was",
    "us",
    "work",
    "store",
    "stuff",
    "sale",
];

/// RFC 6531's letters of any script, with a quoted name, without a domain's end or with a comma there.
static EMAIL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?:[\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N}.!#$%&'*+/=?^_`{|}~-]*|"[^"@\n]{1,64}")@(?:[\p{L}\p{M}\p{N}-]+(?:\.[\p{L}\p{M}\p{N}-]+)+|[\p{L}\p{M}\p{N}-]+,(?:com|net|org|es|de|fr|pt|br|mx|uk|io)\b|\p{L}[\p{L}\p{M}\p{N}-]+)"#).ok()
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
    let spelt = SPELT.iter().flat_map(|it| it.captures_iter(text));
    found.extend(spelt.filter(is_named).filter_map(|captures| {
        let whole = captures.get(0)?;
        Some(Span::new(Kind::Email, whole.range()))
    }));
    let spaced = SPACED.iter().flat_map(|it| it.find_iter(text));
    found.extend(spaced.map(|it| Span::new(Kind::Email, it.range())));
    found
}

/// Whether a name stands before a bare "at" that a plain dot follows.
fn is_named(captures: &regex::Captures) -> bool {
    let part = |name| captures.name(name).map_or("", |it| it.as_str());
    let is_bare = part("at").trim().eq_ignore_ascii_case("at") && part("dot") == ".";
    !is_bare || !NO_NAMES.contains(&part("local").to_lowercase().as_str())
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
        || url.host_str() == Some("hooks.slack.com")
        || url.path().contains("/api/webhooks/")
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
