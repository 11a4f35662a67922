//! Nothing that says who somebody is reaches the model.

use anyhow::{Context, Result};
use harness::{Model, Says, eventually};

use super::{deliver, start};

/// How the same thing is said in five languages, around what is planted.
const SAYS: [&str; 5] = [
    "Hello, I have a question about my order. Please note {}. Thank you!",
    "Hola, tengo una pregunta sobre mi pedido. Anote por favor {}. ¡Gracias!",
    "Olá, tenho uma pergunta sobre o meu pedido. Anote por favor {}. Obrigado!",
    "Hallo, ich habe eine Frage zu meiner Bestellung. Bitte notieren: {}. Danke!",
    "Bonjour, j'ai une question sur ma commande. Veuillez noter {}. Merci !",
];
/// Of each class in each language.
const EACH: u32 = 5;
/// Delivered before they are waited for.
const BATCH: usize = 50;

/// The classes, with a value that no other number has.
fn plants(number: u32) -> [String; 8] {
    [
        format!("person{number:03}.smith@mail{number:03}.example"),
        format!("+49 151 2{number:03} {:04}", 4_000 + number),
        card(number),
        iban(number),
        cpf(number),
        format!("sk-live-a9{number:03}Zx8Cv7Bn6Mq5Lw4Ke3Jr2Ht1{number:03}"),
        format!("https://user{number:03}:secret{number:03}@shop{number:03}.example/order"),
        format!("00 44 7700 900{number:03}"),
    ]
}

/// Sixteen digits with the check digit of Luhn.
fn card(number: u32) -> String {
    let digits: Vec<u32> = format!("411111111{number:06}")
        .chars()
        .filter_map(|c| c.to_digit(10))
        .collect();
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match place % 2 {
            0 if digit * 2 > 9 => digit * 2 - 9,
            0 => digit * 2,
            _ => *digit,
        })
        .sum();
    let whole: String = digits.iter().map(u32::to_string).collect();
    format!("{whole}{}", (10 - sum % 10) % 10)
}

/// A German account, with the check digits of ISO 7064.
fn iban(number: u32) -> String {
    let account = format!("37040044{number:010}");
    let rest = format!("{account}131400")
        .chars()
        .filter_map(|c| c.to_digit(10))
        .fold(0_u64, |rest, digit| (rest * 10 + u64::from(digit)) % 97);
    format!("DE{:02}{account}", 98 - rest)
}

/// A Brazilian number of a person, with its two check digits.
fn cpf(number: u32) -> String {
    let mut digits: Vec<u32> = format!("529{number:06}")
        .chars()
        .filter_map(|c| c.to_digit(10))
        .collect();
    for length in [9, 10] {
        let sum: u32 = (2..)
            .zip(digits.iter().rev())
            .map(|(weight, digit)| weight * digit)
            .sum();
        assert_eq!(digits.len(), length);
        digits.push((sum * 10 % 11) % 10);
    }
    let text: String = digits.iter().map(u32::to_string).collect();
    format!(
        "{}.{}.{}-{}",
        &text[..3],
        &text[3..6],
        &text[6..9],
        &text[9..]
    )
}

#[tokio::test]
async fn no_planted_value_of_any_class_leaves_in_five_languages() -> Result<()> {
    let model = Model::start(&[Says::Form(Model::form())]).await?;
    let app = start(&model, &[("llm_concurrency", "16")]).await?;
    let mut planted = Vec::new();
    let mut texts = Vec::new();
    for (language, says) in SAYS.iter().enumerate() {
        for each in 0..EACH {
            let number = u32::try_from(language)? * EACH + each + 1;
            for plant in plants(number) {
                texts.push(says.replace("{}", &plant));
                planted.push(plant);
            }
        }
    }
    assert_eq!(texts.len(), 200);
    for (batch, some) in texts.chunks(BATCH).enumerate() {
        for (place, text) in some.iter().enumerate() {
            let number = u32::try_from(batch * BATCH + place)?;
            deliver(&app, number, text).await?;
        }
        eventually("each is understood", async || {
            let jobs = app.list("/v1/outbox?kind=understand&state=done").await?;
            Ok((jobs.len() >= batch * BATCH + some.len()).then_some(()))
        })
        .await?;
    }
    let log = model.got().join("\n");
    // What is the same without its personal data is asked once.
    assert!(model.got().len() >= SAYS.len(), "{}", model.got().len());
    let plain = |text: &str| {
        text.chars()
            .filter(|c| c.is_alphanumeric())
            .collect::<String>()
    };
    let compact = plain(&log);
    let leaked: Vec<&String> = planted
        .iter()
        .filter(|plant| log.contains(plant.as_str()) || compact.contains(&plain(plant)))
        .collect();
    assert!(
        leaked.is_empty(),
        "{} of 200 reached the model: {leaked:?}",
        leaked.len()
    );
    let summary = app.list("/v1/conversations").await?;
    assert_eq!(summary.len(), 200);
    model.got().first().context("asked")?;
    Ok(())
}
