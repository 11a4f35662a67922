//! Which language a text is in.
//!
//! 1. Another script than Latin: `whatlang` says.
//! 2. English, German, French, Portuguese and Spanish are told apart by a linear model made for short
//!    messages, where letter statistics of whole pages are of little use: "oi" and "hola" are enough.
//! 3. Another language in Latin script: that model says "none of these", `whatlang` says which.
//! 4. No letters, or no evidence: [`UNKNOWN`].

use std::sync::LazyLock;

use whatlang::{Detector, Lang, Script};

use crate::features::{LANGUAGE, features};
use crate::model::{Model, softmax};

/// What is answered when the language is not known.
pub const UNKNOWN: &str = "und";

/// Below this the model's best guess is not used.
const LEAST_CONFIDENCE: f32 = 0.42;

/// How much more likely a language is that the tenant expects: e times.
const EXPECTED_BONUS: f32 = 1.0;

/// Letters that `whatlang` needs for a guess worth repeating.
const OTHER_LETTERS: usize = 12;

static MODEL: LazyLock<Option<Model>> =
    LazyLock::new(|| Model::decode(include_bytes!("../model/language.bin")).ok());

/// The ISO 639-1 code of the language of `text`, or [`UNKNOWN`]. `expected` is a hint.
#[must_use]
pub fn language(text: &str, expected: &[String]) -> String {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    if letters == 0 {
        return UNKNOWN.to_owned();
    }
    if whatlang::detect_script(text).is_some_and(|script| script != Script::Latin) {
        return whatlang::detect_lang(text)
            .map_or(UNKNOWN, iso_639_1)
            .to_owned();
    }
    let Some((code, confidence)) = MODEL.as_ref().and_then(|model| best(model, text, expected))
    else {
        return UNKNOWN.to_owned();
    };
    if code == "other" {
        return if letters < OTHER_LETTERS {
            UNKNOWN
        } else {
            another(text)
        }
        .to_owned();
    }
    if confidence < LEAST_CONFIDENCE {
        UNKNOWN.to_owned()
    } else {
        code.to_owned()
    }
}

fn best<'m>(model: &'m Model, text: &str, expected: &[String]) -> Option<(&'m str, f32)> {
    let mut scores = model.scores(&features(text, LANGUAGE));
    for (score, class) in scores.iter_mut().zip(&model.classes) {
        if expected.contains(&class.name) {
            *score += EXPECTED_BONUS;
        }
    }
    let shares = softmax(&scores);
    model
        .classes
        .iter()
        .zip(shares)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(class, share)| (class.name.as_str(), share))
}

fn another(text: &str) -> &'static str {
    Detector::with_denylist(vec![Lang::Eng, Lang::Deu, Lang::Fra, Lang::Por, Lang::Spa])
        .detect_lang(text)
        .map_or(UNKNOWN, iso_639_1)
}

/// The two-letter code; a language without one is unknown to those who read it.
fn iso_639_1(lang: Lang) -> &'static str {
    const CODES: [(&str, &str); 70] = [
        ("epo", "eo"),
        ("eng", "en"),
        ("rus", "ru"),
        ("cmn", "zh"),
        ("spa", "es"),
        ("por", "pt"),
        ("ita", "it"),
        ("ben", "bn"),
        ("fra", "fr"),
        ("deu", "de"),
        ("ukr", "uk"),
        ("kat", "ka"),
        ("ara", "ar"),
        ("hin", "hi"),
        ("jpn", "ja"),
        ("heb", "he"),
        ("yid", "yi"),
        ("pol", "pl"),
        ("amh", "am"),
        ("jav", "jv"),
        ("kor", "ko"),
        ("nob", "nb"),
        ("dan", "da"),
        ("swe", "sv"),
        ("fin", "fi"),
        ("tur", "tr"),
        ("nld", "nl"),
        ("hun", "hu"),
        ("ces", "cs"),
        ("ell", "el"),
        ("bul", "bg"),
        ("bel", "be"),
        ("mar", "mr"),
        ("kan", "kn"),
        ("ron", "ro"),
        ("slv", "sl"),
        ("hrv", "hr"),
        ("srp", "sr"),
        ("mkd", "mk"),
        ("lit", "lt"),
        ("lav", "lv"),
        ("est", "et"),
        ("tam", "ta"),
        ("vie", "vi"),
        ("urd", "ur"),
        ("tha", "th"),
        ("guj", "gu"),
        ("uzb", "uz"),
        ("pan", "pa"),
        ("aze", "az"),
        ("ind", "id"),
        ("tel", "te"),
        ("pes", "fa"),
        ("mal", "ml"),
        ("ori", "or"),
        ("mya", "my"),
        ("nep", "ne"),
        ("sin", "si"),
        ("khm", "km"),
        ("tuk", "tk"),
        ("aka", "ak"),
        ("zul", "zu"),
        ("sna", "sn"),
        ("afr", "af"),
        ("lat", "la"),
        ("slk", "sk"),
        ("cat", "ca"),
        ("tgl", "tl"),
        ("hye", "hy"),
        ("cym", "cy"),
    ];
    let code = lang.code();
    CODES
        .iter()
        .find(|(three, _)| *three == code)
        .map_or(UNKNOWN, |(_, two)| two)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_greetings_are_enough() {
        for (text, want) in [
            ("hola", "es"),
            ("oi", "pt"),
            ("hallo", "de"),
            ("bonjour", "fr"),
            ("hello", "en"),
            ("obrigada", "pt"),
            ("gracias", "es"),
            ("danke", "de"),
            ("merci", "fr"),
            ("thanks", "en"),
            ("Olá, tudo bem?", "pt"),
            ("wo bleibt mein Paket", "de"),
            ("salut", "fr"),
        ] {
            assert_eq!(language(text, &[]), want, "{text}");
        }
    }

    #[test]
    fn other_languages_are_named_and_nothing_is_unknown() {
        for (text, want) in [
            ("", "und"),
            ("😂👍 123", "und"),
            ("Привет, сколько это стоит?", "ru"),
            ("你好，这个多少钱？", "zh"),
            ("こんにちは、いくらですか", "ja"),
            ("مرحبا كم سعر هذا", "ar"),
            (
                "Dzień dobry, chciałbym zapytać o dostępność tego produktu",
                "pl",
            ),
            (
                "Goedemiddag, ik zou graag willen weten wanneer mijn pakket wordt bezorgd",
                "nl",
            ),
        ] {
            assert_eq!(language(text, &[]), want, "{text}");
        }
    }

    #[test]
    fn every_language_that_can_be_detected_has_a_code() {
        for lang in Lang::all() {
            assert_ne!(iso_639_1(*lang), UNKNOWN, "{lang:?}");
        }
    }
}
