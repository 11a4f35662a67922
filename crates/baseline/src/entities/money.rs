//! Amounts with a currency: `500 USD`, `$20`, `R$ 1.500,00`, `30 €`, `20 euros`.

use super::Found;
use super::token::Token;

/// Folded words and signs, and the ISO 4217 code where they say one: a peso can be of many countries.
const CURRENCIES: [(&str, Option<&str>); 45] = [
    ("$", Some("USD")),
    ("€", Some("EUR")),
    ("£", Some("GBP")),
    ("¥", None),
    ("usd", Some("USD")),
    ("us$", Some("USD")),
    ("dollar", Some("USD")),
    ("dollars", Some("USD")),
    ("bucks", Some("USD")),
    ("dolar", Some("USD")),
    ("dolares", Some("USD")),
    ("eur", Some("EUR")),
    ("euro", Some("EUR")),
    ("euros", Some("EUR")),
    ("gbp", Some("GBP")),
    ("pounds", Some("GBP")),
    ("quid", Some("GBP")),
    ("brl", Some("BRL")),
    ("reais", Some("BRL")),
    ("real", Some("BRL")),
    ("conto", Some("BRL")),
    ("mxn", Some("MXN")),
    ("ars", Some("ARS")),
    ("cop", Some("COP")),
    ("clp", Some("CLP")),
    ("pen", Some("PEN")),
    ("soles", Some("PEN")),
    ("uyu", Some("UYU")),
    ("chf", Some("CHF")),
    ("franken", Some("CHF")),
    ("cad", Some("CAD")),
    ("aud", Some("AUD")),
    ("jpy", Some("JPY")),
    ("cny", Some("CNY")),
    ("inr", Some("INR")),
    ("pesos", None),
    ("peso", None),
    ("mangos", None),
    ("lucas", None),
    ("dollares", Some("USD")),
    ("balles", Some("EUR")),
    ("pavos", None),
    ("francs", None),
    ("dolars", Some("USD")),
    ("pila", Some("BRL")),
];

/// Words that multiply an amount.
const THOUSANDS: [&str; 5] = ["k", "mil", "tausend", "mille", "thousand"];

pub fn find(tokens: &[Token]) -> Vec<Found> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let Some(amount) = token.number() else {
            continue;
        };
        let thousand = tokens
            .get(at + 1)
            .is_some_and(|next| THOUSANDS.contains(&next.text.as_str()));
        let last = if thousand { at + 1 } else { at };
        let amount = if thousand { amount * 1000.0 } else { amount };
        let span = before(tokens, at)
            .map(|(first, code)| (first, last, code))
            .or_else(|| after(tokens, last).map(|(end, code)| (at, end, code)));
        let Some((first, end, code)) = span else {
            continue;
        };
        let normalized = code.map(|code| format!("{} {code}", plain(amount)));
        found.extend(Found::of(
            "money",
            tokens.get(first..=end).unwrap_or_default(),
            normalized,
        ));
    }
    found
}

/// `R$ 5`, `US$5`, `$5`, `EUR 5`.
fn before(tokens: &[Token], at: usize) -> Option<(usize, Option<&'static str>)> {
    let sign = at.checked_sub(1)?;
    let code = currency(&tokens.get(sign)?.text)?;
    let prefix = sign
        .checked_sub(1)
        .and_then(|first| Some((first, tokens.get(first)?)));
    match prefix {
        Some((first, prefix)) if tokens.get(sign)?.is("$") && tokens.get(sign)?.touches(prefix) => {
            match prefix.text.as_str() {
                "r" => Some((first, Some("BRL"))),
                "us" | "u" => Some((first, Some("USD"))),
                "mx" => Some((first, Some("MXN"))),
                _ => Some((sign, code)),
            }
        }
        _ => Some((sign, code)),
    }
}

/// `5 €`, `5 dollars`, `5 US dollars`, `5 de reais` is not one.
fn after(tokens: &[Token], last: usize) -> Option<(usize, Option<&'static str>)> {
    let next = tokens.get(last + 1)?;
    if next.is("us") {
        return Some((last + 2, currency(&tokens.get(last + 2)?.text)?));
    }
    Some((last + 1, currency(&next.text)?))
}

fn currency(text: &str) -> Option<Option<&'static str>> {
    CURRENCIES
        .iter()
        .find(|(word, _)| *word == text)
        .map(|(_, code)| *code)
}

/// Without a fraction of zero.
fn plain(amount: f64) -> String {
    if amount.fract() == 0.0 {
        format!("{amount:.0}")
    } else {
        format!("{amount:.2}")
    }
}
