//! Keys and tokens: by the prefix that their maker gives them, by their form, or by looking like
//! nothing that a person types.

use std::sync::LazyLock;

use regex::Regex;

use crate::span::{Kind, Span};

/// From this length on a word of mixed characters is looked at: shorter ones are order numbers,
/// product codes and nicknames.
const DENSE_FROM: usize = 20;

/// Prefixes are those that the makers publish for scanners (GitHub, GitLab, Slack, AWS, Google,
/// Stripe, `OpenAI`, Anthropic, Twilio, SendGrid, Meta, npm, PyPI, Telegram, Discord, Standard Webhooks).
static KNOWN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?s)-----BEGIN [A-Z ]*(?:PRIVATE KEY|CERTIFICATE)[A-Z ]*-----.*?(?:-----END [A-Z ]*-----|\z)",
        r"|\beyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){1,4}",
        r"|\b(?:gh[opusr]_|github_pat_|glpat-|gldt-|xox[abeoprs]-|xapp-|npm_|pypi-|hf_|dop_v1_|shpat_|sbp_|sb_secret_)[A-Za-z0-9_-]{8,}",
        r"|\b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{12,}",
        r"|\bwhsec_[A-Za-z0-9+/=_-]{12,}",
        r"|\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}",
        r"|\bAIza[A-Za-z0-9_-]{20,}|\bya29\.[A-Za-z0-9_-]{12,}",
        r"|\bSG\.[A-Za-z0-9_-]{12,}\.[A-Za-z0-9_-]{12,}",
        r"|\b(?:AC|SK)[0-9a-f]{32}\b|\bEAA[A-Za-z0-9]{20,}",
        r"|\b\d{8,10}:[A-Za-z0-9_-]{30,}",
        r"|\b[A-Za-z0-9_-]{23,28}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}",
        r"|(?i)\b(?:bearer|basic)(?:\s+|\s*[:=]\s*)[A-Za-z0-9._~+/=-]{8,}",
    ))
    .ok()
});

static WORD: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[A-Za-z0-9][A-Za-z0-9_+/=.~-]{18,}[A-Za-z0-9_=/+-]").ok());

pub(crate) fn find(text: &str) -> Vec<Span> {
    let known = KNOWN.iter().flat_map(|pattern| pattern.find_iter(text));
    let dense = WORD
        .iter()
        .flat_map(|pattern| pattern.find_iter(text))
        .filter(|word| is_dense(word.as_str()) && !is_address(text, word.start()));
    known
        .chain(dense)
        .map(|found| Span::new(Kind::Token, found.range()))
        .collect()
}

/// Whether the word is the rest of a link that was let through.
fn is_address(text: &str, start: usize) -> bool {
    let before = text.get(..start).unwrap_or_default();
    let word = before
        .rsplit(char::is_whitespace)
        .next()
        .unwrap_or_default();
    word.contains("://")
}

/// Whether this is as random as a key: long, digits among letters (or a mix of cases), few repeats.
pub(crate) fn is_dense(word: &str) -> bool {
    let (mut digits, mut uppers, mut lowers, mut others) = (0_usize, 0_usize, 0_usize, 0_usize);
    for character in word.chars() {
        match character {
            '0'..='9' => digits += 1,
            'A'..='Z' => uppers += 1,
            'a'..='z' => lowers += 1,
            _ => others += 1,
        }
    }
    let length = digits + uppers + lowers + others;
    if length < DENSE_FROM || (uppers + lowers) == 0 {
        return false;
    }
    // A date, a slug or a list of words has long runs of letters; a key has none.
    let is_uuid =
        length == 36 && others == 4 && word.chars().all(|it| it.is_ascii_hexdigit() || it == '-');
    let is_hex = others == 0 && word.chars().all(|it| it.is_ascii_hexdigit()) && digits > 3;
    let is_mixed = digits >= 3 && longest_run_of_small_letters(word) <= 6;
    let is_cased = uppers >= 4 && lowers >= 4 && others <= 2 && changes_of_case(word) * 4 >= length;
    is_uuid || is_hex || is_mixed || is_cased
}

fn longest_run_of_small_letters(word: &str) -> usize {
    word.split(|it: char| !it.is_ascii_lowercase())
        .map(str::len)
        .max()
        .unwrap_or_default()
}

fn changes_of_case(word: &str) -> usize {
    let cases = word.bytes().map(|byte| byte.is_ascii_uppercase());
    cases
        .clone()
        .zip(cases.skip(1))
        .filter(|(one, other)| one != other)
        .count()
}
