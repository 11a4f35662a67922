use proptest::prelude::*;

use super::*;

fn turn(id: &str, role: Role, text: &str) -> Turn {
    Turn {
        message_id: id.to_owned(),
        role,
        at: 0,
        text: text.to_owned(),
    }
}

fn one(text: &str) -> Enriched {
    enrich(&[turn("m1", Role::Customer, text)], &Request::default())
}

#[test]
fn the_scenario_of_the_readme_is_a_qualified_purchase() {
    let read =
        one("Hola, quiero 20 unidades azules, presupuesto 500 USD, mi correo es ana@example.com");
    assert_eq!(read.language, "es");
    assert_eq!(read.intents[0].name, "purchase");
    let kinds: Vec<&str> = read.entities.iter().map(|entity| entity.kind).collect();
    assert_eq!(kinds, ["quantity", "money", "email"]);
    let lead = read.lead.unwrap();
    assert!(lead.score > 60, "{lead:?}");
    assert_eq!(lead.stage, Stage::Qualified);
    assert!(
        lead.reasons
            .iter()
            .all(|reason| reason.message_id.as_deref() == Some("m1"))
    );
}

#[test]
fn an_empty_window_is_nothing() {
    let read = enrich(&[], &Request::default());
    assert_eq!((read.language.as_str(), read.lead.is_none()), ("und", true));
    assert_eq!(read.intents[0].name, "other");
}

#[test]
fn a_reason_counts_once_what_was_told_where_it_was_first_and_what_was_done_where_it_was_last() {
    let window = [
        turn("a", Role::Customer, "How much are the lamps?"),
        turn(
            "b",
            Role::Agent,
            "I want to buy 500 units, my mail is shop@example.com",
        ),
        turn("c", Role::Customer, "And how much is the shipping?"),
        turn("d", Role::Customer, "I want to buy two boxes of lamps"),
    ];
    let lead = enrich(&window, &Request::default()).lead.unwrap();
    let shown: Vec<(&str, &str)> = lead
        .reasons
        .iter()
        .map(|reason| (reason.text.as_str(), reason.message_id.as_deref().unwrap()))
        .collect();
    for (start, id) in [
        ("asks for a price (+30)", "c"),
        ("wants to buy (+45)", "d"),
        ("names a quantity (+15)", "d"),
    ] {
        assert!(
            shown
                .iter()
                .any(|(text, by)| text.starts_with(start) && *by == id),
            "{start}: {shown:?}"
        );
    }
    assert!(
        shown.iter().all(|(_, id)| *id != "b"),
        "what the tenant writes is no evidence: {shown:?}"
    );
    assert_eq!(lead.stage, Stage::Qualified);
}

#[test]
fn a_reason_names_the_words_that_it_was_told_by() {
    for (text, reason, word) in [
        ("how much is the sofa?", "asks for a price", "much"),
        ("quiero comprar dos camisas", "wants to buy", "comprar"),
        (
            "ich möchte stornieren",
            "wants to cancel or a refund",
            "stornieren",
        ),
    ] {
        let lead = one(text).lead.unwrap();
        let told = lead
            .reasons
            .iter()
            .find(|found| found.text.starts_with(reason));
        assert!(
            told.is_some_and(|told| told.text.contains(word)),
            "{text}: {lead:?}"
        );
    }
}

#[test]
fn stages_by_what_is_said() {
    for (text, want) in [
        ("hello", Stage::New),
        ("how much is the sofa?", Stage::Engaged),
        ("where is my order 4521?", Stage::Customer),
        (
            "Congratulations, you have won an iPhone, click here to claim your prize",
            Stage::Disqualified,
        ),
        ("my order arrived, thank you so much", Stage::Customer),
        ("thank you", Stage::New),
        ("i want to book a table for 4 on friday", Stage::Qualified),
        ("can i book a table?", Stage::Engaged),
        ("what are your opening hours?", Stage::New),
        ("can i speak to a person please", Stage::New),
        ("quiero comprar la lámpara", Stage::Qualified),
        ("please stop texting me", Stage::Disqualified),
        ("sorry, wrong number", Stage::Disqualified),
        ("kein interesse", Stage::Disqualified),
        ("unsubscribe me from the plan", Stage::Customer),
        ("can you move my appointment to friday?", Stage::Customer),
    ] {
        assert_eq!(one(text).lead.unwrap().stage, want, "{text}");
    }
}

#[test]
fn who_left_and_asks_again_is_a_lead_again_but_spam_stays_spam() {
    let stage = |texts: [&str; 2]| {
        let window = texts.map(|text| turn("m", Role::Customer, text));
        enrich(&window, &Request::default()).lead.unwrap().stage
    };
    let asks = "how much is the sofa?";
    for (name, texts, want) in [
        (
            "came back",
            ["not interested, thanks", asks],
            Stage::Engaged,
        ),
        (
            "left",
            [asks, "not interested, thanks"],
            Stage::Disqualified,
        ),
        (
            "spam",
            [
                "Congratulations, you have won an iPhone, click here to claim your prize",
                asks,
            ],
            Stage::Disqualified,
        ),
        (
            "a day without a wish",
            ["i am off until friday", "ok"],
            Stage::New,
        ),
    ] {
        assert_eq!(stage(texts), want, "{name}");
    }
}

#[test]
fn only_the_last_turns_count() {
    let mut window = vec![turn("old", Role::Customer, "I want to buy 20 units")];
    window.extend((0..WINDOW_TURNS).map(|_| turn("new", Role::Customer, "ok")));
    let lead = enrich(&window, &Request::default()).lead.unwrap();
    assert!(
        lead.reasons
            .iter()
            .all(|reason| reason.message_id.as_deref() == Some("new")),
        "{lead:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}", last in "\\PC{0,200}", now in any::<u64>(), zone in "\\PC{0,12}") {
        let request = Request { now, time_zone: Some(zone), ..Request::default() };
        let window = [turn("a", Role::Customer, &text), turn("b", Role::Customer, &last)];
        let read = enrich(&window, &request);
        prop_assert!(!read.intents.is_empty());
        prop_assert!(read.intents.iter().all(|intent| (0.0..=1.0).contains(&intent.confidence)));
        prop_assert_eq!(&read, &enrich(&window, &request));
    }
}

/// A conversation of some days: asks, hears back, names what it takes.
fn conversation() -> Vec<Turn> {
    let texts = [
        (Role::Customer, "How much are the lamps?"),
        (Role::Agent, "40 each. How many do you need?"),
        (
            Role::Customer,
            "I'm the owner of a hotel, I need 20 pieces, my budget is 900 USD",
        ),
        (
            Role::Customer,
            "we would need them by next friday, my mail is ana@example.com",
        ),
        (Role::Customer, "ok, I want to buy them"),
    ];
    texts
        .iter()
        .enumerate()
        .map(|(index, (role, text))| Turn {
            at: evaluate::NOW + index as u64 * DAY_MS,
            ..turn(&format!("m{index}"), *role, text)
        })
        .collect()
}

const DAY_MS: u64 = 86_400_000;

fn lead_at(window: &[Turn], now: u64, lead: Option<LeadSettings>) -> Lead {
    let request = Request {
        now,
        lead,
        ..Request::default()
    };
    enrich(window, &request).lead.unwrap()
}

#[test]
fn each_side_of_a_lead_has_its_evidence() {
    let lead = lead_at(&conversation(), evaluate::NOW + 5 * DAY_MS, None);
    for (name, side, least, reason, id) in [
        (
            "budget",
            &lead.bant.budget,
            60,
            "names an amount (+60)",
            "m2",
        ),
        (
            "authority",
            &lead.bant.authority,
            80,
            "decides about it (+80)",
            "m2",
        ),
        ("need", &lead.bant.need, 70, "wants to buy (+50)", "m4"),
        ("timing", &lead.bant.timing, 50, "names a date (+50)", "m3"),
    ] {
        assert!(side.score >= least && side.score <= 100, "{name}: {side:?}");
        let told = side
            .reasons
            .iter()
            .any(|found| found.text.starts_with(reason) && found.message_id.as_deref() == Some(id));
        assert!(told, "{name}: {side:?}");
    }
    assert_eq!((lead.fit, lead.stage), (100, Stage::Qualified), "{lead:?}");
}

#[test]
fn authority_in_five_languages() {
    for (text, decides) in [
        ("I'm the owner", true),
        ("soy la dueña del local", true),
        ("sou o dono da loja", true),
        ("ich bin der Inhaber", true),
        ("je suis le gérant du magasin", true),
        ("I need to ask my boss first", false),
        ("tengo que preguntarle a mi jefe", false),
        ("preciso perguntar pro meu chefe", false),
        ("da muss ich erst meinen Chef fragen", false),
        ("je dois demander à mon patron", false),
    ] {
        let authority = one(text).lead.unwrap().bant.authority;
        assert_eq!(authority.score >= 80, decides, "{text}: {authority:?}");
        assert!(
            !authority.reasons.is_empty(),
            "a no has its reason, too: {text}"
        );
    }
    let nothing = one("how much is the sofa?").lead.unwrap().bant.authority;
    assert_eq!(nothing, Factor::default());
}

#[test]
fn engagement_halves_with_each_half_life_and_fit_stays() {
    let window = [Turn {
        at: evaluate::NOW,
        ..turn("m", Role::Customer, "I want to buy 20 units")
    }];
    let weeks = |count: u64| lead_at(&window, evaluate::NOW + count * 7 * DAY_MS, None);
    let scores: Vec<(u8, u8, Stage)> = [0, 1, 2, 3]
        .map(weeks)
        .iter()
        .map(|lead| (lead.engagement, lead.fit, lead.stage))
        .collect();
    assert_eq!(
        scores,
        [
            (45, 25, Stage::Qualified),
            (22, 25, Stage::Qualified),
            (11, 25, Stage::Qualified),
            (5, 25, Stage::Qualified),
        ]
    );
    let told = weeks(1).reasons;
    assert!(
        told.iter()
            .any(|reason| reason.text.starts_with("wants to buy (+22 of 45)")),
        "{told:?}"
    );
}

#[test]
fn a_tenant_says_from_which_score_a_stage_holds_and_how_fast_engagement_fades() {
    let window = [Turn {
        at: evaluate::NOW,
        ..turn("m", Role::Customer, "I want to buy 20 units")
    }];
    let usual = LeadSettings::default();
    for (name, settings, days, want) in [
        ("as usual", usual, 0, Stage::Qualified),
        (
            "just enough",
            LeadSettings {
                qualified: 60,
                ..usual
            },
            0,
            Stage::Qualified,
        ),
        (
            "one short",
            LeadSettings {
                qualified: 61,
                ..usual
            },
            0,
            Stage::Engaged,
        ),
        (
            "neither",
            LeadSettings {
                qualified: 61,
                engaged: 61,
                ..usual
            },
            0,
            Stage::New,
        ),
        ("after two weeks", usual, 14, Stage::Qualified),
        ("after two months", usual, 60, Stage::Engaged),
        (
            "a day's half-life",
            LeadSettings {
                half_life_hours: 24,
                ..usual
            },
            14,
            Stage::Engaged,
        ),
        (
            "none",
            LeadSettings {
                half_life_hours: 0,
                ..usual
            },
            60,
            Stage::Qualified,
        ),
    ] {
        let lead = lead_at(&window, evaluate::NOW + days * DAY_MS, Some(settings));
        assert_eq!(lead.stage, want, "{name}: {lead:?}");
    }
}

#[test]
fn the_same_conversation_replayed_is_the_same_lead() {
    let window = conversation();
    let now = evaluate::NOW + 9 * DAY_MS;
    let first = lead_at(&window, now, None);
    // As it comes in, message by message, with other readings in between.
    for end in 1..=window.len() {
        let _ = lead_at(&window[..end], now + end as u64, None);
    }
    assert_eq!(lead_at(&window, now, None), first);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn with_time_no_score_rises_and_none_leaves_its_bounds(
        picks in proptest::collection::vec((0..12_usize, 0..3_000_000_000_u64), 1..8),
        later in 0..5_000_000_000_u64,
        half_life_hours in 0..400_u32,
    ) {
        const TEXTS: [&str; 12] = [
            "how much is it?", "I want to buy 20 units", "my budget is 500 USD", "not interested",
            "hello", "asap please, by friday", "where is my order", "I'm the owner, mail a@example.com",
            "this is a disgrace!", "cancel it", "you have won a prize, click here", "can I book a table for 4",
        ];
        let window: Vec<Turn> = picks
            .iter()
            .map(|(text, at)| Turn { at: evaluate::NOW + at, ..turn("m", Role::Customer, TEXTS[*text]) })
            .collect();
        let settings = Some(LeadSettings { half_life_hours, ..LeadSettings::default() });
        let now = evaluate::NOW + 1_000_000_000;
        let (young, old) = (lead_at(&window, now, settings), lead_at(&window, now + later, settings));
        prop_assert!(old.engagement <= young.engagement && old.score <= young.score);
        prop_assert_eq!((old.fit, &old.bant), (young.fit, &young.bant));
        for score in [young.score, young.fit, young.engagement, young.bant.need.score] {
            prop_assert!(score <= 100);
        }
        prop_assert_eq!(&lead_at(&window, now, settings), &young);
    }
}
