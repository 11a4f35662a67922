//! The golden cases in `tests/cases/viber`.

use chatly_cases::Suite;
use chatly_viber::Viber;

#[test]
fn every_case_gives_its_events_in_every_disguise() {
    Suite {
        channel: "viber",
        join: None,
        strangers: vec![],
        timestamps: &["timestamp"],
    }
    .run::<Viber>()
    .unwrap();
}
