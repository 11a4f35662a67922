//! Digits that are an ordinary part of a sentence: dates, times of day and amounts.

/// `2026-11-25`, `25.11.2026`, `11/25/26`.
pub(crate) fn is_date(word: &str) -> bool {
    let parts: Vec<&str> = word
        .trim_matches(|c: char| !c.is_ascii_digit())
        .split(['-', '.', '/'])
        .collect();
    let number = |text: &&str| text.parse::<u32>().ok();
    let Some(&[first, second, third]) = parts
        .iter()
        .map(number)
        .collect::<Option<Vec<u32>>>()
        .as_deref()
        .and_then(|p| p.first_chunk::<3>())
    else {
        return false;
    };
    let year = |n: u32| (1900..=2100).contains(&n);
    let day_month =
        |a: u32, b: u32| (1..=31).contains(&a) && (1..=31).contains(&b) && a.min(b) <= 12;
    parts.len() == 3
        && ((year(first) && day_month(second, third))
            || ((year(third) || third <= 99) && day_month(first, second)))
}

/// `14:00`, `9:00-18:30`, `9:00:05`: times of day, two of them at most.
pub(crate) fn is_time(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_ascii_digit());
    let times: Vec<&str> = word.split(['-', '–', '/']).collect();
    times.len() <= 2 && times.into_iter().all(is_clock)
}

fn is_clock(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let below = |part: &&str, most: u32| {
        let short = (1..=2).contains(&part.len());
        short && part.parse::<u32>().is_ok_and(|number| number < most)
    };
    match parts.as_slice() {
        [hour, minute] => below(hour, 24) && below(minute, 60),
        [hour, minute, second] => below(hour, 24) && below(minute, 60) && below(second, 60),
        _ => false,
    }
}

/// `12.500,00`, `1,250,000.00`, `10 000` is two words and none: groups of three with a fraction of two
/// digits, or one to two groups of three, below a hundred million. Longer ones may be anybody's number.
pub(crate) fn is_amount(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_ascii_digit());
    let (whole, fraction) = match word.rsplit_once(['.', ',']) {
        Some((whole, fraction)) if fraction.len() == 2 => (whole, fraction),
        _ => (word, ""),
    };
    // The mark between groups is another one than that before the fraction.
    let mark = word.strip_prefix(whole).and_then(|it| it.chars().next());
    if mark.is_some_and(|mark| whole.contains(mark)) {
        return false;
    }
    let mut groups = whole.split(['.', ',', '\'', '’']);
    let first = groups.next().unwrap_or_default();
    let rest: Vec<&str> = groups.collect();
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    (1..=3).contains(&first.len())
        && digits(first)
        && digits(fraction)
        && rest.iter().all(|group| group.len() == 3 && digits(group))
        && !rest.is_empty()
        && first.len() + 3 * rest.len() <= 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_times_and_amounts_are_told_from_numbers() {
        for (word, want) in [
            ("2026-11-25", "date"),
            ("(25.11.2026)", "date"),
            ("11/25/26,", "date"),
            ("2026-31-31", ""),
            ("9:00-18:30", "time"),
            ("14:00:59.", "time"),
            ("24:00", ""),
            ("6:50:55:51", ""),
            ("12.500,00", "amount"),
            ("1,250,000", "amount"),
            ("€1.250.000,50", "amount"),
            ("612.345.678", ""),
            ("650,555,12", ""),
            ("5551234", ""),
            ("06,12,34,56,78", ""),
            ("", ""),
        ] {
            let got = match word {
                _ if is_date(word) => "date",
                _ if is_time(word) => "time",
                _ if is_amount(word) => "amount",
                _ => "",
            };
            assert_eq!(got, want, "{word}");
        }
    }
}
