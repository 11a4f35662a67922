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

const LABELS: [Label; 7] = [
    Label {
        kind: Kind::Token,
        words: r"password|passwd|passwort|kennwort|contraseña|contrasena|clave(?: secreta| de acceso)?|senha|palavra-passe|mot de passe|mdp|passphrase|api[ _-]?key|api-schlüssel|clave de api|chave de api|clé api|secret(?: key)?|access[ _-]?token|token|credential",
        value: SECRET,
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
        words: r"ssn|social security|sozialversicherungs(?:nummer|nr)|sv-nummer|steuer-?id(?:entifikationsnummer)?|steuernummer|idnr|personalausweis(?:nummer)?|ausweis(?:nummer|nr)?|reisepass(?:nummer)?|pass-?nr|passport|pasaporte|passaporte|passeport|dni|nie|nif|nuss|cédula|cedula|curp|rfc|rut|cuit|cuil|cpf|cnpj|rg|cartão de cidadão|bilhete de identidade|niss|carte d'identité|cni|sécurité sociale|numéro fiscal|nir|insee|siret|siren|national id|identity card|id card|id number|tax id|tin|ein|itin|nino|national insurance|nhs|driver'?s? licen[cs]e|führerschein(?:nummer)?|licencia de conducir|permiso de conducir|carteira de motorista|cnh|permis de conduire|codice fiscale|aadhaar|pan card|bsn",
        value: NUMBERED,
        digits: true,
    },
];

static PATTERNS: LazyLock<Vec<(Kind, bool, Regex)>> = LazyLock::new(|| {
    LABELS
        .iter()
        .filter_map(|label| {
            let pattern = format!(r"(?i)\b(?:{}){JOIN}(?P<value>{})", label.words, label.value);
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
            let has_digits = value.bytes().any(|byte| byte.is_ascii_digit());
            // "I forgot my password again": a secret in words is told by a sign before it.
            let is_told = has_digits || (!digits && is_assigned(whole.as_str(), value));
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

/// Whether `:` or `=` stands before the value, or it has signs that words do not have.
fn is_assigned(whole: &str, value: &str) -> bool {
    let before = whole.strip_suffix(value).unwrap_or_default().trim_end();
    before.ends_with([':', '=']) || value.chars().any(|it| "!@#$%^&*_+~".contains(it))
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
