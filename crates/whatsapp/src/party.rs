//! Who acted, or on whom.

use std::collections::HashMap;

use chatly_canonical::{Identity, Party};
use chatly_channel::json::Object;

/// Most characters after a BSUID's country prefix, by Meta's documentation.
const MAX_BSUID_CHARS: usize = 128;
/// The longest name that is one; it is copied into every event of its contact.
const MAX_NAME_BYTES: usize = 1024;
/// Most digits of a phone number, by E.164.
const MAX_PHONE_DIGITS: usize = 15;

/// Fields of one party, by what they hold: a phone or BSUID, a BSUID, a BSUID above several businesses.
pub(crate) struct Fields {
    any: &'static [&'static str],
    parent: &'static str,
}

/// Of a message's sender.
pub(crate) const FROM: Fields = Fields {
    any: &["from", "from_user_id"],
    parent: "from_parent_user_id",
};
/// Of an echo's recipient.
pub(crate) const TO: Fields = Fields {
    any: &["to", "to_user_id"],
    parent: "to_parent_user_id",
};
/// Of a status's recipient.
pub(crate) const RECIPIENT: Fields = Fields {
    any: &["recipient_id", "recipient_user_id"],
    parent: "recipient_parent_user_id",
};
/// Of a status's recipient in a group.
pub(crate) const PARTICIPANT: Fields = Fields {
    any: &["recipient_participant_id", "recipient_participant_user_id"],
    parent: "recipient_participant_parent_user_id",
};
/// Of a contact row and of everything else.
pub(crate) const CONTACT: Fields = Fields {
    any: &["wa_id", "user_id"],
    parent: "parent_user_id",
};

/// An identity whose scheme its pattern decides. `[A-Z]{2}.` begins a BSUID, digits are a phone.
pub(crate) fn identity(value: &str, parent: bool) -> Identity {
    let value = value.trim();
    let phone = value.strip_prefix('+').unwrap_or(value);
    if (1..=MAX_PHONE_DIGITS).contains(&phone.len())
        && phone.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Identity::new("phone", phone);
    }
    match bsuid(value) {
        Some(true) => Identity::new("parent_bsuid", value),
        Some(false) if parent => Identity::new("parent_bsuid", value),
        Some(false) => Identity::new("bsuid", value),
        None => Identity::new("whatsapp", value),
    }
}

/// Whether a value is a BSUID, and if so whether it is one above several businesses (`ENT.`).
fn bsuid(value: &str) -> Option<bool> {
    let (country, id) = value.split_once('.')?;
    let (parent, id) = id.strip_prefix("ENT.").map_or((false, id), |id| (true, id));
    let country_is_one =
        country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
    let id_is_one = (1..=MAX_BSUID_CHARS).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (country_is_one && id_is_one).then_some(parent)
}

/// The identities in an object's fields: phones first, then BSUIDs, none twice.
pub(crate) fn identities(object: &Object, fields: &Fields) -> Vec<Identity> {
    let any = fields
        .any
        .iter()
        .filter_map(|name| object.id(name))
        .map(|value| identity(&value, false));
    let parent = object.id(fields.parent).map(|value| identity(&value, true));
    sorted(any.chain(parent).collect())
}

/// The same identities: phones first, then BSUIDs, none twice.
pub(crate) fn sorted(identities: Vec<Identity>) -> Vec<Identity> {
    let mut unique: Vec<Identity> = Vec::with_capacity(identities.len());
    for identity in identities {
        if !unique.contains(&identity) {
            unique.push(identity);
        }
    }
    unique.sort_by_key(|identity| match identity.scheme.as_str() {
        "phone" => 0,
        "bsuid" => 1,
        "parent_bsuid" => 2,
        _ => 3,
    });
    unique
}

/// The rows of `contacts[]`, found by any of their ids.
#[derive(Debug, Default)]
pub(crate) struct Contacts {
    rows: Vec<Party>,
    by_id: HashMap<String, usize>,
}

impl Contacts {
    /// The rows of a value; what is no row is passed over, since it only describes others.
    pub(crate) fn of(value: &Object) -> Self {
        let mut contacts = Contacts::default();
        for row in value
            .list("contacts")
            .into_iter()
            .filter_map(|row| row.object())
        {
            let profile = row.object("profile");
            let party = Party {
                identities: identities(&row, &CONTACT),
                name: profile
                    .as_ref()
                    .and_then(|profile| profile.string("name"))
                    .filter(|name| name.len() <= MAX_NAME_BYTES),
                username: profile
                    .as_ref()
                    .and_then(|profile| profile.string("username")),
            };
            for identity in &party.identities {
                contacts
                    .by_id
                    .entry(identity.id.clone())
                    .or_insert(contacts.rows.len());
            }
            contacts.rows.push(party);
        }
        contacts
    }

    /// A party with what `contacts[]` says of it; none when it has no identity at all.
    pub(crate) fn party(&self, found: Vec<Identity>) -> Option<Party> {
        let row = found
            .iter()
            .find_map(|identity| self.by_id.get(&identity.id))
            .and_then(|row| self.rows.get(*row));
        let identities = sorted(
            found
                .into_iter()
                .chain(row.into_iter().flat_map(|row| row.identities.clone()))
                .collect(),
        );
        (!identities.is_empty()).then(|| Party {
            identities,
            name: row.and_then(|row| row.name.clone()),
            username: row.and_then(|row| row.username.clone()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatly_channel::json::Json;

    #[test]
    fn the_pattern_decides_the_scheme() {
        let longest = format!("US.{}", "a".repeat(128));
        let too_long = format!("US.{}", "a".repeat(129));
        for (value, parent, want) in [
            ("16505551234", false, ("phone", "16505551234")),
            ("+16505551234", false, ("phone", "16505551234")),
            ("16505551234", true, ("phone", "16505551234")),
            (
                "US.13491208655302741918",
                false,
                ("bsuid", "US.13491208655302741918"),
            ),
            (
                "US.13491208655302741918",
                true,
                ("parent_bsuid", "US.13491208655302741918"),
            ),
            (
                "US.ENT.11815799212886844830",
                false,
                ("parent_bsuid", "US.ENT.11815799212886844830"),
            ),
            (&longest, false, ("bsuid", &longest)),
            (&too_long, false, ("whatsapp", &too_long)),
            ("us.1", false, ("whatsapp", "us.1")),
            ("US.", false, ("whatsapp", "US.")),
            ("US.a b", false, ("whatsapp", "US.a b")),
            ("1234567890123456", false, ("whatsapp", "1234567890123456")),
        ] {
            assert_eq!(
                identity(value, parent),
                Identity::new(want.0, want.1),
                "{value} {parent}"
            );
        }
    }

    #[test]
    fn a_contact_is_joined_by_any_of_its_ids() {
        let value = r#"{"contacts":[7,{"wa_id":"1650","user_id":"US.1","profile":{"name":"A"}},{"wa_id":"DE.2","profile":{"username":"b"}}]}"#;
        let contacts = Contacts::of(&Json::parse(value.as_bytes()).unwrap().object().unwrap());
        for (id, want) in [
            ("1650", (2, Some("A"), None)),
            ("US.1", (2, Some("A"), None)),
            ("DE.2", (1, None, Some("b"))),
            ("9", (1, None, None)),
        ] {
            let party = contacts.party(vec![identity(id, false)]).unwrap();
            assert_eq!(
                (
                    party.identities.len(),
                    party.name.as_deref(),
                    party.username.as_deref()
                ),
                want,
                "{id}"
            );
        }
        assert_eq!(contacts.party(vec![]), None);
    }
}
