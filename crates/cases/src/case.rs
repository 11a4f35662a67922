//! One case: a file with a delivery and its events.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use chatly_canonical::Event;
use chatly_channel::{Channel, Delivery, Header};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::lines;

/// A golden case.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The file's name without its end.
    #[serde(skip)]
    pub name: String,
    #[serde(skip)]
    path: PathBuf,
    /// Where the platform documents this body: the title of the page.
    pub doc: String,
    /// The account that the route names.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub account: Option<String>,
    /// `content-type` of the delivery, when it is not `application/json`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub content_type: Option<String>,
    /// More headers of the delivery that carry content, signatures aside.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub headers: Vec<(String, String)>,
    /// Cannot share a body with others.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub alone: bool,
    /// The body, where it is JSON: its text is kept as it stands.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    body: Option<Box<RawValue>>,
    /// The body, where it is not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    body_text: Option<String>,
    /// The canonical events.
    pub events: Vec<Value>,
}

/// All cases of a folder, by name.
pub fn load(folder: &Path) -> Result<Vec<Case>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("{}", folder.display()))?;
    let mut cases = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let text = std::fs::read_to_string(&path)?;
        let case: Case =
            serde_json::from_str(&text).with_context(|| format!("{}", path.display()))?;
        ensure!(
            case.body.is_some() != case.body_text.is_some(),
            "{}: write body or body_text",
            path.display()
        );
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        cases.push(Case {
            name: name.into_owned(),
            path: path.clone(),
            ..case
        });
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(cases)
}

impl Case {
    /// The body as JSON, when it is.
    pub fn body(&self) -> Option<Value> {
        serde_json::from_str(self.body.as_ref()?.get()).ok()
    }

    /// The body, when it is a form.
    pub(crate) fn form(&self) -> Option<&str> {
        self.body_text
            .as_deref()
            .filter(|_| self.content_type.as_deref() == Some("application/x-www-form-urlencoded"))
    }

    /// The delivery, without a signature.
    pub fn delivery(&self) -> Delivery {
        let body = match (&self.body, &self.body_text) {
            (Some(json), _) => json.get(),
            (None, text) => text.as_deref().unwrap_or_default(),
        };
        let content_type = self.content_type.as_deref().unwrap_or("application/json");
        let more = self
            .headers
            .iter()
            .map(|(name, value)| Header::new(name, value));
        Delivery {
            method: "POST".to_owned(),
            url: "https://chat.example.org/webhooks".to_owned(),
            headers: [Header::new("content-type", content_type)]
                .into_iter()
                .chain(more)
                .collect(),
            body: body.as_bytes().to_vec(),
        }
    }

    /// Writes what the plugin gives as what it should give.
    pub(crate) fn bless<C: Channel>(self) -> Result<Case> {
        let events = to_json(&C::parse(&self.delivery(), self.account.as_deref()));
        let case = Case { events, ..self };
        std::fs::write(&case.path, serde_json::to_string_pretty(&case)? + "\n")?;
        Ok(case)
    }

    /// The delivery gives the events, and again.
    pub(crate) fn check<C: Channel>(&self) -> Result<()> {
        let parse = || to_json(&C::parse(&self.delivery(), self.account.as_deref()));
        let events = parse();
        ensure!(parse() == events, "two calls differ");
        ensure!(
            events == self.events,
            "gives {}\nnot {}\nBLESS=1 rewrites it",
            lines(&events),
            lines(&self.events)
        );
        Ok(())
    }
}

/// Events as the command line prints them.
pub(crate) fn to_json(events: &[Event]) -> Vec<Value> {
    events
        .iter()
        .map(|event| serde_json::to_value(event).unwrap_or_default())
        .collect()
}
