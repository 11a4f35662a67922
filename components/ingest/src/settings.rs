//! The variables of this component. They do not change while it runs, so an instance reads them
//! once; a failure is not remembered.

use std::cell::RefCell;
use std::rc::Rc;

use anyhow::Context;
use chatly_accounts::{Book, Sources};
use spin_sdk::variables;

use crate::bindings::chatly::channel::channel;
use crate::refuse::Refusal;

/// What the operator decided for this channel.
pub struct Settings {
    pub channel: String,
    pub public_base_url: String,
    pub book: Book,
    /// The payload names no account, so the route must.
    pub account_in_route: bool,
}

thread_local! {
    static SETTINGS: RefCell<Option<Rc<Settings>>> = const { RefCell::new(None) };
}

pub async fn load() -> Result<Rc<Settings>, Refusal> {
    if let Some(settings) = SETTINGS.with_borrow(Option::clone) {
        return Ok(settings);
    }
    let settings = match read().await {
        Ok(settings) => Rc::new(settings),
        Err(error) => {
            // The chain names variables and places in them, never a value.
            eprintln!("error: settings cannot be used: {error:#}");
            return Err(Refusal::NotConfigured);
        }
    };
    SETTINGS.set(Some(settings.clone()));
    Ok(settings)
}

async fn read() -> anyhow::Result<Settings> {
    let name = variable("channel").await?;
    anyhow::ensure!(!name.trim().is_empty(), "the variable channel is not set");
    let book = Book::read(Sources {
        channel: name.trim(),
        secrets: &variable("secrets").await?,
        verify_tokens: &variable("verify_tokens").await?,
        platform_client_id: &variable("platform_client_id").await?,
        accounts: &variable("accounts").await?,
    })?;
    let public_base_url = variable("public_base_url").await?;
    Ok(Settings {
        channel: name.trim().to_owned(),
        public_base_url,
        book,
        account_in_route: channel::describe().account_in_route,
    })
}

/// A variable; one that the manifest does not give is blank, and blank opens nothing.
async fn variable(name: &'static str) -> anyhow::Result<String> {
    match variables::get(name).await {
        Ok(value) => Ok(value),
        Err(variables::Error::Undefined(_)) => Ok(String::new()),
        // The provider's words may hold what it looked up, so they are not passed on.
        Err(_) => Err(anyhow::anyhow!("the variable provider failed")).context(name),
    }
}
