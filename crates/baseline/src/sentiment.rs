//! The mood of a message: a linear model over its words and ideas, and over what a lexicon finds in it:
//! words of praise and of blame, turned round by a negation before them.
//!
//! The lexicon alone misses a complaint told as a story; the model alone misses words that training does
//! not have.

use std::sync::LazyLock;

use serde::Serialize;

use crate::features::{Features, MOOD, of_words};
use crate::intent::Intent;
use crate::model::{Model, softmax};

static MODEL: LazyLock<Option<Model>> =
    LazyLock::new(|| Model::decode(include_bytes!("../model/sentiment.bin")).ok());

/// The mood of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sentiment {
    /// Pleased.
    Positive,
    /// Neither, or both.
    Neutral,
    /// Displeased.
    Negative,
}

impl Sentiment {
    /// As the API writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Neutral => "neutral",
            Self::Negative => "negative",
        }
    }
}

/// Words between a negation and what it turns round, at most.
const NEGATION_REACH: usize = 3;

/// How much what a message is about counts beside how it says it: a complaint is rarely pleased.
const INTENT_SHARE: f32 = 0.7;

/// How much the lexicon's verdict counts beside a word.
const LEXICON: f32 = 1.5;

/// Beginnings of words, folded. Words of one language that mean something else in another are listed
/// by language below.
const POSITIVE: &str = "excelent excellent perfect perfeit parfait perfekt amazing awesome wonderful fantasti great love \
    loving lovely happy glad delighted pleased helpful beautiful best \
    encant encanta genial maravill increible feliz content content@ satisfech satisfeit satisfied satisfait zufrieden \
    buenisim bonit hermos lindo linda otimo otima adorei adoro amei maravilh feliz gracias obrigad \
    thank danke merci dankesch toll prima klasse wunderbar begeistert freundlich liebe super hervorragend \
    adore ravi genial formidable magnifique merveilleu heureu impeccable recomiendo recomendo recommend empfehl \
    agrade appreciate valeu \
    ❤ 😍 😊 🙏 👍 🥰 😀 😃 😄 🎉 💕 🤩 👏 💯 😁 💙 ♥";
const NEGATIVE: &str = "terribl horribl awful worst unacceptable inacept inaceit inaccept inakzeptabel disappoint decepcion \
    dececion decu enttausch angry upset furious unhappy frustrat annoy annoyed ridicul ridicol rude grosser maleducad pesim hartos harta pessim lixo \
    broken damage defect defectuos defeituos roto rota rotos rotas rompio danad quebrad estragad kaputt beschadigt \
    casse cassee abime scam estafa golpe betrug arnaque fraud robo roub vergonh verguenza schande shame honte frechheit unverschamt \
    unversch shit crap garbage trash rubbish basura lixo porcaria porqueria mull schrott disgust asqueros nojent eklig degout \
    enojad molest indign furios wutend sauer genervt verarger unzufrieden insatisf insatisfech chatead irritad absurd descaso \
    mecontent enerve colere scandal lament deplorabl catastroph poor hate odio odeio hasse deteste \
    useless inutil nutzlos mies furchtbar schrecklich schlecht schlimm complain reclam queja beschwer plainte \
    wrong falsch equivocad errad mauvais nul nulle impoli unfreundlich unprofes lied mentir mentira waste \
    😡 😠 🤬 👎 😤 😞 😢 😭 💔 🤮 😒";
const NEGATIVE_BY_LANGUAGE: [(&str, &str); 5] = [
    (
        "en",
        "bad badly late sucks missing nobody cold dirty ripped overcharged never",
    ),
    ("es", "mal mala malo malos peor feo tarde sucio nadie falta"),
    (
        "pt",
        "mal mau ma ruim pior sujo ninguem atrasad demora falta",
    ),
    (
        "de",
        "leider niemand keiner fehlt schmutzig unmoglich witz dreckig",
    ),
    ("fr", "pire sale retard personne manque froide jamais marre"),
];
const POSITIVE_BY_LANGUAGE: [(&str, &str); 5] = [
    ("en", "good nice thx cheers fast cool"),
    ("es", "bien bueno buena buen rapido amable mejor"),
    ("pt", "bom boa legal lindo rapido show demais melhor gostei"),
    ("de", "gut gute schon nett schnell lieb gefallt"),
    ("fr", "bien bon bonne bravo gentil gentille rapide top aime"),
];
/// Greetings and polite words that hold a word of praise but no mood.
const POLITE: [&str; 26] = [
    "good morning",
    "good afternoon",
    "good evening",
    "good day",
    "buen dia",
    "buenos dias",
    "buenas tardes",
    "buenas noches",
    "bom dia",
    "boa tarde",
    "boa noite",
    "guten tag",
    "guten morgen",
    "tudo bom",
    "tudo bem",
    "bonne journee",
    "bien sur",
    "bon jour",
    "esta bien",
    "gut morgen",
    "i would love",
    "schon bezahlt",
    "best price",
    "mejor precio",
    "would be great",
    "melhor preco",
];
const NEGATIONS: [&str; 24] = [
    "not", "no", "never", "don", "doesn", "didn", "isn", "wasn", "aren", "can", "without", "nunca",
    "sin", "ni", "nao", "nem", "sem", "nicht", "kein", "keine", "ohne", "pas", "jamais", "sans",
];

/// The mood of a message of these (folded) words.
#[must_use]
pub fn sentiment(words: &[String], language: &str, intents: &[Intent]) -> Sentiment {
    MODEL
        .as_ref()
        .filter(|_| !words.is_empty())
        .map_or(Sentiment::Neutral, |model| {
            judge(model, words, language, intents)
        })
}

/// What `model` makes of a message of these (folded) words and these intents.
#[must_use]
pub fn judge(model: &Model, words: &[String], language: &str, intents: &[Intent]) -> Sentiment {
    let shares = softmax(&model.scores(&features(words, language)));
    let share = |mood: Sentiment| {
        model
            .classes
            .iter()
            .position(|class| class.name == mood.name())
            .and_then(|place| shares.get(place).copied())
            .unwrap_or(0.0)
    };
    let about = |name: &str| {
        intents
            .iter()
            .find(|intent| intent.name == name)
            .map_or(0.0, |intent| intent.confidence)
    };
    let negative = share(Sentiment::Negative) + INTENT_SHARE * about("complaint");
    let positive = share(Sentiment::Positive) + INTENT_SHARE * about("thanks");
    let rest = intents
        .first()
        .map_or(0.0, |_| 1.0 - about("complaint") - about("thanks"));
    let neutral = share(Sentiment::Neutral) + INTENT_SHARE * rest;
    if negative > neutral && negative > positive {
        Sentiment::Negative
    } else if positive > neutral {
        Sentiment::Positive
    } else {
        Sentiment::Neutral
    }
}

/// What the model weighs.
#[must_use]
pub fn features(words: &[String], language: &str) -> Features {
    let sum = words_sum(words, language);
    let verdict = match sum {
        sum if sum <= -1.5 => "blames much",
        sum if sum <= -0.6 => "blames",
        sum if sum < 0.4 => "nothing",
        sum if sum < 0.8 => "thanks",
        sum if sum < 1.6 => "praises",
        _ => "praises much",
    };
    of_words(words, MOOD, &[(verdict, LEXICON)])
}

fn words_sum(words: &[String], language: &str) -> f32 {
    let praise = listed(&POSITIVE_BY_LANGUAGE, language);
    let blame = listed(&NEGATIVE_BY_LANGUAGE, language);
    let mut since_negation = usize::MAX;
    let mut sum = 0.0;
    let mut before = "";
    for word in words {
        let value = value(word, before, praise, blame);
        if value != 0.0 {
            let turned = since_negation < NEGATION_REACH;
            sum += if turned { -value } else { value };
        }
        since_negation = if negates(word, before) {
            0
        } else {
            since_negation.saturating_add(1)
        };
        before = word;
    }
    sum
}

/// "can" negates only as "can't", which is two words here.
fn negates(word: &str, before: &str) -> bool {
    if word == "t" {
        before == "can"
    } else {
        word != "can" && NEGATIONS.contains(&word)
    }
}

fn value(word: &str, before: &str, praise: &str, blame: &str) -> f32 {
    let pair = [before, word].join(" ");
    if POLITE.contains(&pair.as_str())
        || POLITE.iter().any(|polite| {
            polite.starts_with(word) && polite.len() > word.len() && before.is_empty()
        })
    {
        return 0.0;
    }
    if begins(word, NEGATIVE) || is_one_of(word, blame) {
        -1.0
    } else if is_thanks(word) {
        0.5
    } else if begins(word, POSITIVE) || is_one_of(word, praise) {
        1.0
    } else {
        0.0
    }
}

/// Thanks ends most requests, so it is half a mood; thanks alone is made one by its intent.
fn is_thanks(word: &str) -> bool {
    begins(word, "thank gracias obrigad danke merci valeu agrade 🙏 👍")
}

fn listed<'a>(lists: &[(&str, &'a str)], language: &str) -> &'a str {
    lists
        .iter()
        .find(|(code, _)| *code == language)
        .map_or("", |(_, list)| list)
}

fn begins(word: &str, list: &str) -> bool {
    list.split_ascii_whitespace()
        .any(|start| word.starts_with(start))
}

fn is_one_of(word: &str, list: &str) -> bool {
    list.split_ascii_whitespace().any(|other| other == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Accents, words};

    #[test]
    fn moods_by_words_negation_and_emoji() {
        for (text, language, want) in [
            ("I love it, excellent service", "en", Sentiment::Positive),
            ("not good at all", "en", Sentiment::Negative),
            ("no estoy contenta", "es", Sentiment::Negative),
            ("péssimo atendimento", "pt", Sentiment::Negative),
            ("das ist eine Frechheit", "de", Sentiment::Negative),
            ("c'est parfait ❤️", "fr", Sentiment::Positive),
            ("¿tienen talla M?", "es", Sentiment::Neutral),
            ("Guten Tag, haben Sie offen?", "de", Sentiment::Neutral),
            ("how much is it, thanks", "en", Sentiment::Neutral),
            ("😡", "und", Sentiment::Negative),
        ] {
            assert_eq!(
                sentiment(&words(text, Accents::Fold), language, &[]),
                want,
                "{text}"
            );
        }
    }
}
