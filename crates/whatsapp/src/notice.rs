//! Everything that is no message: statuses, consent, identities, calls.

use chatly_canonical::{
    Call, DeliveryState, ErrorDetail, Identity, IdentityChange, Opt, Status, Target,
};
use chatly_channel::json::{Json, Object};

use crate::party::{CONTACT, FROM, identities, identity, sorted};

/// The state that a status names; none for a word that is no state.
pub(crate) fn state(word: &str) -> Option<DeliveryState> {
    Some(match word {
        "accepted" => DeliveryState::Accepted,
        "sent" => DeliveryState::Sent,
        "delivered" => DeliveryState::Delivered,
        "read" => DeliveryState::Read,
        "played" => DeliveryState::Played,
        "failed" => DeliveryState::Failed,
        "deleted" => DeliveryState::Deleted,
        _ => return None,
    })
}

/// Where the platform gives back what was sent along with a message.
const REFERENCE: &str = "biz_opaque_callback_data";

/// A step of a message that we sent.
pub(crate) fn status(item: &Object, id: &str, state: DeliveryState) -> Status {
    let error = item
        .list("errors")
        .first()
        .and_then(|error| error.object())
        .map(|error| self::error(&error));
    Status {
        target: Target::MessageId(id.to_owned()),
        state,
        error,
        reference: item.id(REFERENCE),
    }
}

/// Whether a status says more than its event holds.
pub(crate) fn status_has_more(item: &Object) -> bool {
    let errors_are_held = item.list("errors").len() <= 1;
    let reference_is_held = item.get(REFERENCE).is_none() || item.id(REFERENCE).is_some();
    !(errors_are_held
        && reference_is_held
        && item.has_only(&[
            "id",
            "status",
            "timestamp",
            "recipient_id",
            "recipient_user_id",
            "recipient_parent_user_id",
            "recipient_type",
            "recipient_participant_id",
            "recipient_participant_user_id",
            "recipient_participant_parent_user_id",
            "errors",
            REFERENCE,
        ]))
}

/// An item of `errors[]`.
pub(crate) fn error(error: &Object) -> ErrorDetail {
    ErrorDetail {
        code: error.id("code"),
        title: error.string("title").or_else(|| error.string("message")),
        detail: error
            .object("error_data")
            .and_then(|data| data.string("details")),
    }
}

/// An item of `user_preferences[]`: `stop` takes consent back, anything else that is known gives it.
pub(crate) fn preference(item: &Object) -> Option<Opt> {
    let action = item.string("value")?;
    let granted = match action.as_str() {
        "stop" => Some(false),
        "resume" | "signup" => Some(true),
        _ => None,
    };
    Some(Opt {
        action,
        granted,
        topic: item.string("category"),
        payload: item.id("signup_id"),
    })
}

/// An item of `user_id_update[]`: the only notice that surely links an old BSUID to a new one. A
/// phone that is named beside them stays the person's, so it is among the current ones.
pub(crate) fn user_id_update(item: &Object) -> Option<IdentityChange> {
    let side = |name: &str| {
        let id = |field: &str, parent: bool| Some(identity(&item.object(field)?.id(name)?, parent));
        [id("user_id", false), id("parent_user_id", true)]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
    };
    let mut current = side("current");
    current.extend(item.id("wa_id").map(|id| identity(&id, false)));
    let change = IdentityChange {
        previous: sorted(side("previous")),
        current: sorted(current),
        detail: item.string("detail"),
    };
    (!change.previous.is_empty() || !change.current.is_empty()).then_some(change)
}

/// A system message about ids that changed; none when it is about something else. What `from`
/// names is the old number after `user_changed_number`, and still valid otherwise.
pub(crate) fn user_changed(item: &Object, system: &Object) -> Option<IdentityChange> {
    let number_changed = match system.string("type")?.as_str() {
        "user_changed_number" | "customer_changed_number" => true,
        "user_changed_user_id" => false,
        _ => return None,
    };
    let named = |fields: &[&str]| {
        fields
            .iter()
            .filter_map(|name| system.id(name))
            .collect::<Vec<_>>()
    };
    let ids = |values: Vec<String>| {
        values
            .into_iter()
            .map(|id| identity(&id, false))
            .collect::<Vec<Identity>>()
    };
    let mut current = identities(system, &CONTACT);
    current.extend(ids(named(&["new_wa_id"])));
    let mut previous = ids(named(&["previous_user_id"]));
    let from = identities(item, &FROM);
    if number_changed {
        previous.extend(ids(named(&["customer"])));
        previous.extend(
            from.into_iter()
                .filter(|identity| !current.contains(identity)),
        );
    } else {
        current.extend(
            from.into_iter()
                .filter(|identity| !previous.contains(identity)),
        );
    }
    let (previous, current) = (sorted(previous), sorted(current));
    (!previous.is_empty() || !current.is_empty()).then(|| IdentityChange {
        previous,
        current,
        detail: system.string("body"),
    })
}

/// An item of `calls[]`, or of `statuses[]` with `type: call`: `event` and `status` are its steps.
pub(crate) fn call(item: &Object) -> Option<Call> {
    Some(Call {
        id: item.id("id")?,
        action: item.string("event").or_else(|| item.string("status"))?,
        direction: item.string("direction"),
        status: item.string("status"),
        duration_secs: item.get("duration").and_then(Json::integer),
    })
}
