//! The variables of this component. They do not change while it runs, so an instance reads them
//! once; a failure is not remembered.

use std::cell::RefCell;
use std::rc::Rc;

use anyhow::Context;
use chatly_accounts::{Book, Secret, Sources};
use chatly_channel::outbound::Sender;
use spin_sdk::variables;

use crate::bindings::chatly::channel::channel;

/// What the operator decided for this channel.
pub struct Settings {
    /// The channel's name.
    pub channel: String,
    tokens: Vec<Secret>,
    base_url: String,
    book: Book,
}

thread_local! {
    static SETTINGS: RefCell<Option<Rc<Settings>>> = const { RefCell::new(None) };
}

/// The settings; none, with a line in the log, when they cannot be used.
pub async fn load() -> Option<Rc<Settings>> {
    if let Some(settings) = SETTINGS.with_borrow(Option::clone) {
        return Some(settings);
    }
    match read().await {
        Ok(settings) => {
            let settings = Rc::new(settings);
            SETTINGS.set(Some(settings.clone()));
            Some(settings)
        }
        Err(error) => {
            // The chain names variables and places in them, never a value.
            eprintln!("error: settings cannot be used: {error:#}");
            None
        }
    }
}

impl Settings {
    /// Where an account's sends go out from, and with which token: its own where the document gives
    /// one, else the channel's.
    pub fn sender(&self, account: &str) -> (Sender, Option<&Secret>) {
        let own = self.book.account(account);
        let token = own
            .and_then(|own| own.access_token.as_ref())
            .or(self.tokens.first());
        let base_url = own
            .and_then(|own| own.base_url.as_ref())
            .unwrap_or(&self.base_url)
            .clone();
        let account = account.to_owned();
        (Sender { account, base_url }, token)
    }
}

async fn read() -> anyhow::Result<Settings> {
    let channel = variable("channel").await?.trim().to_owned();
    anyhow::ensure!(!channel.is_empty(), "the variable channel is not set");
    let book = Book::read(Sources {
        channel: &channel,
        accounts: &variable("accounts").await?,
        ..Sources::default()
    })?;
    let base_url = variable("base_url").await?.trim().to_owned();
    let base_url = match base_url.is_empty() {
        true => channel::describe().base_url,
        false => base_url,
    };
    Ok(Settings {
        channel,
        tokens: chatly_accounts::list(&variable("access_tokens").await?),
        base_url,
        book,
    })
}

/// A variable; blank when the manifest does not give it.
async fn variable(name: &'static str) -> anyhow::Result<String> {
    match variables::get(name).await {
        Ok(value) => Ok(value),
        Err(variables::Error::Undefined(_)) => Ok(String::new()),
        // The provider's words may hold what it looked up, so they are not passed on.
        Err(_) => Err(anyhow::anyhow!("the variable provider failed")).context(name),
    }
}
