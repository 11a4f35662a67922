//! The golden cases in `tests/cases/standard`.

use chatly_cases::Suite;
use chatly_standard::Standard;

#[test]
fn every_case_gives_its_events_in_every_disguise() {
    Suite {
        channel: "standard",
        join: None,
        strangers: vec![],
        timestamps: &["timestamp"],
    }
    .run::<Standard>()
    .unwrap();
}
