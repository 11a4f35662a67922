//! Who acts, and what Slack's ids and times are in the model.

use chatly_canonical::{Identity, Party};
use chatly_channel::json::Object;

/// The scheme of a user id.
pub(crate) const USER: &str = "slack";
/// The scheme of a bot id, which is no user's.
const BOT: &str = "slack_bot";

/// The person or bot behind an event or a message.
pub(crate) fn party(item: &Object) -> Option<Party> {
    let user = item.id("user").or_else(|| item.object("user")?.id("id"));
    let profile = item
        .object("user_profile")
        .or_else(|| item.object("bot_profile"))
        .or_else(|| item.object("user"));
    let of_profile = |names: &[&str]| {
        let profile = profile.as_ref()?;
        names.iter().find_map(|name| profile.string(name))
    };
    let identities: Vec<Identity> = [(USER, user), (BOT, item.id("bot_id"))]
        .into_iter()
        .filter_map(|(scheme, id)| Some(Identity::new(scheme, id?)))
        .collect();
    let name = item
        .string("username")
        .or_else(|| of_profile(&["real_name", "display_name"]))
        .or_else(|| of_profile(&["name"]));
    (!identities.is_empty()).then(|| Party {
        identities,
        name,
        username: of_profile(&["username"]),
    })
}

/// A user who is known by an id alone.
pub(crate) fn user(id: String) -> Party {
    Party {
        identities: vec![Identity::new(USER, id)],
        ..Party::default()
    }
}

/// A message's id: `ts` is unique in its channel only.
pub(crate) fn message_id(channel: &str, ts: &str) -> String {
    format!("{channel}:{ts}")
}

/// Unix milliseconds of `1355517523.000005`.
pub(crate) fn millis(ts: &str) -> Option<u64> {
    let (secs, fraction) = ts.split_once('.').unwrap_or((ts, ""));
    let secs: u64 = secs.parse().ok()?;
    let digits = fraction.bytes().chain(*b"000").take(3);
    let millis = digits.fold(0, |sum, digit| {
        sum * 10 + u64::from(digit.wrapping_sub(b'0') % 10)
    });
    secs.checked_mul(1000)?
        .checked_add(millis)
        .filter(|_| secs > 0)
}

/// Reads what Slack escapes in a text.
pub(crate) fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_their_milliseconds() {
        for (ts, want) in [
            ("1355517523.000005", Some(1_355_517_523_000)),
            ("1355517523.999", Some(1_355_517_523_999)),
            ("1355517523.5", Some(1_355_517_523_500)),
            ("1355517523", Some(1_355_517_523_000)),
            ("0.1", None),
            ("99999999999999999999.1", None),
            ("18446744073709551615.9", None),
            ("now", None),
        ] {
            assert_eq!(millis(ts), want, "{ts}");
        }
    }

    #[test]
    fn an_escaped_ampersand_is_read_once() {
        assert_eq!(
            unescaped("a &lt; b &amp;&amp; c &amp;lt;"),
            "a < b && c &lt;"
        );
    }
}
