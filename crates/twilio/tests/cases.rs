//! The golden cases in `tests/cases/twilio`.

use chatly_cases::Suite;
use chatly_twilio::Twilio;

#[test]
fn every_case_gives_its_events_in_every_disguise() {
    Suite {
        channel: "twilio",
        join: None,
        strangers: vec![],
        timestamps: &[],
    }
    .run::<Twilio>()
    .unwrap();
}
