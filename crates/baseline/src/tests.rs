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
fn a_reason_counts_once_and_names_the_message_that_showed_it_first() {
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
        ("asks for a price (+30)", "a"),
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
    ] {
        assert_eq!(one(text).lead.unwrap().stage, want, "{text}");
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
