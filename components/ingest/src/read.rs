//! A request as the channel plugin wants it: raw, whole, and bounded.

use chatly_delivery::{MAX_BODY_BYTES, Size, public_url, route_account};
use http::header::CONTENT_LENGTH;
use spin_sdk::http::Request;

use crate::bindings::chatly::types::types::{Delivery, Header};
use crate::pieces::Pieces;
use crate::refuse::Refusal;
use crate::settings::Settings;
use crate::unix_millis;

/// The first allocation for a body; a usual delivery is smaller.
const FIRST_BYTES: usize = 8 * 1024;

/// One webhook request.
pub struct Received {
    pub delivery: Delivery,
    /// The account that the route names.
    pub route_account: Option<String>,
    pub headers: http::HeaderMap,
    /// Unix milliseconds.
    pub at: u64,
}

impl Received {
    /// Reads a request. Stops at the first byte too many.
    pub async fn read(request: Request, settings: &Settings) -> Result<Self, Refusal> {
        let at = unix_millis();
        let (parts, body) = request.into_parts();
        let declared = parts
            .headers
            .get(CONTENT_LENGTH)
            .map(|value| value.as_bytes());
        let mut size =
            Size::declared(declared).map_err(|_| Refusal::too_large(&settings.channel))?;
        let route_account = route_account(&parts.headers, parts.uri.path()).map(str::to_owned);
        if settings.account_in_route && route_account.is_none() {
            return Err(Refusal::NoAccount);
        }
        if parts.method == http::Method::POST
            && settings.book.keyrings(route_account.as_deref()).is_empty()
        {
            return Err(Refusal::NotConfigured);
        }
        let mut bytes = Vec::with_capacity(FIRST_BYTES.min(MAX_BODY_BYTES));
        let mut pieces = Pieces::new(body, at);
        while let Some(piece) = pieces.next(&settings.channel).await? {
            size.add(piece.len())
                .map_err(|_| Refusal::too_large(&settings.channel))?;
            bytes.extend_from_slice(&piece);
        }
        drop(pieces);
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| Header {
            name: name.as_str().to_owned(),
            value: value.as_bytes().to_vec(),
        };
        let delivery = Delivery {
            method: parts.method.as_str().to_owned(),
            url: public_url(&settings.public_base_url, &parts.uri, &parts.headers),
            headers: parts.headers.iter().map(header).collect(),
            body: bytes,
        };
        Ok(Received {
            delivery,
            route_account,
            headers: parts.headers,
            at,
        })
    }
}
