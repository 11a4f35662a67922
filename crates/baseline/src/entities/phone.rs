//! Phone numbers. With `+` or `00`, 8 to 15 digits (ITU-T E.164): normal form known. Without, only 9 to
//! 11 digits, and no normal form: whose country is not said. Not after words that announce another
//! number ("order 123456789").

use super::Found;
use super::token::{Kind, Token};

/// Words before a number that make it something else.
const OTHER_NUMBERS: [&str; 22] = [
    "order",
    "pedido",
    "bestellung",
    "bestellnummer",
    "commande",
    "tracking",
    "invoice",
    "factura",
    "fatura",
    "rechnung",
    "facture",
    "orden",
    "guia",
    "seguimiento",
    "rastreio",
    "suivi",
    "colis",
    "iban",
    "ref",
    "compra",
    "sendung",
    "#",
];

pub fn find(text: &str, tokens: &[Token]) -> Vec<Found> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let end = run(text, tokens, at);
        if end > at
            && let Some(numbers) = tokens.get(at..end)
            && let Some(phone) = phone(numbers, announced(tokens, at), token.is("+"))
        {
            found.push(phone);
        }
        at = end.max(at + 1);
    }
    found
}

/// The end of a run of digits, and of what stands between the digits of a phone number.
fn run(text: &str, tokens: &[Token], from: usize) -> usize {
    let mut end = from;
    let mut before: Option<&Token> = None;
    for (at, token) in tokens.iter().enumerate().skip(from) {
        let gap = before.map_or("", |before| {
            text.get(before.end..token.start).unwrap_or("\n")
        });
        let sign = matches!(token.text.as_str(), "-" | "(" | ")" | "/" | ".");
        let plus = token.is("+") && at == from;
        if gap.len() > 1
            || gap == "\n"
            || !(token.kind == Kind::Number
                || plus
                || (sign && at > from)
                || (token.is("(") && at == from))
        {
            break;
        }
        if token.kind == Kind::Number {
            end = at + 1;
        }
        before = Some(token);
    }
    end
}

fn announced(tokens: &[Token], at: usize) -> bool {
    let start = at.saturating_sub(3);
    let before = tokens.get(start..at).unwrap_or_default();
    before
        .iter()
        .any(|token| OTHER_NUMBERS.contains(&token.text.as_str()))
}

fn phone(numbers: &[Token], announced: bool, plus: bool) -> Option<Found> {
    let digits: String = numbers
        .iter()
        .flat_map(|token| token.text.chars())
        .filter(char::is_ascii_digit)
        .collect();
    if plus {
        return (8..=15)
            .contains(&digits.len())
            .then(|| Found::of("phone", numbers, Some(format!("+{digits}"))))?;
    }
    if let Some(international) = digits.strip_prefix("00") {
        let known = (8..=15).contains(&international.len()) && !international.starts_with('0');
        return known.then(|| Found::of("phone", numbers, Some(format!("+{international}"))))?;
    }
    (!announced && (9..=11).contains(&digits.len())).then(|| Found::of("phone", numbers, None))?
}
