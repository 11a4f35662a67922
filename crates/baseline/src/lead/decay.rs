//! How much of what was done long ago still counts: half after each half-life, and what lies between by
//! the same law. Whole numbers alone, so every build says the same.

/// One, in the fixed point of [`factor`].
const ONE: u64 = 1 << 32;

/// 2 to the power of −1/2, −1/4, −1/8, … in that fixed point, rounded down.
const ROOTS: [u64; 16] = [
    3_037_000_499,
    3_611_622_602,
    3_938_502_375,
    4_112_874_773,
    4_202_935_003,
    4_248_701_964,
    4_271_771_996,
    4_283_353_945,
    4_289_156_690,
    4_292_061_009,
    4_293_513_906,
    4_294_240_539,
    4_294_603_902,
    4_294_785_595,
    4_294_876_444,
    4_294_921_870,
];

/// Milliseconds of an hour.
const HOUR_MS: u64 = 3_600_000;

/// `points` of `age_ms` ago, rounded down. A half-life of 0 hours is none: nothing fades.
pub(super) fn faded(points: i32, age_ms: u64, half_life_hours: u32) -> i32 {
    let whole = u64::try_from(points).unwrap_or_default();
    let left = (whole * factor(age_ms, half_life_hours)) >> 32;
    i32::try_from(left).unwrap_or_default()
}

/// What is left of one. Falls as the age grows.
fn factor(age_ms: u64, half_life_hours: u32) -> u64 {
    if half_life_hours == 0 {
        return ONE;
    }
    let half_life = u64::from(half_life_hours) * HOUR_MS;
    let (halvings, rest) = (age_ms / half_life, age_ms % half_life);
    if halvings >= 32 {
        return 0;
    }
    // The rest as a part of the half-life, in 65 536ths; a half-life is far below 2^48 ms.
    let part = (rest << 16) / half_life;
    let between = ROOTS.iter().enumerate().fold(ONE, |left, (bit, root)| {
        if part >> (15 - bit) & 1 == 1 {
            (left * root) >> 32
        } else {
            left
        }
    });
    between >> halvings
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WEEK: u32 = 168;

    #[test]
    fn half_is_left_after_a_half_life() {
        for (name, hours, half_life, want) in [
            ("at once", 0, WEEK, 1000),
            ("half a half-life", 84, WEEK, 707),
            ("one", 168, WEEK, 500),
            ("two", 336, WEEK, 250),
            ("ten", 1680, WEEK, 0),
            ("none", 1_000_000, 0, 1000),
            ("an hour", 1, 1, 500),
        ] {
            assert_eq!(faded(1000, hours * HOUR_MS, half_life), want, "{name}");
        }
        assert_eq!(faded(100, u64::MAX, 1), 0);
        assert_eq!(faded(100, u64::MAX, u32::MAX), 0);
    }

    #[test]
    fn each_root_is_that_of_the_one_before() {
        let mut square = ONE as f64 / 2.0;
        for root in ROOTS {
            let want = (square * ONE as f64).sqrt();
            assert!((root as f64 - want).abs() < 2.0, "{root} {want}");
            square = root as f64;
        }
    }

    proptest! {
        #[test]
        fn less_is_left_of_what_is_older(age in 0..10_000_000_000_u64, more in 0..1_000_000_000_u64, half_life in 0..2_000_u32, points in 0..200) {
            let (young, old) = (faded(points, age, half_life), faded(points, age + more, half_life));
            prop_assert!((0..=points).contains(&young) && old <= young);
        }
    }
}
