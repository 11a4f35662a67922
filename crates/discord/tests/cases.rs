//! The golden cases in `tests/cases/discord`.

use chatly_cases::Suite;
use chatly_discord::Discord;

#[test]
fn every_case_gives_its_events_in_every_disguise() {
    Suite {
        channel: "discord",
        join: None,
        strangers: vec![],
        timestamps: &[],
    }
    .run::<Discord>()
    .unwrap();
}
