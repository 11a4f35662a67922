//! Links that are signed and end.
//!
//! 1. A link is `/media/<path>?expires=<Unix seconds>&signature=<hex>`; the signature is
//!    HMAC-SHA256 over `GET`, the path of the URL and the expiry, one a line.
//! 2. It is compared in constant time, before the expiry is looked at. It holds for `HEAD`, too.
//! 3. Without a key there are no links, and none is good.

use chatly_signature::{Encoding, sign, verify};

use crate::layout::is_path;

/// What stands before the path in a link.
pub const PREFIX: &str = "/media/";

/// How long a link is good unless the operator says otherwise: as long as somebody looks at a thread.
pub const DEFAULT_LIFE_SECS: u32 = 3600;

/// A life of links that is none: it has to be a number of seconds from a minute to a week. What is once
/// given out cannot be taken back but by a new key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number of seconds from 60 to 604800")]
pub struct NoLife;

/// Reads how long links are to be good, in seconds; blank is [`DEFAULT_LIFE_SECS`].
///
/// # Errors
/// [`NoLife`].
pub fn life(text: &str) -> Result<u32, NoLife> {
    if text.trim().is_empty() {
        return Ok(DEFAULT_LIFE_SECS);
    }
    let secs = text.trim().parse().map_err(|_| NoLife)?;
    if (60..=7 * 24 * 3600).contains(&secs) {
        Ok(secs)
    } else {
        Err(NoLife)
    }
}

/// How many seconds from `now`, in Unix seconds, a link is made for: at most its life and more than half
/// of it. The end stays the same for half a life, so that who reads a message again gets the same link,
/// and a browser does not load its medium anew.
pub fn secs(now: u64, life: u32) -> u32 {
    let half = u64::from(life / 2).max(1);
    let end = (now / half + 2) * half;
    u32::try_from(end - now).unwrap_or(life)
}

/// Why a link opens nothing. Holds nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No key is configured.
    #[error("no key is configured")]
    NoKey,
    /// Not a link of ours, or not as it was made.
    #[error("the link is not valid")]
    Invalid,
    /// It was ours, and its time is over.
    #[error("the link has expired")]
    Expired,
}

/// A link to `path` that is good until `expires_at`, in Unix seconds; none without a key, or for what
/// is no path. `base_url` may be blank, for a link relative to the server's root.
pub fn make(key: &str, base_url: &str, path: &str, expires_at: u64) -> Option<String> {
    if !is_path(path) {
        return None;
    }
    let signature = sign(key, &message(path, expires_at), Encoding::Hex)?;
    let base = base_url.trim().trim_end_matches('/');
    Some(format!(
        "{base}{PREFIX}{path}?expires={expires_at}&signature={signature}"
    ))
}

/// A link that is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link<'a> {
    /// The medium's path.
    pub path: &'a str,
    /// Until when, in Unix seconds.
    pub expires_at: u64,
}

/// The link, when this path and query of a URL are one of ours that is still good. Keys: current
/// first.
///
/// # Errors
/// [`Refusal`].
pub fn check<'a>(
    keys: &[String],
    url_path: &'a str,
    query: Option<&str>,
    now: u64,
) -> Result<Link<'a>, Refusal> {
    let path = url_path.strip_prefix(PREFIX).ok_or(Refusal::Invalid)?;
    let (expires, signature) = parameters(query.unwrap_or_default()).ok_or(Refusal::Invalid)?;
    if !is_path(path) {
        return Err(Refusal::Invalid);
    }
    // Digits only: what was signed is the number, written in one way.
    let expires_at: u64 = expires.parse().map_err(|_| Refusal::Invalid)?;
    if expires_at.to_string() != expires {
        return Err(Refusal::Invalid);
    }
    verify(keys, &message(path, expires_at), signature, Encoding::Hex).map_err(
        |error| match error {
            chatly_signature::Error::NoSecret => Refusal::NoKey,
            _ => Refusal::Invalid,
        },
    )?;
    if now >= expires_at {
        return Err(Refusal::Expired);
    }
    Ok(Link { path, expires_at })
}

fn message(path: &str, expires_at: u64) -> Vec<u8> {
    format!("GET\n{PREFIX}{path}\n{expires_at}").into_bytes()
}

/// Each of the two once, and nothing else.
fn parameters(query: &str) -> Option<(&str, &str)> {
    let (first, second) = query.split_once('&')?;
    let pick = |name: &str| {
        [first, second].into_iter().find_map(|pair| {
            pair.split_once('=')
                .filter(|it| it.0 == name)
                .map(|it| it.1)
        })
    };
    Some((pick("expires")?, pick("signature")?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_life_is_a_minute_to_a_week() {
        for (text, want) in [
            ("", Ok(DEFAULT_LIFE_SECS)),
            (" 60 ", Ok(60)),
            ("604800", Ok(604_800)),
            ("59", Err(NoLife)),
            ("0", Err(NoLife)),
            ("604801", Err(NoLife)),
            ("15m", Err(NoLife)),
            ("-60", Err(NoLife)),
        ] {
            assert_eq!(life(text), want, "{text}");
        }
    }

    #[test]
    fn a_link_stays_the_same_for_half_its_life() {
        let end = |now: u64| now + u64::from(secs(now, 3600));
        for (now, want) in [
            (0, 3600),
            (1, 3600),
            (1799, 3600),
            (1800, 5400),
            (3599, 5400),
        ] {
            assert_eq!(end(now), want, "{now}");
        }
    }

    const KEY: &str = "media-key";
    const PATH: &str = "0197a1b2-0000-7000-8000-000000000000/0";

    fn keys(keys: &[&str]) -> Vec<String> {
        keys.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_link_is_good_until_it_ends_and_for_nothing_else() {
        let link = make(KEY, "", PATH, 1_000).unwrap();
        let (path, query) = link.split_once('?').unwrap();
        let signature = query.split_once("signature=").unwrap().1;
        let later = format!("expires=2000&signature={signature}");
        let zero = format!("expires=01000&signature={signature}");
        let swapped = format!("signature={signature}&expires=1000");
        let twice = format!("{query}&expires=1000");
        let cut = query.get(..query.len() - 1).unwrap();
        let other = "/media/0197a1b2-0000-7000-8000-000000000001/0";
        let above = "/media/x/../0197a1b2-0000-7000-8000-000000000000/0";
        let good = Ok(Link {
            path: PATH,
            expires_at: 1_000,
        });
        let invalid = Err(Refusal::Invalid);
        for (name, used, path, query, now, want) in [
            ("at once", KEY, path, Some(query), 0, good),
            ("last second", KEY, path, Some(query), 999, good),
            ("over", KEY, path, Some(query), 1_000, Err(Refusal::Expired)),
            ("in the other order", KEY, path, Some(&swapped), 0, good),
            ("with a later end", KEY, path, Some(&later), 0, invalid),
            (
                "number written otherwise",
                KEY,
                path,
                Some(&zero),
                0,
                invalid,
            ),
            ("something twice", KEY, path, Some(&twice), 0, invalid),
            ("cut", KEY, path, Some(cut), 0, invalid),
            ("no query", KEY, path, None, 0, invalid),
            ("another medium", KEY, other, Some(query), 0, invalid),
            ("another way there", KEY, above, Some(query), 0, invalid),
            ("another root", KEY, "/v1/x", Some(query), 0, invalid),
            ("another key", "x", path, Some(query), 0, invalid),
            ("no key", " ", path, Some(query), 0, Err(Refusal::NoKey)),
        ] {
            assert_eq!(check(&keys(&[used]), path, query, now), want, "{name}");
        }
        let rotated = check(&keys(&["new", KEY]), path, Some(query), 0);
        assert_eq!(rotated, good);
    }

    #[test]
    fn a_link_is_made_with_a_key_and_for_a_path() {
        for (key, base, path, want) in [
            (KEY, "", PATH, Some("/media/")),
            (KEY, "https://a.com/", PATH, Some("https://a.com/media/")),
            (" ", "", PATH, None),
            ("", "", PATH, None),
            (KEY, "", "../x", None),
        ] {
            let link = make(key, base, path, 1);
            let start = want.map(|want| format!("{want}{PATH}?expires=1&signature="));
            assert_eq!(link.is_some(), start.is_some(), "{key} {path}");
            if let (Some(link), Some(start)) = (link, start) {
                assert!(link.starts_with(&start), "{link}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_other_character_spoils_it(at in 0..200usize, with in "[a-z0-9/&=.-]") {
            let link = make(KEY, "", PATH, 1_000).unwrap();
            let at = at % link.len();
            let changed = format!("{}{with}{}", &link[..at], &link[at + 1..]);
            prop_assume!(changed != link);
            let (path, query) = changed.split_once('?').map_or((changed.as_str(), None), |(path, query)| (path, Some(query)));
            prop_assert!(check(&keys(&[KEY]), path, query, 0).is_err());
        }

        #[test]
        fn never_panics(path in "\\PC*", query in "\\PC*") {
            prop_assert!(check(&keys(&[KEY]), &path, Some(&query), 0).is_err());
        }
    }
}
