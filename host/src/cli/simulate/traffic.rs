//! The deliveries of one run: what happens, and what goes wrong on the way.
//!
//! Everything is decided by the seed: the same arguments again are the same deliveries.

use anyhow::{Result, ensure};
use chatly_random::Random;
use chatly_simulator::{Delivery, Platform, Wish};

/// What goes wrong between a platform and the host.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Chaos {
    /// How likely a delivery comes a second time, from 0 to 1
    #[arg(long, value_name = "P", default_value = "0", value_parser = parse_probability)]
    duplicate: f64,
    /// How likely a delivery is changed on its way, so that it must be refused, from 0 to 1
    #[arg(long, value_name = "P", default_value = "0", value_parser = parse_probability)]
    tamper: f64,
    /// Send in another order than things happened
    #[arg(long)]
    reorder: bool,
    /// Have the customer's id change half-way, with the platform's notice of it (WhatsApp)
    #[arg(long, requires = "without_phone")]
    rotate_id: bool,
    /// How many things come in one delivery
    #[arg(long, value_name = "N", default_value = "1", value_parser = super::parse_count)]
    batch: u64,
}

/// What signs deliveries.
pub(super) struct Signer<'a> {
    pub(super) secret: &'a str,
    /// The public address that the platform posts to.
    pub(super) base_url: &'a str,
    /// Unix seconds.
    pub(super) now: u64,
}

/// The notice that a person's id changed.
const ID_CHANGE: &str = "user_id_update";

/// One delivery to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sending {
    pub(super) delivery: Delivery,
    /// The ids of its messages.
    pub(super) name: String,
    pub(super) is_tampered: bool,
}

/// All deliveries of `count` things like `wish`, in the order in which they are sent.
pub(super) fn plan(
    platform: &dyn Platform,
    wish: &Wish,
    count: u64,
    chaos: &Chaos,
    signer: &Signer<'_>,
) -> Result<Vec<Sending>> {
    ensure!(
        chaos.batch == 1 || platform.batches(),
        "--batch {}: {} sends one thing a delivery",
        chaos.batch,
        platform.name()
    );
    let mut wishes: Vec<Wish> = (0..count)
        .map(|n| Wish {
            seed: wish.seed.wrapping_add(n),
            ..wish.clone()
        })
        .collect();
    if chaos.rotate_id {
        rotate(platform, &mut wishes)?;
    }
    let mut random = Random::new(wish.seed);
    let mut sendings = Vec::new();
    for batch in wishes.chunks(usize::try_from(chaos.batch).unwrap_or(usize::MAX)) {
        let sending = sending(platform, batch, signer, random.is(chaos.tamper))?;
        if random.is(chaos.duplicate) {
            sendings.push(sending.clone());
        }
        sendings.push(sending);
    }
    if chaos.reorder {
        random.shuffle(&mut sendings);
    }
    Ok(sendings)
}

/// Gives the customer another id from the middle on, and puts the platform's notice there.
fn rotate(platform: &dyn Platform, wishes: &mut Vec<Wish>) -> Result<()> {
    ensure!(
        platform.kinds().contains(&ID_CHANGE),
        "--rotate-id: {} has no such notice",
        platform.name()
    );
    let Some(first) = wishes.first().cloned() else {
        return Ok(());
    };
    let before = first.from.unwrap_or_else(|| format!("US.1{}", first.seed));
    let after = format!("US.2{}", first.seed);
    let middle = wishes.len() / 2;
    for (at, wish) in wishes.iter_mut().enumerate() {
        wish.from = Some(if at < middle { &before } else { &after }.clone());
    }
    let notice = Wish {
        kind: ID_CHANGE.to_owned(),
        from: Some(after),
        about: Some(before),
        text: None,
        // Of no message: those count up from the first.
        seed: first.seed.wrapping_sub(1),
        ..first
    };
    wishes.insert(middle, notice);
    Ok(())
}

fn sending(
    platform: &dyn Platform,
    wishes: &[Wish],
    signer: &Signer<'_>,
    is_tampered: bool,
) -> Result<Sending> {
    let ids: Result<Vec<_>, _> = wishes
        .iter()
        .map(|wish| platform.message_id(wish))
        .collect();
    let sign = |delivery| platform.sign(delivery, signer.base_url, signer.secret, signer.now);
    let genuine = sign(platform.unsigned(wishes)?);
    let mut delivery = genuine.clone();
    if is_tampered {
        delivery.body.push(b' ');
        if sign(delivery.clone()).headers == genuine.headers {
            // The proof does not cover the body, so it is the proof that is changed.
            if let Some((_, value)) = delivery.headers.last_mut() {
                value.push('0');
            }
        }
    }
    Ok(Sending {
        delivery,
        name: ids?.join(" "),
        is_tampered,
    })
}

fn parse_probability(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if (0.0..=1.0).contains(&number) => Ok(number),
        _ => Err("write a number from 0 to 1".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use chatly_simulator::find;

    use super::*;

    fn planned(chaos: Chaos, count: u64) -> Vec<Sending> {
        let signer = Signer {
            secret: "s",
            base_url: "http://a",
            now: 1_749_416_383,
        };
        let wish = Wish {
            kind: "text".into(),
            seed: 7,
            ..Wish::default()
        };
        plan(find("whatsapp").unwrap(), &wish, count, &chaos, &signer).unwrap()
    }

    const CALM: Chaos = Chaos {
        duplicate: 0.0,
        tamper: 0.0,
        reorder: false,
        rotate_id: false,
        batch: 1,
    };

    #[test]
    fn a_seed_decides_all_chaos() {
        let chaos = Chaos {
            duplicate: 0.5,
            tamper: 0.5,
            reorder: true,
            rotate_id: false,
            batch: 3,
        };
        let first = planned(chaos.clone(), 100);
        assert_eq!(planned(chaos, 100), first);
        assert!(first.len() > 34 && first.len() < 68, "{}", first.len());
        let tampered = first.iter().filter(|it| it.is_tampered).count();
        assert!(tampered > 5 && tampered < first.len() - 5, "{tampered}");
    }

    #[test]
    fn an_id_changes_half_way_and_the_notice_links_both() {
        let rotating = Chaos {
            rotate_id: true,
            ..CALM
        };
        let signer = Signer {
            secret: "s",
            base_url: "http://a",
            now: 1_749_416_383,
        };
        let wish = Wish {
            kind: "text".into(),
            seed: 7,
            without_phone: true,
            ..Wish::default()
        };
        let plan = |platform| plan(find(platform).unwrap(), &wish, 4, &rotating, &signer);
        let bodies: Vec<String> = plan("whatsapp")
            .unwrap()
            .into_iter()
            .map(|sending| String::from_utf8(sending.delivery.body).unwrap())
            .collect();
        let has = |id: &str| {
            bodies
                .iter()
                .map(|body| body.contains(id))
                .collect::<Vec<_>>()
        };
        assert_eq!(has("US.17"), [true, true, true, false, false]);
        assert_eq!(has("US.27"), [false, false, true, true, true]);
        assert!(plan("telegram").is_err());
    }

    #[test]
    fn chaos_changes_what_it_says_and_nothing_else() {
        let calm = planned(CALM, 20);
        assert_eq!(calm.len(), 20);
        let twice = planned(
            Chaos {
                duplicate: 1.0,
                ..CALM
            },
            20,
        );
        assert!(
            twice
                .chunks(2)
                .zip(&calm)
                .all(|(two, one)| two == [one.clone(), one.clone()])
        );
        let mut mixed = planned(
            Chaos {
                reorder: true,
                ..CALM
            },
            20,
        );
        assert_ne!(mixed, calm);
        mixed.sort_by(|a, b| a.name.cmp(&b.name));
        let mut sorted = calm.clone();
        sorted.sort_by(|a, b| a.name.cmp(&b.name));
        assert_eq!(mixed, sorted);
        for (changed, genuine) in planned(
            Chaos {
                tamper: 1.0,
                ..CALM
            },
            20,
        )
        .iter()
        .zip(&calm)
        {
            assert!(changed.is_tampered);
            assert_eq!(changed.delivery.headers, genuine.delivery.headers);
            assert_ne!(changed.delivery.body, genuine.delivery.body);
        }
    }
}
