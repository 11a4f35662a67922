//! What version 9 adds: costs of models, remembered answers, the history of leads.

/// The statements of version 9, in order.
pub(crate) fn statements() -> impl Iterator<Item = &'static str> {
    let parts = [
        crate::spend::SCHEMA,
        crate::answers::SCHEMA,
        crate::lead_history::SCHEMA,
        OWN,
    ];
    parts.into_iter().flatten().copied()
}

const OWN: &[&str] = &[
    "ALTER TABLE external_calls ADD COLUMN details TEXT",
    "PRAGMA user_version=9",
];
