//! Who acts, and what Discord's ids say.

use chatly_canonical::{Identity, Party};
use chatly_channel::json::Object;

/// The scheme of a user id.
pub(crate) const USER: &str = "discord";
/// The first millisecond of Discord's ids: the start of 2015.
const EPOCH_MS: u64 = 1_420_070_400_000;

/// Unix milliseconds of a snowflake.
pub(crate) fn millis(id: &str) -> Option<u64> {
    let id: u64 = id.parse().ok()?;
    (id > 0).then(|| (id >> 22) + EPOCH_MS)
}

/// The person behind an interaction: with the nickname of the server where there is one.
pub(crate) fn actor(item: &Object) -> Option<Party> {
    let member = item.object("member");
    let user = member
        .as_ref()
        .and_then(|member| member.object("user"))
        .or_else(|| item.object("user"))?;
    let mut party = user_party(&user)?;
    let nick = member.and_then(|member| member.string("nick"));
    party.name = nick.or(party.name);
    Some(party)
}

/// A user object.
pub(crate) fn user_party(user: &Object) -> Option<Party> {
    Some(Party {
        identities: vec![Identity::new(USER, user.id("id")?)],
        name: user.string("global_name"),
        username: user.string("username"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_when_it_was_made() {
        for (id, want) in [
            // The example of Discord's reference, "Snowflakes".
            ("175928847299117063", Some(1_462_015_105_796)),
            ("18446744073709551615", Some(5_818_116_911_103)),
            ("0", None),
            ("-1", None),
            ("18446744073709551616", None),
            ("a", None),
        ] {
            assert_eq!(millis(id), want, "{id}");
        }
    }
}
