//! Changes that are one notice, about a template or the account.

use chatly_canonical::{Body, Notice};
use chatly_channel::json::Object;

/// A change whose value is one notice; none for a field that is not known to be one.
pub fn notice(field: &str, value: &Object) -> Option<Body> {
    let templates = [
        "message_template_status_update",
        "message_template_quality_update",
        "message_template_components_update",
        "template_category_update",
        "template_correct_category_detection",
    ];
    let accounts = [
        "account_alerts",
        "account_review_update",
        "account_update",
        "account_settings_update",
        "business_capability_update",
        "business_integrity",
        "business_status_update",
        "business_username_update",
        "business_username_updates",
        "flows",
        "partner_solutions",
        "payment_configuration_update",
        "phone_number_name_update",
        "phone_number_quality_update",
        "security",
    ];
    if templates.contains(&field) {
        return Some(Body::Template(Notice {
            action: value.string("event").unwrap_or_else(|| field.to_owned()),
            subject: first(value, &["message_template_name", "message_template_id"]),
            detail: first(
                value,
                &[
                    "reason",
                    "new_quality_score",
                    "new_category",
                    "correct_category",
                ],
            )
            .filter(|reason| reason != "NONE"),
        }));
    }
    accounts.contains(&field).then(|| {
        let alert = value.object("alert_info");
        let alert_text = |name: &str| alert.as_ref().and_then(|alert| alert.string(name));
        Body::Account(Notice {
            action: value
                .string("event")
                .or_else(|| alert_text("alert_type"))
                .unwrap_or_else(|| field.to_owned()),
            subject: first(
                value,
                &[
                    "display_phone_number",
                    "phone_number",
                    "entity_id",
                    "flow_id",
                    "configuration_name",
                    "solution_id",
                    "username",
                ],
            ),
            detail: alert_text("alert_description").or_else(|| {
                first(
                    value,
                    &[
                        "decision",
                        "status",
                        "current_limit",
                        "max_daily_conversations_per_business",
                        "solution_status",
                        "message",
                        "rejection_reason",
                    ],
                )
            }),
        })
    })
}

fn first(value: &Object, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| value.id(name))
}
