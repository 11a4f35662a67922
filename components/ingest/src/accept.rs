//! From a whole request to a stored one: verify, read, attribute, append.

use chatly_accounts::Keyring;
use chatly_delivery::{digest, kept_headers, traceparent};
use spin_sdk::wasip3::random::random::get_random_bytes;
use spin_sdk::wit_bindgen::yield_async;

use crate::bindings::chatly::channel::channel::{self, Refusal as Verdict};
use crate::bindings::chatly::store::store::{self, Accepted, Item};
use crate::bindings::chatly::types::types::Header;
use crate::read::Received;
use crate::refuse::Refusal;
use crate::settings::Settings;

/// Stores a genuine delivery; gives the trace that its events belong to if it held anything new.
pub async fn accept(settings: &Settings, received: &Received) -> Result<Option<String>, Refusal> {
    let keyring = verify(settings, received).await?;
    let trace = next_traceparent(received);
    let items = read_items(settings, keyring, received, &trace)?;
    let kept = kept_headers(&received.headers);
    let header = |(name, value): (&str, Vec<u8>)| Header {
        name: name.to_owned(),
        value,
    };
    let accepted = Accepted {
        channel: settings.channel.clone(),
        received_at: received.at,
        headers: kept.into_iter().map(header).collect(),
        body: received.delivery.body.clone(),
        digest: digest(&received.delivery.body),
    };
    match store::append(accepted, items).await {
        Ok(appended) => Ok((appended.stored > 0).then_some(trace)),
        Err(error) => {
            eprintln!(
                "error: delivery not stored: channel={} error={error:?}",
                settings.channel
            );
            Err(Refusal::NotStored)
        }
    }
}

/// The keyring that proves the delivery. One is tried after another only when the secret was the
/// sole thing wrong; one that cannot be used must not keep the others from being tried. Other
/// deliveries have their turn between two calls: a stranger's may be checked against every secret.
async fn verify<'a>(settings: &'a Settings, received: &Received) -> Result<&'a Keyring, Refusal> {
    let mut verdict = Verdict::NoSecret;
    let route = received.route_account.as_deref();
    let checks = settings.book.checks(route, received.delivery.body.len());
    for (at, check) in checks.into_iter().enumerate() {
        if at > 0 {
            yield_async().await;
        }
        let secrets: Vec<_> = check
            .secrets
            .iter()
            .map(|secret| secret.expose().to_owned())
            .collect();
        match channel::verify(&received.delivery, &secrets, received.at / 1000) {
            Ok(()) => return Ok(check.keyring),
            Err(Verdict::Mismatch) => verdict = Verdict::Mismatch,
            Err(Verdict::NoSecret) => {}
            Err(other) => return Err(Refusal::not_genuine(&settings.channel, &other)),
        }
    }
    Err(Refusal::not_genuine(&settings.channel, &verdict))
}

/// Every event of the delivery with the tenant that it belongs to.
fn read_items(
    settings: &Settings,
    keyring: &Keyring,
    received: &Received,
    trace: &str,
) -> Result<Vec<Item>, Refusal> {
    let mut items = Vec::new();
    for mut event in channel::parse(&received.delivery, received.route_account.as_deref()) {
        let tenant = settings
            .book
            .tenant(keyring, &event.account)
            .map_err(|_| Refusal::other_account(&settings.channel))?;
        event.at.get_or_insert(received.at);
        items.push(Item {
            platform_client_id: tenant.to_owned(),
            event,
            traceparent: Some(trace.to_owned()),
        });
    }
    Ok(items)
}

fn next_traceparent(received: &Received) -> String {
    let incoming = received
        .headers
        .get("traceparent")
        .and_then(|value| value.to_str().ok());
    let mut random = [0; traceparent::RANDOM_BYTES];
    for (to, from) in random
        .iter_mut()
        .zip(get_random_bytes(traceparent::RANDOM_BYTES as u64))
    {
        *to = from;
    }
    traceparent::next(incoming, random)
}
