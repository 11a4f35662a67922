//! Twilio's addresses: `+16505551234`, `whatsapp:+16505551234`, `whatsapp:US.1349`, `messenger:123`.

use chatly_canonical::Identity;

use crate::NAME;

/// Most characters after a BSUID's country prefix, by Meta's documentation.
const MAX_BSUID_CHARS: usize = 128;
/// Most digits of a phone number, by E.164.
const MAX_PHONE_DIGITS: usize = 15;
/// Most digits of a short code, which is dialled without a plus.
const MAX_SHORT_CODE_DIGITS: usize = 6;

/// An identity whose scheme its pattern decides; what has no known one keeps the whole address.
pub(crate) fn identity(address: &str) -> Identity {
    let address = address.trim();
    let (prefix, id) = address.split_once(':').unwrap_or(("", address));
    let phone = id.strip_prefix('+').unwrap_or(id);
    if prefix == "messenger" && !id.is_empty() {
        return Identity::new("psid", id);
    }
    if is_phone(phone) {
        return Identity::new("phone", phone);
    }
    match bsuid(id) {
        Some(scheme) => Identity::new(scheme, id),
        None => Identity::new(NAME, address),
    }
}

/// The address of an identity; `sender` decides between the services that know people by phone.
/// None where the identity is of another platform.
pub(crate) fn of_identity(identity: &Identity, sender: &str) -> Option<String> {
    let id = identity.id.trim();
    let service = match sender.split_once(':') {
        Some((service @ ("whatsapp" | "rcs"), _)) => service,
        _ => "",
    };
    match identity.scheme.as_str() {
        "phone" => {
            let digits = id.strip_prefix('+').unwrap_or(id);
            if !is_phone(digits) {
                return None;
            }
            let plus = if digits.len() > MAX_SHORT_CODE_DIGITS {
                "+"
            } else {
                ""
            };
            Some(match service {
                "" => format!("{plus}{digits}"),
                service => format!("{service}:{plus}{digits}"),
            })
        }
        "bsuid" | "parent_bsuid" => bsuid(id).map(|_| format!("whatsapp:{id}")),
        "psid" => (!id.is_empty()).then(|| format!("messenger:{id}")),
        NAME => (!id.is_empty()).then(|| id.to_owned()),
        _ => None,
    }
}

fn is_phone(text: &str) -> bool {
    (1..=MAX_PHONE_DIGITS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The scheme of a BSUID: `[A-Z]{2}.` begins one, `ENT.` behind it one above several businesses.
fn bsuid(value: &str) -> Option<&'static str> {
    let (country, id) = value.split_once('.')?;
    let (scheme, id) = match id.strip_prefix("ENT.") {
        Some(id) => ("parent_bsuid", id),
        None => ("bsuid", id),
    };
    let is_country = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
    let is_id = (1..=MAX_BSUID_CHARS).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_country && is_id).then_some(scheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_decides_the_scheme_and_the_way_back_is_the_same() {
        for (address, scheme, id, sender) in [
            ("+16505551234", "phone", "16505551234", "+1415"),
            ("12345", "phone", "12345", "+1415"),
            (
                "whatsapp:+16505551234",
                "phone",
                "16505551234",
                "whatsapp:+1415",
            ),
            ("rcs:+16505551234", "phone", "16505551234", "rcs:brand"),
            (
                "whatsapp:US.13491208655302741918",
                "bsuid",
                "US.13491208655302741918",
                "+1415",
            ),
            (
                "whatsapp:US.ENT.11815799212886844830",
                "parent_bsuid",
                "US.ENT.11815799212886844830",
                "",
            ),
            ("messenger:8812345", "psid", "8812345", ""),
            ("TWILIO", "twilio", "TWILIO", ""),
            ("whatsapp:us.1", "twilio", "whatsapp:us.1", ""),
        ] {
            assert_eq!(identity(address), Identity::new(scheme, id), "{address}");
            assert_eq!(
                of_identity(&Identity::new(scheme, id), sender).as_deref(),
                Some(address),
                "{address}"
            );
        }
        for (scheme, id) in [
            ("phone", "1/2"),
            ("phone", ""),
            ("bsuid", "x"),
            ("viber", "1"),
            ("psid", ""),
        ] {
            assert_eq!(
                of_identity(&Identity::new(scheme, id), ""),
                None,
                "{scheme} {id}"
            );
        }
    }
}
