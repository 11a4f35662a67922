//! How many of what: `20 unidades`, `3x`, `x3`, `two boxes`, `12 shirts`; and the thing, when it is
//! plain: the noun after the number, or after "boxes of".

use super::Found;
use super::token::{Kind, Token, number_word};

/// Units, folded.
const UNITS: [&str; 66] = [
    "unit",
    "units",
    "piece",
    "pieces",
    "pcs",
    "pc",
    "box",
    "boxes",
    "pack",
    "packs",
    "pairs",
    "pair",
    "bottles",
    "kg",
    "kilo",
    "kilos",
    "dozen",
    "sets",
    "copies",
    "cartons",
    "unidad",
    "unidades",
    "uds",
    "ud",
    "un",
    "und",
    "pieza",
    "piezas",
    "caja",
    "cajas",
    "paquete",
    "paquetes",
    "pares",
    "botellas",
    "docenas",
    "juegos",
    "litros",
    "peca",
    "pecas",
    "caixa",
    "caixas",
    "pacote",
    "pacotes",
    "garrafas",
    "duzias",
    "conjuntos",
    "stuck",
    "stk",
    "kiste",
    "kisten",
    "karton",
    "kartons",
    "packung",
    "packungen",
    "paar",
    "flaschen",
    "unites",
    "unite",
    "pieces",
    "carton",
    "boite",
    "boites",
    "paquets",
    "paires",
    "bouteilles",
    "exemplaires",
];

/// Plurals that are counted but not bought, folded: times, people, parts of an address.
const NOT_THINGS: [&str; 75] = [
    "days",
    "hours",
    "weeks",
    "months",
    "years",
    "minutes",
    "times",
    "people",
    "persons",
    "guests",
    "nights",
    "seconds",
    "dias",
    "horas",
    "semanas",
    "meses",
    "anos",
    "minutos",
    "veces",
    "personas",
    "noches",
    "vezes",
    "pessoas",
    "noites",
    "tage",
    "tagen",
    "stunden",
    "wochen",
    "monate",
    "monaten",
    "jahre",
    "jahren",
    "minuten",
    "mal",
    "personen",
    "nachte",
    "uhr",
    "jours",
    "heures",
    "semaines",
    "mois",
    "annees",
    "minutes",
    "fois",
    "personnes",
    "nuits",
    "ans",
    "street",
    "strasse",
    "calle",
    "metros",
    "meters",
    "meter",
    "metres",
    "followers",
    "seguidores",
    "kilometers",
    "adultos",
    "adults",
    "ninos",
    "kids",
    "vous",
    "nous",
    "plus",
    "mais",
    "mas",
    "this",
    "does",
    "was",
    "has",
    "euros",
    "dollars",
    "pesos",
    "pour",
    "est",
];

/// Words before a number that make it a name of something: a size, an order, a model.
const LABELS: [&str; 31] = [
    "order",
    "pedido",
    "bestellung",
    "commande",
    "number",
    "numero",
    "nummer",
    "nr",
    "no",
    "#",
    "size",
    "talla",
    "tamanho",
    "grosse",
    "taille",
    "model",
    "modelo",
    "modell",
    "modele",
    "room",
    "room",
    "error",
    "erro",
    "fehler",
    "erreur",
    "calle",
    "rua",
    "rue",
    "version",
    "zimmer",
    "at",
];

/// More is an order number, not an order.
const MOST: u32 = 100_000;

pub fn find(text: &str, tokens: &[Token]) -> Vec<Found> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let Some(count) = token.integer().or_else(|| number_word(&token.text)) else {
            continue;
        };
        let labelled = at
            .checked_sub(1)
            .and_then(|before| tokens.get(before))
            .is_some_and(|before| {
                LABELS.contains(&before.text.as_str())
                    || before.is("+")
                    || before.is("/")
                    || before.is(":")
            });
        if count == 0 || count > MOST || labelled {
            continue;
        }
        if let Some((end, noun)) = counted(text, tokens, at) {
            let span = tokens.get(at..end).unwrap_or_default();
            found.extend(Found::of("quantity", span, Some(count.to_string())));
            found.extend(noun.and_then(|noun| {
                Found::of(
                    "product",
                    std::slice::from_ref(noun),
                    Some(noun.text.clone()),
                )
            }));
        } else if let Some(before) = multiplied(tokens, at) {
            found.extend(Found::of("quantity", before, Some(count.to_string())));
        }
    }
    found
}

/// Where the number and its unit end, and the thing.
fn counted<'t>(text: &str, tokens: &'t [Token], at: usize) -> Option<(usize, Option<&'t Token>)> {
    let next = tokens.get(at + 1)?;
    let times = (next.is("x") || next.is("×"))
        && tokens
            .get(at + 2)
            .is_none_or(|after| after.kind != Kind::Number);
    if times {
        return Some((
            at + 2,
            tokens.get(at + 2).filter(|noun| is_noun(text, noun)),
        ));
    }
    if UNITS.contains(&next.text.as_str()) && !next.is("und") && !next.is("un") {
        let of = tokens
            .get(at + 2)
            .filter(|of| matches!(of.text.as_str(), "of" | "de" | "d" | "von"));
        let noun = of
            .and_then(|_| tokens.get(at + 3))
            .filter(|noun| noun.is_word() && noun.text.len() > 2);
        return Some((at + 2, noun));
    }
    is_noun(text, next).then_some((at + 1, Some(next)))
}

fn multiplied(tokens: &[Token], at: usize) -> Option<&[Token]> {
    let before = at.checked_sub(1)?;
    let token = tokens.get(before)?;
    (token.is("x") && tokens.get(at)?.touches(token)).then(|| tokens.get(before..=at))?
}

/// A plural in the Romance languages and English ends in `s` or `x`; a German noun has a capital.
fn is_noun(text: &str, token: &Token) -> bool {
    let plural = token.text.ends_with('s') || token.text.ends_with('x');
    let german = token.capital && text.chars().any(char::is_lowercase);
    token.is_word()
        && token.text.chars().count() >= 4
        && (plural || german)
        && !NOT_THINGS.contains(&token.text.as_str())
}
