//! Numbers that states give to people, by form and check digit. Those without a check digit, or with
//! a form that anything may have, are found by the word before them (`label`).

use std::sync::LazyLock;

use regex::Regex;

use crate::number::{checked, digits_of, grouped};
use crate::span::{Kind, Span};

/// Whether a text of the form is such a number.
type Rule = fn(&str) -> bool;

/// Forms that hardly anything else has, and a rule for each where there is one.
const FORMS: [(&str, Rule); 12] = [
    // United States: Social Security number; 000, 666 and 9xx are never given out, ITINs are 9xx.
    (r"\b\d{3}[- ]\d{2}[- ]\d{4}\b", |text| {
        !text.starts_with("000") && !text.starts_with("666")
    }),
    // Spain: DNI and NIE.
    (r"(?i)\b(?:\d[ .-]?){7,8}[ -]?[a-z]\b", is_dni),
    (r"(?i)\b[xyz][ -]?(?:\d[ .-]?){7}[ -]?[a-z]\b", is_dni),
    // Mexico: CURP; RFC of a person.
    (r"(?i)\b[a-z]{4}\d{6}[hmx][a-z]{5}[a-z0-9]\d\b", |_| true),
    (r"(?i)\b[a-zñ&]{4}\d{6}[a-z0-9]{3}\b", |_| true),
    // Italy: codice fiscale.
    (
        r"(?i)\b[a-z]{6}\d{2}[abcdehlmprst]\d{2}[a-z]\d{3}[a-z]\b",
        |_| true,
    ),
    // United Kingdom: National Insurance number.
    (
        r"(?i)\b[abceghj-prstw-z][abceghj-nprstw-z](?:[ .-]?\d){6}[ .-]?[abcd]\b",
        |_| true,
    ),
    // Germany: identity card and passport since 2007, with or without the check digit at the end.
    (
        r"(?i)\b[cfghjklmnprtvwxyz][0-9cfghjklmnprtvwxyz]{8}\d?d?\b",
        is_german_document,
    ),
    // France: NIR of somebody born on Corsica, with its key.
    (
        r"(?i)\b[12] ?\d{2} ?\d{2} ?2[ab] ?\d{3} ?\d{3} ?\d{2}\b",
        |_| true,
    ),
    // Germany: pension insurance; area, date of birth, initial, serial and check digit.
    (
        r"(?i)\b\d{2} ?(?:[0-2]\d|3[01])(?:0[1-9]|1[0-2])\d{2} ?[a-z] ?\d{3}\b",
        |_| true,
    ),
    // Spain: NIF of a body (CIF).
    (
        r"(?i)\b[abcdefghjnpqrsuvw][ -]?\d{7}[ -]?[0-9a-j]\b",
        is_cif,
    ),
    // Chile: RUT.
    (r"(?i)\b\d{1,2}\.?\d{3}\.?\d{3}-[0-9k]\b", |_| true),
];

static PATTERNS: LazyLock<Vec<(Regex, Rule)>> = LazyLock::new(|| {
    FORMS
        .iter()
        .filter_map(|(form, rule)| Some((Regex::new(form).ok()?, *rule)))
        .collect()
});

pub(crate) fn find(text: &str) -> Vec<Span> {
    let forms = PATTERNS.iter().flat_map(|(pattern, rule)| {
        pattern
            .find_iter(text)
            .filter(|found| rule(found.as_str()))
            .map(|found| Span::new(Kind::NationalId, found.range()))
    });
    let numbers = checked(text, 9..=15)
        .filter(|run| !run.has_plus && is_numbered(&digits_of(run.text)))
        .map(|run| run.range());
    let grouped = grouped(text, &(11..=14), is_numbered);
    let numbers = numbers
        .chain(grouped)
        .map(|range| Span::new(Kind::NationalId, range));
    forms.chain(numbers).collect()
}

/// Numbers that are digits alone.
fn is_numbered(digits: &[u8]) -> bool {
    let is_varied = digits.iter().any(|digit| Some(digit) != digits.first());
    is_varied
        && match digits.len() {
            9 => is_nif(digits),
            11 => is_cpf(digits) || is_tax_id(digits),
            14 => is_cnpj(digits),
            15 => is_nir(digits),
            _ => false,
        }
}

/// Spain: the letter is the number modulo 23; X, Y, Z of a NIE stand for 0, 1, 2.
fn is_dni(text: &str) -> bool {
    const LETTERS: &[u8] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let code: String = text
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|it| it.to_ascii_uppercase())
        .collect();
    let Some((number, letter)) = code.split_at_checked(code.len().saturating_sub(1)) else {
        return false;
    };
    let number = match number.as_bytes().first() {
        Some(b'X') => number.replacen('X', "0", 1),
        Some(b'Y') => number.replacen('Y', "1", 1),
        Some(b'Z') => number.replacen('Z', "2", 1),
        _ => number.to_owned(),
    };
    let rest = number.parse::<usize>().map(|number| number % 23);
    rest.ok().and_then(|rest| LETTERS.get(rest)) == letter.as_bytes().first()
}

/// Spain: every other digit is doubled, and the digits of all are summed up; the last character is what
/// is missing to ten, as a digit or a letter.
fn is_cif(text: &str) -> bool {
    let code: Vec<char> = text.chars().filter(char::is_ascii_alphanumeric).collect();
    let (Some(digits), Some(last)) = (code.get(1..8), code.last()) else {
        return false;
    };
    let digits = digits.iter().filter_map(|it| it.to_digit(10));
    let sum: u32 = digits
        .enumerate()
        .map(|(place, digit)| match place % 2 {
            0 => digit * 2 / 10 + digit * 2 % 10,
            _ => digit,
        })
        .sum();
    let check = (10 - sum % 10) % 10;
    let letter = char::from_digit(check, 10).is_some_and(|digit| digit == *last);
    let letters = ['j', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'];
    let named = letters.get(check as usize);
    code.len() == 9 && (letter || named == Some(&last.to_ascii_lowercase()))
}

/// Germany: 7, 3, 1 are the weights; a letter counts from A = 10 (ICAO 9303). Nine characters without
/// their check digit are taken when letters and digits are mixed as serial numbers are.
fn is_german_document(text: &str) -> bool {
    let code: Vec<u32> = text.chars().filter_map(|it| it.to_digit(36)).collect();
    let letters = text.chars().filter(char::is_ascii_alphabetic).count();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let (Some(serial), check) = (code.get(..9), code.get(9)) else {
        return false;
    };
    let sum: u32 = serial
        .iter()
        .zip([7, 3, 1].into_iter().cycle())
        .map(|(value, weight)| value * weight)
        .sum();
    match check {
        Some(check) => sum % 10 == *check,
        None => letters >= 2 && digits >= 3,
    }
}

/// Portugal: NIF, modulo 11 with weights 9 to 2.
fn is_nif(digits: &[u8]) -> bool {
    digits
        .first()
        .is_some_and(|first| matches!(first, 1 | 2 | 3 | 5 | 6 | 8 | 9))
        && check_11(digits, 8, 9) == digits.get(8).copied()
}

/// Brazil: CPF, two digits, each modulo 11.
fn is_cpf(digits: &[u8]) -> bool {
    check_11(digits, 9, 10) == digits.get(9).copied()
        && check_11(digits, 10, 11) == digits.get(10).copied()
}

/// The check digit of the first `count` digits with weights from `first` down; 10 counts as 0.
fn check_11(digits: &[u8], count: usize, first: u32) -> Option<u8> {
    let digits = digits.get(..count)?;
    let sum: u32 = digits
        .iter()
        .zip((2..=first).rev())
        .map(|(digit, weight)| u32::from(*digit) * weight)
        .sum();
    u8::try_from(match sum % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    })
    .ok()
}

/// Brazil: CNPJ, as CPF with weights that go from 2 to 9 and begin again.
fn is_cnpj(digits: &[u8]) -> bool {
    let check = |count: usize| -> Option<u8> {
        let sum: u32 = digits
            .get(..count)?
            .iter()
            .rev()
            .zip((2..=9).cycle())
            .map(|(digit, weight)| u32::from(*digit) * weight)
            .sum();
        u8::try_from(match sum % 11 {
            0 | 1 => 0,
            rest => 11 - rest,
        })
        .ok()
    };
    check(12) == digits.get(12).copied() && check(13) == digits.get(13).copied()
}

/// Germany: Steuer-Identifikationsnummer, ISO 7064 MOD 11,10; does not begin with 0.
fn is_tax_id(digits: &[u8]) -> bool {
    let Some((check, number)) = digits.split_last() else {
        return false;
    };
    let product = number.iter().fold(10_u32, |product, digit| {
        let sum = (u32::from(*digit) + product) % 10;
        (if sum == 0 { 10 } else { sum } * 2) % 11
    });
    digits.first() != Some(&0) && (11 - product) % 10 == u32::from(*check)
}

/// France: NIR, 13 digits and 97 less their remainder.
fn is_nir(digits: &[u8]) -> bool {
    let number = |digits: &[u8]| {
        digits
            .iter()
            .fold(0_u64, |sum, digit| sum * 10 + u64::from(*digit))
    };
    let Some((body, key)) = digits.split_at_checked(13) else {
        return false;
    };
    matches!(digits.first(), Some(1 | 2 | 3 | 4 | 7 | 8)) && 97 - number(body) % 97 == number(key)
}
