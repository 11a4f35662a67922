//! What is genuine is accepted, and nothing else.

use chatly_channel::{Delivery, Header};
use chatly_random::Random;

use super::cases::Golden;
use super::siblings::counted;
use super::{Outcome, Subject, failed};
use crate::plugin::Plugin;

/// How many positions of a long value are tried; all of the shortest delivery's, where it has no more.
const POSITIONS: usize = 2_048;
/// How many of every other delivery.
const FEW_POSITIONS: usize = 64;

pub(super) fn accepts(subject: &mut Subject) -> Outcome {
    let Subject { plugin, golden } = subject;
    for golden in golden.iter() {
        let verdict = plugin
            .verify(&golden.delivery, &golden.secrets, golden.now)
            .map_err(failed(&golden.name))?;
        if let Err(refusal) = verdict {
            return Err(format!("{} is refused: {refusal}", golden.name));
        }
    }
    Ok(format!("{} deliveries", golden.len()))
}

pub(super) fn missing(subject: &mut Subject) -> Outcome {
    let mut tries = Tries::new(&mut subject.plugin);
    for golden in &subject.golden {
        for proof in &golden.proofs {
            let is = |header: &&Header| header.name.eq_ignore_ascii_case(proof);
            let headers = &golden.delivery.headers;
            let (own, others): (Vec<_>, Vec<_>) = headers.iter().partition(is);
            let own = own.first().ok_or_else(|| {
                format!(
                    "{}: it has no header {proof}, which \"proofs\" names",
                    golden.name
                )
            })?;
            let others: Vec<Header> = others.into_iter().cloned().collect();
            let with = |more: Vec<Header>| Delivery {
                headers: [others.clone(), more].concat(),
                ..golden.delivery.clone()
            };
            let other = |value: &[u8]| Header {
                name: own.name.clone(),
                value: value.to_vec(),
            };
            tries.refused(golden, &with(vec![]), || format!("without {proof}"))?;
            tries.refused(golden, &with(vec![other(b"")]), || {
                format!("{proof} is empty")
            })?;
            tries.refused(golden, &with(vec![other(&[0xff; 64])]), || {
                format!("{proof} is no text")
            })?;
            let twice = vec![(*own).clone(), (*own).clone()];
            tries.refused(golden, &with(twice), || format!("{proof} twice"))?;
            let beside = vec![other(b"0"), (*own).clone()];
            tries.refused(golden, &with(beside), || format!("{proof} after another"))?;
        }
    }
    Ok(format!("{} tries", tries.count))
}

pub(super) fn proofs(subject: &mut Subject) -> Outcome {
    let shortest = shortest(&subject.golden);
    let mut tries = Tries::new(&mut subject.plugin);
    for (at, golden) in subject.golden.iter().enumerate() {
        for proof in &golden.proofs {
            let value = value(&golden.delivery, proof);
            let with = |value: Vec<u8>| changed(&golden.delivery, proof, value);
            let cuts = match at == shortest {
                true => (0..value.len()).collect(),
                false => vec![value.len() / 2, value.len().saturating_sub(1)],
            };
            for length in cuts {
                let cut = value.get(..length).unwrap_or_default().to_vec();
                tries.refused(golden, &with(cut), || {
                    format!("{proof} cut after {length} of its {} bytes", value.len())
                })?;
            }
            let longer = [value.as_slice(), b"0"].concat();
            tries.refused(golden, &with(longer), || {
                format!("{proof} with one byte more")
            })?;
            for (byte, bit) in bits(value.len(), at == shortest) {
                let other = flipped(&value, byte, bit);
                tries.refused(golden, &with(other), || {
                    format!("bit {bit} of byte {byte} of {proof} changed")
                })?;
            }
        }
    }
    Ok(format!("{} tries", tries.count))
}

pub(super) fn bodies(subject: &mut Subject) -> Outcome {
    let shortest = shortest(&subject.golden);
    let mut tries = Tries::new(&mut subject.plugin);
    for (at, golden) in subject.golden.iter().enumerate() {
        if !golden.covers_body {
            continue;
        }
        let body = &golden.delivery.body;
        let with = |body: Vec<u8>| Delivery {
            body,
            ..golden.delivery.clone()
        };
        let longer = [body.as_slice(), b" "].concat();
        tries.says_other(golden, &with(longer), || "a byte after the body".to_owned())?;
        if let Some((_, shorter)) = body.split_last() {
            tries.says_other(golden, &with(shorter.to_vec()), || {
                "the body without its last byte".to_owned()
            })?;
        }
        for (byte, bit) in bits(body.len(), at == shortest) {
            let other = flipped(body, byte, bit);
            tries.says_other(golden, &with(other), || {
                format!("bit {bit} of byte {byte} of the body changed")
            })?;
        }
    }
    Ok(match tries.count {
        0 => "the scheme does not cover the body".to_owned(),
        count => format!("{count} tries"),
    })
}

pub(super) fn secrets(subject: &mut Subject) -> Outcome {
    let mut tries = Tries::new(&mut subject.plugin);
    for golden in &subject.golden {
        let other: Vec<String> = golden.secrets.iter().map(|it| other_secret(it)).collect();
        for (what, secrets) in [
            ("no secret", vec![]),
            ("an empty secret", vec![String::new()]),
            ("blank secrets", vec![" ".to_owned(), "\t\n".to_owned()]),
            ("another secret", other.clone()),
        ] {
            let golden = Golden {
                secrets,
                ..golden.clone()
            };
            tries.refused(&golden, &golden.delivery, || what.to_owned())?;
        }
        let rotated = [other, vec![" ".to_owned()], golden.secrets.clone()].concat();
        let verdict = tries
            .plugin
            .verify(&golden.delivery, &rotated, golden.now)
            .map_err(failed(&golden.name))?;
        if let Err(refusal) = verdict {
            return Err(format!(
                "{}: the previous of several secrets is refused: {refusal}",
                golden.name
            ));
        }
    }
    Ok(format!("{} tries", tries.count))
}

pub(super) fn times(subject: &mut Subject) -> Outcome {
    let mut tries = Tries::new(&mut subject.plugin);
    for golden in &subject.golden {
        let Some(stale) = golden.stale_secs else {
            continue;
        };
        for now in [
            0,
            golden.now.saturating_sub(stale),
            golden.now.saturating_add(stale),
            u64::MAX,
        ] {
            let golden = Golden {
                now,
                ..golden.clone()
            };
            tries.refused(&golden, &golden.delivery, || format!("received at {now}"))?;
        }
    }
    Ok(match tries.count {
        0 => "the scheme has no time".to_owned(),
        count => format!("{count} tries"),
    })
}

/// Deliveries that must be refused.
struct Tries<'a> {
    plugin: &'a mut Plugin,
    count: usize,
}

impl<'a> Tries<'a> {
    fn new(plugin: &'a mut Plugin) -> Self {
        Tries { plugin, count: 0 }
    }

    fn is_accepted(&mut self, golden: &Golden, delivery: &Delivery) -> Result<bool, String> {
        self.count += 1;
        self.plugin
            .verify(delivery, &golden.secrets, golden.now)
            .map(|verdict| verdict.is_ok())
            .map_err(failed(&golden.name))
    }

    fn refused(
        &mut self,
        golden: &Golden,
        delivery: &Delivery,
        what: impl FnOnce() -> String,
    ) -> Result<(), String> {
        match self.is_accepted(golden, delivery)? {
            true => Err(format!("{} is accepted: {}", golden.name, what())),
            false => Ok(()),
        }
    }

    /// The same, where a form may be written in other bytes that say the same (`a=` and `a`).
    fn says_other(
        &mut self,
        golden: &Golden,
        delivery: &Delivery,
        what: impl FnOnce() -> String,
    ) -> Result<(), String> {
        if !self.is_accepted(golden, delivery)? {
            return Ok(());
        }
        let is_form = value(delivery, "content-type").starts_with(b"application/x-www-form-");
        let account = golden.account.as_deref();
        let mut parse = |delivery| {
            self.plugin
                .parse(delivery, account)
                .map_err(failed(&golden.name))
        };
        if is_form && counted(&parse(delivery)?) == counted(&parse(&golden.delivery)?) {
            return Ok(());
        }
        Err(format!("{} is accepted: {}", golden.name, what()))
    }
}

fn shortest(golden: &[Golden]) -> usize {
    let lengths = golden.iter().enumerate();
    let shortest = lengths.min_by_key(|(_, golden)| golden.delivery.body.len());
    shortest.map_or(0, |(at, _)| at)
}

/// The bits to change in a value: all of it, or spread over it.
fn bits(length: usize, is_whole: bool) -> Vec<(usize, u8)> {
    let most = match is_whole {
        true => POSITIONS,
        false => FEW_POSITIONS,
    };
    if length * 8 <= most {
        return (0..length)
            .flat_map(|byte| (0..8).map(move |bit| (byte, bit)))
            .collect();
    }
    let mut random = Random::new(length as u64);
    (0..most)
        .map(|at| {
            let byte = at * length / most;
            (byte, random.byte() % 8)
        })
        .collect()
}

fn flipped(bytes: &[u8], at: usize, bit: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << bit;
    }
    bytes
}

fn value(delivery: &Delivery, name: &str) -> Vec<u8> {
    let mut headers = delivery.headers.iter();
    headers
        .find(|header| header.name.eq_ignore_ascii_case(name))
        .map(|header| header.value.clone())
        .unwrap_or_default()
}

fn changed(delivery: &Delivery, name: &str, value: Vec<u8>) -> Delivery {
    let mut delivery = delivery.clone();
    let mut headers = delivery.headers.iter_mut();
    if let Some(header) = headers.find(|header| header.name.eq_ignore_ascii_case(name)) {
        header.value = value;
    }
    delivery
}

/// A secret of the same form that is another one: a letter or digit in its middle is changed.
fn other_secret(secret: &str) -> String {
    let is_plain = |(_, character): &(usize, char)| character.is_ascii_alphanumeric();
    let plain: Vec<_> = secret.char_indices().filter(is_plain).collect();
    let Some((at, found)) = plain.get(plain.len() / 2).copied() else {
        return format!("{secret}x");
    };
    let other = if found == '1' { '2' } else { '1' };
    let (before, after) = (secret.get(..at), secret.get(at + 1..));
    format!(
        "{}{other}{}",
        before.unwrap_or_default(),
        after.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_secret_has_the_same_form() {
        for (secret, want) in [("abc", "a1c"), ("a1c", "a2c"), ("", "x"), ("--", "--x")] {
            assert_eq!(other_secret(secret), want);
        }
    }

    #[test]
    fn every_bit_of_a_short_value_is_tried_and_all_of_a_long_one_is_reached() {
        assert_eq!(bits(2, true).len(), 16);
        let long = bits(100_000, true);
        assert_eq!(long.len(), POSITIONS);
        assert!(long.iter().any(|(byte, _)| *byte > 99_900));
    }
}
