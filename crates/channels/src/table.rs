//! What the channels say of themselves, as Markdown for `docs/channels.md`.

use std::fmt::Write as _;

use chatly_channel::{AfterWindow, Description, RateScope, TextUnit, Window};

use crate::ALL;

/// The generated part of `docs/channels.md`: limits, windows and rates, then events and contents.
pub fn table() -> String {
    let all: Vec<Description> = ALL.iter().map(|plugin| (plugin.describe)()).collect();
    let mut text = String::new();
    let mut line = |cells: &[String]| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    };
    let cells = |cells: &[&str]| cells.iter().map(ToString::to_string).collect::<Vec<_>>();
    line(&cells(&[
        "channel",
        "text",
        "caption",
        "buttons",
        "button title",
        "list rows",
        "row title",
        "row description",
        "quick replies",
        "webhook body",
    ]));
    line(&cells(&["---"; 10]));
    for it in &all {
        let limits = &it.limits;
        let unit = match limits.text_unit {
            TextUnit::Characters => "characters",
            TextUnit::Bytes => "bytes",
            TextUnit::Utf16Units => "UTF-16 units",
        };
        let text = limits
            .text
            .map_or("–".to_owned(), |most| format!("{most} {unit}"));
        let more = [
            limits.caption,
            limits.buttons,
            limits.button_title,
            limits.list_rows,
            limits.row_title,
            limits.row_description,
            limits.quick_replies,
            Some(limits.webhook_body_bytes),
        ];
        let more = more.map(|most| most.map_or("–".to_owned(), |most| most.to_string()));
        line(&[vec![it.label.clone(), text], more.to_vec()].concat());
    }
    let _ = writeln!(text);
    let mut line = |cells: &[String]| {
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    };
    line(&cells(&[
        "channel",
        "route names the account",
        "window",
        "rates",
    ]));
    line(&cells(&["---"; 4]));
    for it in &all {
        let route = if it.account_in_route { "yes" } else { "no" };
        let rates: Vec<String> = it.rates.iter().map(rate).collect();
        line(&[
            it.label.clone(),
            route.to_owned(),
            it.window.as_ref().map_or("none".to_owned(), window),
            rates.join(", "),
        ]);
    }
    let _ = writeln!(text);
    let mut line = |cells: &[String]| {
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    };
    line(&cells(&["channel", "gives", "sends"]));
    line(&cells(&["---"; 3]));
    for it in &all {
        line(&[it.label.clone(), code(&it.kinds), code(&it.sends)]);
    }
    text
}

fn code(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(" ")
}

fn window(window: &Window) -> String {
    let after = match &window.after {
        AfterWindow::Refuse => "then nothing".to_owned(),
        AfterWindow::Template => "then templates".to_owned(),
        AfterWindow::Tag(tag, secs) => format!("then `{tag}` for {}", hours(*secs)),
    };
    format!("{}, {after}", hours(window.secs))
}

fn hours(secs: u64) -> String {
    match secs / 3600 {
        hours if hours >= 48 && hours % 24 == 0 => format!("{} days", hours / 24),
        hours => format!("{hours} h"),
    }
}

fn rate(rate: &chatly_channel::Rate) -> String {
    let scope = match rate.scope {
        RateScope::Account => "account",
        RateScope::Pair => "pair",
        RateScope::Chat => "chat",
    };
    let time = match rate.per_ms {
        1000 => "s".to_owned(),
        60_000 => "min".to_owned(),
        3_600_000 => "h".to_owned(),
        86_400_000 => "day".to_owned(),
        ms => format!("{} s", ms as f64 / 1000.0),
    };
    let article = if scope == "account" { "an" } else { "a" };
    format!("{}/{time} {article} {scope}", rate.count)
}
