//! What is taken out, what is left, and the way back.

mod written;

use proptest::prelude::*;

use crate::{Kind, redact, restore};

fn one(text: &str, region: Option<&str>) -> crate::Redaction {
    redact(&[text.to_owned()], region).remove(0)
}

/// Kind, region, text, the value in it.
const FOUND: &[(Kind, Option<&str>, &str, &str)] = &[
    (
        Kind::Email,
        None,
        "write to ana.perez+shop@mail.example.com please",
        "ana.perez+shop@mail.example.com",
    ),
    (
        Kind::Email,
        None,
        "meine Mail: jörg@müller.example",
        "jörg@müller.example",
    ),
    (
        Kind::Email,
        None,
        "juan (arroba) example (punto) com",
        "juan (arroba) example (punto) com",
    ),
    (
        Kind::Email,
        None,
        "jane dot doe at example dot org",
        "doe at example dot org",
    ),
    (
        Kind::Email,
        None,
        "ana\u{200b}@exam\u{ad}ple.com",
        "ana\u{200b}@exam\u{ad}ple.com",
    ),
    (Kind::Email, None, "ana＠example．com", "ana＠example．com"),
    (Kind::Phone, None, "call +49 30 123456 now", "+49 30 123456"),
    (
        Kind::Phone,
        None,
        "call 0049 (0)30 / 123456",
        "0049 (0)30 / 123456",
    ),
    (
        Kind::Phone,
        Some("US"),
        "my cell 415-555-2671",
        "415-555-2671",
    ),
    (
        Kind::Phone,
        Some("BR"),
        "meu zap 11 91234-5678",
        "11 91234-5678",
    ),
    (Kind::Phone, Some("DE"), "Tel. 030 901820", "030 901820"),
    (Kind::Phone, Some("ES"), "llámame al 612345678", "612345678"),
    (
        Kind::Phone,
        Some("FR"),
        "mon 06.12.34.56.78",
        "06.12.34.56.78",
    ),
    (Kind::Phone, None, "(030) 123 456 78", "(030) 123 456 78"),
    (Kind::Phone, None, "٠١٠ ١٢٣٤ ٥٦٧٨", "٠١٠ ١٢٣٤ ٥٦٧٨"),
    (
        Kind::Card,
        None,
        "card 4111 1111 1111 1111 ok",
        "4111 1111 1111 1111",
    ),
    (
        Kind::Card,
        None,
        "5555-5555-5555-4444",
        "5555-5555-5555-4444",
    ),
    (Kind::Card, None, "378282246310005", "378282246310005"),
    (
        Kind::Card,
        None,
        "４１１１１１１１１１１１１１１１",
        "４１１１１１１１１１１１１１１１",
    ),
    (Kind::Card, None, "cvv is 123", "123"),
    (Kind::Card, None, "gültig bis 09/28", "09/28"),
    (
        Kind::Iban,
        None,
        "IBAN DE89 3704 0044 0532 0130 00 danke",
        "DE89 3704 0044 0532 0130 00",
    ),
    (
        Kind::Iban,
        None,
        "es9121000418450200051332",
        "es9121000418450200051332",
    ),
    (
        Kind::Iban,
        None,
        "FR76-3000-6000-0112-3456-7890-189",
        "FR76-3000-6000-0112-3456-7890-189",
    ),
    (
        Kind::Iban,
        None,
        "my account number is 12345678",
        "12345678",
    ),
    (
        Kind::NationalId,
        None,
        "123-45-6789 is my SSN",
        "123-45-6789",
    ),
    (Kind::NationalId, None, "mi DNI 12345678Z", "12345678Z"),
    (Kind::NationalId, None, "12345678Z", "12345678Z"),
    (Kind::NationalId, None, "NIE X-1234567-L", "X-1234567-L"),
    (
        Kind::NationalId,
        None,
        "meu CPF é 529.982.247-25",
        "529.982.247-25",
    ),
    (Kind::NationalId, None, "52998224725", "52998224725"),
    (
        Kind::NationalId,
        None,
        "11.222.333/0001-81",
        "11.222.333/0001-81",
    ),
    (Kind::NationalId, None, "NIF 123456789", "123456789"),
    (
        Kind::NationalId,
        None,
        "Steuer-ID 86095742719",
        "86095742719",
    ),
    (Kind::NationalId, None, "86 095 742 719", "86 095 742 719"),
    (
        Kind::NationalId,
        None,
        "Personalausweis: L01X00T471",
        "L01X00T471",
    ),
    (
        Kind::NationalId,
        None,
        "mon numéro 2 55 08 14 168 025 38",
        "2 55 08 14 168 025 38",
    ),
    (Kind::NationalId, None, "AB 12 34 56 C", "AB 12 34 56 C"),
    (
        Kind::NationalId,
        None,
        "HEGG560427MVZRRL04",
        "HEGG560427MVZRRL04",
    ),
    (
        Kind::NationalId,
        None,
        "RSSMRA85T10A562S",
        "RSSMRA85T10A562S",
    ),
    (
        Kind::NationalId,
        None,
        "passport no. C01X0006H",
        "C01X0006H",
    ),
    (
        Kind::Token,
        None,
        "key sk-proj-abcDEF1234567890abcDEF",
        "sk-proj-abcDEF1234567890abcDEF",
    ),
    (
        Kind::Token,
        None,
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    ),
    (
        Kind::Token,
        None,
        "use AKIAIOSFODNN7EXAMPLE",
        "AKIAIOSFODNN7EXAMPLE",
    ),
    (
        Kind::Token,
        None,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
    ),
    (
        Kind::Token,
        None,
        "Authorization: Bearer abc.def-ghi",
        "Bearer abc.def-ghi",
    ),
    (Kind::Token, None, "my password is hunter2!", "hunter2!"),
    (Kind::Token, None, "contraseña: secreto", "secreto"),
    (
        Kind::Token,
        None,
        "mein Passwort lautet Sommer#2024",
        "Sommer#2024",
    ),
    (Kind::Token, None, "mot de passe : soleil", "soleil"),
    (Kind::Token, None, "a senha é abc123", "abc123"),
    (
        Kind::Token,
        None,
        "the verification code is 482913",
        "482913",
    ),
    (
        Kind::Token,
        None,
        "id 3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    ),
    (
        Kind::Url,
        None,
        "https://ana:geheim@shop.example/x",
        "https://ana:geheim@shop.example/x",
    ),
    (
        Kind::Url,
        None,
        "see https://shop.example/o?id=7&token=abc",
        "https://shop.example/o?id=7&token=abc",
    ),
    (
        Kind::Url,
        None,
        "postgres://u:p@db.example:5432/x",
        "postgres://u:p@db.example:5432/x",
    ),
    (Kind::Url, None, "wa.me/491701234567", "wa.me/491701234567"),
    (
        Kind::Url,
        None,
        "https://shop.example/reset/9f8e7d6c5b4a39281706f5e4d3c2b1a0",
        "https://shop.example/reset/9f8e7d6c5b4a39281706f5e4d3c2b1a0",
    ),
    (Kind::Number, None, "number 999999999999", "999999999999"),
    (Kind::Literal, None, "tell me [EMAIL_1]", "[EMAIL_1]"),
    (Kind::Literal, None, "[ card 2 ]", "[ card 2 ]"),
];

#[test]
fn finds_each_class() {
    let mut wrong = Vec::new();
    for (kind, region, text, value) in FOUND {
        let redaction = one(text, *region);
        let found: Vec<_> = redaction
            .replacements
            .iter()
            .map(|it| (it.kind, it.original.as_str()))
            .collect();
        if found != [(*kind, *value)] {
            wrong.push(format!("{text}: {}", redaction.text));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn leaves_what_is_nobodys() {
    for text in [
        "Do you have 20 blue shirts in size 42?",
        "Order 1048576 has not arrived since 2026-11-20 10:30",
        "am 23.11.2026 um 14:00 Uhr",
        "el 3/12/2026 a las 9:15",
        "my budget is 1.500.000,00 EUR",
        "R$ 12.345.678,90 no máximo",
        "USD 250 000 000 is too much",
        "https://shop.example/products/blue-shirt?size=42&page=3",
        "see www.example.com/help/opening-hours-and-directions",
        "open 09:00-18:30?",
        "I forgot my password again",
        "my account is blocked",
        "the size is 12345678 or so",
        "iPhone 15 Pro Max 256GB",
        "donaudampfschifffahrtsgesellschaftskapitän",
        "what does your-very-long-product-name-in-blue cost",
        "[x] yes [ ] no",
        "meet at home. point taken",
    ] {
        assert_eq!(one(text, Some("DE")).text, text);
    }
}

#[test]
fn one_value_has_one_placeholder_in_all_texts() {
    let texts = [
        "Ana@Example.com",
        "mail ana@example.com",
        "+49 30 123456",
        "0049-30-123456",
        "bob@example.com",
    ];
    let texts: Vec<String> = texts.map(str::to_owned).into();
    let redacted: Vec<String> = redact(&texts, None).into_iter().map(|it| it.text).collect();
    assert_eq!(
        redacted,
        [
            "[EMAIL_1]",
            "mail [EMAIL_1]",
            "[PHONE_1]",
            "[PHONE_1]",
            "[EMAIL_2]"
        ]
    );
}

#[test]
fn restores_what_it_took_and_nothing_else() {
    let taken = one("I am ana@example.com, ref [EMAIL_2] and [CARD_9]", None);
    assert_eq!(taken.text, "I am [EMAIL_1], ref [TEXT_1] and [TEXT_2]");
    for (text, want) in [
        ("Dear [EMAIL_1]!", "Dear ana@example.com!"),
        ("[EMAIL_1] [EMAIL_1]", "ana@example.com ana@example.com"),
        ("so [TEXT_1]", "so [EMAIL_2]"),
        ("unknown [PHONE_3] goes", "unknown  goes"),
        ("[email_1]", ""),
        ("nothing", "nothing"),
    ] {
        assert_eq!(restore(text, &taken.replacements), want);
    }
}

#[test]
fn a_text_past_the_bound_is_cut_and_not_passed_on() {
    let long = format!("{} ana@example.com", "ä".repeat(crate::MAX_TEXT));
    let redaction = one(&long, None);
    assert!(redaction.text.len() <= crate::MAX_TEXT);
    assert!(!redaction.text.contains('@'));
}

#[test]
fn says_nothing_of_the_value_when_printed() {
    let redaction = one("ana@example.com", None);
    assert_eq!(
        format!("{:?}", redaction.replacements),
        "[[EMAIL_1] = [redacted]]"
    );
}

proptest! {
    #[test]
    fn restoring_gives_the_text_back(text in "\\PC{0,200}") {
        let redaction = one(&text, Some("US"));
        // A value that stands in two forms comes back in the first, so one that has only one is asked for.
        let is_plain = redaction.replacements.iter().all(|it| redaction.text.matches(&it.placeholder).count() == 1);
        if is_plain {
            prop_assert_eq!(restore(&redaction.text, &redaction.replacements), text);
        }
    }

    #[test]
    fn takes_out_all_that_is_planted(
        before in "[a-zA-Z ,.!?]{0,20}",
        after in "[a-zA-Z ,.!?]{0,20}",
        which in 0..FOUND.len(),
    ) {
        let (_, region, text, value) = FOUND[which];
        // Its own words stay around it: some values are told by them.
        let whole = format!("{before} \n{text}\n {after}");
        prop_assert!(!one(&whole, region).text.contains(value), "{}", whole);
    }

    #[test]
    fn never_panics(text in any::<String>(), region in "[A-Za-z]{0,3}") {
        prop_assert_eq!(redact(&[text], Some(&region)).len(), 1);
    }

    #[test]
    fn takes_every_long_number(digits in "[1-9][0-9]{8,29}", sign in "[ .-]?") {
        let text: Vec<String> = digits.chars().map(String::from).collect();
        let redacted = one(&text.join(&sign), None).text;
        prop_assert!(redacted.starts_with('[') && redacted.ends_with(']'), "{}", redacted);
    }
}
