//! Values that are told by the word before them: "my password is …", "DNI: …", "CVV 123".

use std::sync::LazyLock;

use regex::Regex;

use crate::span::{Kind, Span};

/// What may stand between a label and its value: "is", "es", "lautet", punctuation, "n°".
const JOIN: &str = r"(?:\s*(?:n[.º°o]*|nr\.?|no\.?|num(?:ber|mer|ero|éro)?|número|numéro|nummer|number|#))?\s*(?:(?:is|are|was|es|é|est|ist|lautet|war|era|=|:|-|–|->|=>)\s*){0,2}";

struct Label {
    kind: Kind,
    words: &'static str,
    /// The form of the value.
    value: &'static str,
    /// It must hold a digit.
    digits: bool,
}

const SECRET: &str = r#"[^\s\x01,;"']{4,128}"#;
const NUMBERED: &str = r"[a-z0-9](?:[ .\-/]?[a-z0-9]){3,24}";

/// Words that are labels only in capitals, or where "is", a sign or "number" follows: they are everyday words,
/// or a part of them.
const SHORT: [&str; 12] = [
    "ein", "nie", "rib", "tan", "cid", "rut", "nir", "rg", "pix", "zap", "portable", "expire",
];
/// A TAN of this length is one however it is written.
const TAN_DIGITS: usize = 6;
/// What is said of passwords, and is none.
const NO_SECRETS: [&str; 43] = [
    "wrong",
    "incorrect",
    "correct",
    "right",
    "invalid",
    "expired",
    "lost",
    "gone",
    "missing",
    "required",
    "needed",
    "not",
    "too",
    "weak",
    "strong",
    "case",
    "always",
    "never",
    "still",
    "the",
    "this",
    "what",
    "incorrecta",
    "incorrecto",
    "errada",
    "incorreta",
    "caducada",
    "expirada",
    "muy",
    "muito",
    "demasiado",
    "falsch",
    "ungültig",
    "abgelaufen",
    "nicht",
    "weg",
    "richtig",
    "faux",
    "invalide",
    "expiré",
    "perdu",
    "oublié",
    "pas",
];

const LABELS: [Label; 9] = [
    Label {
        kind: Kind::Token,
        words: r"password|passwd|pwd|passcode|passwort|kennwort|contraseña|contrasena|clave(?: secreta| de acceso)?|senha|palavra-passe|mot de passe|mdp|passphrase|api[ _-]?key|api-schlüssel|clave de api|chave de api|clé api|secret(?: key)?|access[ _-]?token|token|credential",
        value: SECRET,
        digits: false,
    },
    Label {
        kind: Kind::Token,
        words: r"(?:my|mein|mi|meu|mon|dein|your|tu|seu|votre)\s+(?:code|código|codigo)",
        value: r"\d(?:[ -]?\d){3,9}",
        digits: true,
    },
    Label {
        kind: Kind::Iban,
        words: r"bic|swift(?:[ -]?code)?",
        value: r"[a-z]{6}[a-z0-9]{2}(?:[a-z0-9]{3})?\b",
        digits: false,
    },
    Label {
        kind: Kind::Token,
        words: r"pin|otp|tan|one[- ]time (?:code|password)|verification code|security code|código de (?:verificación|seguridad|verificação|segurança)|codigo de (?:verificacion|seguridad|verificacao|seguranca)|code de (?:vérification|sécurité)|bestätigungscode|sicherheitscode|einmalcode|puk",
        value: r"\d(?:[ -]?\d){2,9}",
        digits: true,
    },
    Label {
        kind: Kind::Card,
        words: r"cvv2?|cvc2?|cvn|cid|card verification|kartenprüfnummer|prüfziffer|código cvv|cryptogramme",
        value: r"\d{3,4}",
        digits: true,
    },
    Label {
        kind: Kind::Card,
        words: r"exp(?:iry|ires|iration)?(?: date)?|valid (?:thru|until|through)|gültig bis|caduca|vence|validade|válido até|expire(?: le| fin)?",
        value: r"(?:0[1-9]|1[0-2])\s?[/-]\s?(?:20)?\d\d",
        digits: true,
    },
    Label {
        kind: Kind::Iban,
        words: r"iban|bic|swift|account(?: number| no\.?)|kontonummer|konto-?nr\.?|número de cuenta|numero de cuenta|clabe|cbu|cuenta bancaria|conta(?: corrente| bancária)|agência|chave pix|pix|numéro de compte|rib|routing(?: number)?|sort code|bankleitzahl|blz",
        value: NUMBERED,
        digits: true,
    },
    Label {
        kind: Kind::Phone,
        words: r"phone|cell(?:phone)?|mobile|tel|telephone|telefon|telefonnummer|handy(?:nummer)?|mobil(?:nummer)?|rufnummer|whatsapp|teléfono|telefono|celular|móvil|movil|telefone|telemóvel|telemovel|zap|téléphone|portable|fax|call me (?:at|on)|llámame al|me liga no|ruf(?:en sie)? mich (?:an )?unter",
        value: r"\+?\(?\d(?:[ .\-/()]{0,3}\d){5,17}",
        digits: true,
    },
    Label {
        kind: Kind::NationalId,
        words: r"ssn|social security|sozialversicherungs(?:nummer|nr)|sv-nummer|steuer-?id(?:entifikationsnummer)?|steuernummer|idnr|personalausweis(?:nummer)?|ausweis(?:nummer|nr)?|reisepass(?:nummer)?|pass-?nr|passport|pasaporte|passaporte|passeport|dni|d\.n\.i\.?|nie|n\.i\.e\.?|nif|n\.i\.f\.?|c\.p\.f\.?|nuss|cédula|cedula|curp|rfc|rut|cuit|cuil|cpf|cnpj|rg|cartão de cidadão|bilhete de identidade|niss|carte d'identité|cni|sécurité sociale|numéro fiscal|nir|insee|siret|siren|national id|identity card|id card|id number|tax id|tin|ein|itin|nino|national insurance|nhs|driver'?s? licen[cs]e|führerschein(?:nummer)?|licencia de conducir|permiso de conducir|carteira de motorista|cnh|permis de conduire|codice fiscale|aadhaar|pan card|bsn",
        value: NUMBERED,
        digits: true,
    },
];

static PATTERNS: LazyLock<Vec<(Kind, bool, Regex)>> = LazyLock::new(|| {
    LABELS
        .iter()
        .filter_map(|label| {
            let pattern = format!(
                r#"(?i)\b(?P<label>{})(?P<join>{JOIN})["'“”«„]?(?P<value>{})"#,
                label.words, label.value
            );
            Some((label.kind, label.digits, Regex::new(&pattern).ok()?))
        })
        .collect()
});

pub(crate) fn find(text: &str) -> Vec<Span> {
    let mut found = Vec::new();
    for (kind, digits, pattern) in PATTERNS.iter() {
        for captures in pattern.captures_iter(text) {
            let (Some(whole), Some(value)) = (captures.get(0), captures.name("value")) else {
                continue;
            };
            // Words run into the next sentence: the value ends with its last part that has a digit.
            let value = if *digits {
                upto_last_digit(value.as_str())
            } else {
                value.as_str()
            };
            let part = |name| captures.name(name).map_or("", |it| it.as_str());
            if !is_label(part("label"), part("join"), value) {
                continue;
            }
            let has_digits = value.bytes().any(|byte| byte.is_ascii_digit());
            // "I forgot my password again": a secret in words is told by a sign before it.
            let is_told = has_digits || (!digits && is_assigned(part("join"), value));
            let end = whole.end()
                - captures
                    .name("value")
                    .map_or(0, |it| it.len() - value.len());
            if !value.is_empty() && is_told && (has_digits || !digits) {
                found.push(Span::new(*kind, end - value.len()..end));
            }
        }
    }
    found
}

/// Whether the word is meant as a label here.
fn is_label(label: &str, join: &str, value: &str) -> bool {
    let lower = label.to_lowercase();
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    !SHORT.contains(&lower.as_str())
        || !join.trim().is_empty()
        || label == label.to_uppercase()
        || (lower == "tan" && digits >= TAN_DIGITS)
}

/// Whether `:`, `=` or "is" stands before the value, or it has signs that words do not have.
fn is_assigned(join: &str, value: &str) -> bool {
    let join = join.trim_end();
    let is = ["is", "es", "é", "est", "ist", "lautet"];
    let said = join
        .split_whitespace()
        .last()
        .is_some_and(|last| is.contains(&last.to_lowercase().as_str()));
    let word = value.trim_end_matches(['.', '!', '?', ')']).to_lowercase();
    join.ends_with([':', '='])
        || (said && !NO_SECRETS.contains(&word.as_str()))
        || value.chars().any(|it| "!@#$%^&*_+~".contains(it))
}

/// The value without the words after it.
fn upto_last_digit(value: &str) -> &str {
    let Some(last) = value.rfind(|it: char| it.is_ascii_digit()) else {
        return "";
    };
    let rest = value.get(last..).unwrap_or_default();
    // A check letter may follow the last digit, or a dash and the letter.
    let end = rest
        .char_indices()
        .skip(1)
        .take_while(|(_, it)| it.is_ascii_alphanumeric() || *it == '-')
        .last()
        .map_or(1, |(at, _)| at + 1);
    value.get(..last + end).unwrap_or(value)
}
