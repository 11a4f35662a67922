//! How soon the writer wants something done, by what they say: "urgent", "asap", "no rush".

use serde::Serialize;

use crate::intent::Intent;

/// How soon the writer wants something done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Urgency {
    /// They said that it can wait.
    Low,
    /// They said nothing about it.
    Normal,
    /// They said that it cannot wait.
    High,
}

/// Folded phrases. `*` at the end stands for any ending.
const HIGH: [&str; 49] = [
    "urgent*",
    "urgenc*",
    "asap",
    "immediately",
    "right away",
    "right now",
    "as soon as possible",
    "emergency",
    "hurry",
    "before tonight",
    "need it today",
    "need it now",
    "today or",
    "quickly",
    "inmediat*",
    "cuanto antes",
    "lo antes posible",
    "ya mismo",
    "ahora mismo",
    "hoy mismo",
    "apurad*",
    "emergencia",
    "rapido por favor",
    "imediat*",
    "o quanto antes",
    "o mais rapido",
    "agora mesmo",
    "hoje mesmo",
    "ainda hoje",
    "pra ontem",
    "para ontem",
    "correndo",
    "dringend*",
    "eilig",
    "eilt",
    "sofort*",
    "umgehend",
    "so schnell wie moglich",
    "schnellstmoglich",
    "notfall",
    "heute noch",
    "noch heute",
    "unverzuglich",
    "tout de suite",
    "immediat*",
    "au plus vite",
    "des que possible",
    "le plus vite possible",
    "aujourd hui meme",
];
const LOW: [&str; 26] = [
    "no rush",
    "no hurry",
    "not urgent",
    "whenever you can",
    "when you can",
    "take your time",
    "no stress",
    "sin prisa",
    "sin apuro",
    "no es urgente",
    "no hay prisa",
    "no corre prisa",
    "cuando puedas",
    "cuando puedan",
    "sem pressa",
    "nao e urgente",
    "quando puder*",
    "nao tenho pressa",
    "keine eile",
    "nicht eilig",
    "nicht dringend",
    "eilt nicht",
    "pas presse*",
    "pas urgent",
    "quand vous pouvez",
    "rien ne presse",
];

/// The urgency of a message of these (folded) words.
#[must_use]
pub fn urgency(words: &[String], intents: &[Intent]) -> Urgency {
    if LOW.iter().any(|phrase| holds(words, phrase)) {
        return Urgency::Low;
    }
    let angry = intents
        .first()
        .is_some_and(|first| first.name == "complaint")
        && words
            .iter()
            .any(|word| word == "!" || word == "😡" || word == "🤬");
    if angry
        || words.iter().any(|word| word == "🚨" || word == "🆘")
        || HIGH.iter().any(|phrase| holds(words, phrase))
    {
        Urgency::High
    } else {
        Urgency::Normal
    }
}

fn holds(words: &[String], phrase: &str) -> bool {
    let parts: Vec<&str> = phrase.split(' ').collect();
    words.windows(parts.len()).any(|window| {
        window
            .iter()
            .zip(&parts)
            .all(|(word, part)| match part.strip_suffix('*') {
                Some(start) => word.starts_with(start),
                None => word == part,
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Accents, words};

    #[test]
    fn urgency_by_what_is_said() {
        for (text, want) in [
            ("Es URGENTE!!", Urgency::High),
            ("no es urgente", Urgency::Low),
            ("so schnell wie möglich bitte", Urgency::High),
            ("sem pressa", Urgency::Low),
            ("il me le faut aujourd'hui même", Urgency::High),
            ("hello", Urgency::Normal),
            ("", Urgency::Normal),
        ] {
            assert_eq!(urgency(&words(text, Accents::Fold), &[]), want, "{text}");
        }
    }
}
