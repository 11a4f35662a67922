//! The golden cases in `tests/cases/slack`.

use chatly_cases::Suite;
use chatly_slack::Slack;

#[test]
fn every_case_gives_its_events_in_every_disguise() {
    Suite {
        channel: "slack",
        join: None,
        strangers: vec![],
        timestamps: &["event_time", "minute_rate_limited"],
    }
    .run::<Slack>()
    .unwrap();
}
