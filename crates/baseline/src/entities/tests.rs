use proptest::prelude::*;

use super::*;

/// Tuesday, 5 May 2026, 23:30 UTC.
const NOW: u64 = 1_778_023_800_000;

fn found(text: &str, zone: Option<&str>) -> Vec<String> {
    let request = Request {
        now: NOW,
        time_zone: zone.map(str::to_owned),
        ..Request::default()
    };
    entities(text, &request)
        .into_iter()
        .map(|entity| {
            format!(
                "{} {} {}",
                entity.kind,
                entity.value,
                entity.normalized.unwrap_or_default()
            )
        })
        .collect()
}

#[test]
fn what_a_text_names() {
    let none: &[&str] = &[];
    for (text, want) in [
        (
            "Hola, quiero 20 unidades azules, presupuesto 500 USD, mi correo es Ana@example.com",
            &[
                "quantity 20 unidades 20",
                "money 500 USD 500 USD",
                "email Ana@example.com ana@example.com",
            ][..],
        ),
        (
            "it was $20 or R$ 1.500,50",
            &["money $20 20 USD", "money R$ 1.500,50 1500.50 BRL"],
        ),
        (
            "30 € oder 20 euros, 2k dollars",
            &[
                "money 30 € 30 EUR",
                "money 20 euros 20 EUR",
                "money 2k dollars 2000 USD",
            ],
        ),
        ("300 pesos", &["money 300 pesos "]),
        (
            "see https://shop.example/a?b=1 or shop.com/x",
            &[
                "url https://shop.example/a?b=1 https://shop.example/a?b=1",
                "url shop.com/x https://shop.com/x",
            ],
        ),
        ("ok.thanks for it", none),
        (
            "call +34 612 345 678 please",
            &["phone +34 612 345 678 +34612345678"],
        ),
        ("0049 30 1234567", &["phone 0049 30 1234567 +49301234567"]),
        ("my number 612345678", &["phone 612345678 "]),
        ("order 612345678", none),
        ("pedido 4521", none),
        ("3x mugs", &["quantity 3x 3", "product mugs mugs"]),
        (
            "two boxes of wine",
            &["quantity two boxes 2", "product wine wine"],
        ),
        ("12 camisas", &["quantity 12 12", "product camisas camisas"]),
        (
            "ich brauche 5 Lampen",
            &["quantity 5 5", "product Lampen lampen"],
        ),
        ("waiting 3 weeks", none),
        ("soy Ana Pérez de Madrid", &["name Ana Pérez "]),
        ("my name is tom", &["name tom "]),
        ("i'm happy", none),
        ("je m'appelle Luc", &["name Luc "]),
        ("", none),
    ] {
        assert_eq!(found(text, None), want, "{text}");
    }
}

#[test]
fn dates_by_the_tenants_clock() {
    for (text, want) in [
        ("tomorrow", "tomorrow 2026-05-06"),
        ("hasta mañana", "mañana 2026-05-06"),
        ("aujourd'hui", "aujourd'hui 2026-05-05"),
        ("next Friday", "next Friday 2026-05-08"),
        ("am Dienstag", "Dienstag 2026-05-12"),
        ("14 de mayo", "14 de mayo 2026-05-14"),
        ("am 3. März", "3. März 2027-03-03"),
        ("May 14, 2027", "May 14, 2027 2027-05-14"),
        ("2026-12-24", "2026-12-24 2026-12-24"),
        ("14/06/2026", "14/06/2026 2026-06-14"),
        ("12/25/2026", "12/25/2026 2026-12-25"),
        ("in 3 days", "in 3 days 2026-05-08"),
        ("en dos semanas", "en dos semanas 2026-05-19"),
        ("am 24.12.2026", "24.12.2026 2026-12-24"),
    ] {
        assert_eq!(found(text, None), [format!("date {want}")], "{text}");
    }
    assert_eq!(
        found("morgen", Some("Europe/Berlin")),
        ["date morgen 2026-05-07"]
    );
    for text in [
        "Guten Morgen",
        "por la mañana",
        "31/31",
        "99.99.9999",
        "2026-13-40",
    ] {
        assert!(
            found(text, None)
                .iter()
                .all(|entity| !entity.starts_with("date")),
            "{text}"
        );
    }
}

proptest! {
    #[test]
    fn entities_are_where_they_say(text in "(\\PC|[0-9$€+x.,/@ -]){0,80}", now in any::<u64>()) {
        let request = Request { now, ..Request::default() };
        let mut end = 0;
        for entity in entities(&text, &request) {
            let (start, stop) = (entity.start as usize, entity.end as usize);
            prop_assert!(end <= start);
            prop_assert_eq!(text.get(start..stop), Some(entity.value.as_str()));
            end = stop;
        }
    }
}
