//! The facts that a condition can ask about: names, types and bounds. `docs/rules.md` describes
//! them for people; a test holds the two together.

/// The type of a fact, with the bound on its size.
#[derive(Debug, PartialEq)]
pub enum Kind {
    Bool,
    Int,
    Double,
    /// Cut at so many characters.
    Text(usize),
    /// Cut at [`MAX_ITEMS`].
    List(&'static Kind),
    Object(&'static [Field]),
    /// Names that the tenant chose, with values of any type.
    Attributes,
}

/// One fact of an object.
#[derive(Debug, PartialEq)]
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
}

/// Most items of a list and most attributes; the rest is cut off.
pub const MAX_ITEMS: usize = 100;

/// Longest `message.text`, in characters: twice what WhatsApp lets through.
pub const MAX_MESSAGE_CHARS: usize = 8192;

/// Longest of all other texts, in characters.
pub const MAX_TEXT_CHARS: usize = 512;

/// Longest `enrichment.suggested_reply`, in characters: a whole reply.
pub const MAX_SUGGESTION_CHARS: usize = 4096;

const TEXT: Kind = Kind::Text(MAX_TEXT_CHARS);
const TEXTS: Kind = Kind::List(&TEXT);

const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind }
}

const EVENT: &[Field] = &[
    field("kind", TEXT),
    field("channel", TEXT),
    field("account", TEXT),
    field("at", Kind::Int),
    field("standby", Kind::Bool),
];

const REFERRAL: &[Field] = &[
    field("source", TEXT),
    field("id", TEXT),
    field("ref", TEXT),
    field("url", TEXT),
    field("headline", TEXT),
    field("body", TEXT),
    field("click_id", TEXT),
];

const MESSAGE: &[Field] = &[
    field("id", TEXT),
    field("type", TEXT),
    field("text", Kind::Text(MAX_MESSAGE_CHARS)),
    field("reply_id", TEXT),
    field("reply_title", TEXT),
    field("reply_to", TEXT),
    field("media", Kind::Int),
    field("forwarded", Kind::Bool),
    field("echo", Kind::Bool),
    field("referral", Kind::Object(REFERRAL)),
];

const IDENTITY: Kind = Kind::Object(&[field("scheme", TEXT), field("id", TEXT)]);

const CONTACT: &[Field] = &[
    field("id", TEXT),
    field("name", TEXT),
    field("username", TEXT),
    field("tags", TEXTS),
    field("attributes", Kind::Attributes),
    field("identities", Kind::List(&IDENTITY)),
    field("opt", TEXT),
];

const CONVERSATION: &[Field] = &[
    field("id", TEXT),
    field("status", TEXT),
    field("priority", TEXT),
    field("assignee", TEXT),
    field("tags", TEXTS),
    field("message_count", Kind::Int),
    field("team", TEXT),
    field("handover", TEXT),
    field("muted", Kind::Bool),
    field("last_human_reply_at", Kind::Int),
    field("last_bot_reply_at", Kind::Int),
];

const ENTITY: Kind = Kind::Object(&[
    field("kind", TEXT),
    field("value", TEXT),
    field("normalized", TEXT),
]);

const ENRICHMENT: &[Field] = &[
    field("present", Kind::Bool),
    field("source", TEXT),
    field("language", TEXT),
    field("intent", TEXT),
    field("confidence", Kind::Double),
    field("sentiment", TEXT),
    field("urgency", TEXT),
    field("intents", TEXTS),
    field("entities", Kind::List(&ENTITY)),
    field("topics", TEXTS),
    field("summary", TEXT),
    field("suggested_reply", Kind::Text(MAX_SUGGESTION_CHARS)),
];

const BANT: &[Field] = &[
    field("budget", Kind::Int),
    field("authority", Kind::Int),
    field("need", Kind::Int),
    field("timing", Kind::Int),
];

const LEAD: &[Field] = &[
    field("score", Kind::Int),
    field("fit", Kind::Int),
    field("engagement", Kind::Int),
    field("stage", TEXT),
    field("bant", Kind::Object(BANT)),
];

const TIME: &[Field] = &[
    field("zone", TEXT),
    field("date", TEXT),
    field("weekday", TEXT),
    field("hour", Kind::Int),
    field("minute", Kind::Int),
    field("business_hours", Kind::Bool),
];

/// Every fact.
pub const FACTS: &[Field] = &[
    field("event", Kind::Object(EVENT)),
    field("message", Kind::Object(MESSAGE)),
    field("contact", Kind::Object(CONTACT)),
    field("conversation", Kind::Object(CONVERSATION)),
    field("enrichment", Kind::Object(ENRICHMENT)),
    field("lead", Kind::Object(LEAD)),
    field("time", Kind::Object(TIME)),
    field("now", Kind::Int),
];

/// Every fact by its full name: `contact.name`, `message.referral.source`.
pub fn fact_names() -> Vec<String> {
    let mut names = Vec::new();
    let mut open: Vec<(String, &[Field])> = vec![(String::new(), FACTS)];
    while let Some((outer, fields)) = open.pop() {
        for field in fields {
            match (&field.kind, outer.as_str()) {
                (Kind::Object(inner), "") => open.push((field.name.to_owned(), inner)),
                (Kind::Object(inner), _) => open.push((format!("{outer}.{}", field.name), inner)),
                (_, "") => names.push(field.name.to_owned()),
                _ => names.push(format!("{outer}.{}", field.name)),
            }
        }
    }
    names
}

/// The fact of that name.
pub fn find<'a>(fields: &'a [Field], name: &str) -> Option<&'a Field> {
    fields.iter().find(|field| field.name == name)
}

/// ` (did you mean …?)` where a name of `known` is near `name`, else nothing.
pub fn suggestion<'a>(known: impl Iterator<Item = &'a str>, name: &str) -> String {
    known
        .map(|candidate| (strsim::damerau_levenshtein(candidate, name), candidate))
        .filter(|(distance, _)| *distance <= 1 + name.len() / 4)
        .min()
        .map(|(_, candidate)| format!("; did you mean `{candidate}`?"))
        .unwrap_or_default()
}
