//! The variables of this component. They do not change while it runs, so an instance reads them
//! once; a failure is not remembered.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context;
use chatly_accounts::{Book, Secret, Sources};
use chatly_canonical::Convert;
use chatly_channel::Window;
use chatly_channel::outbound::Sender;
use chatly_send::digest;
use spin_sdk::variables;

use crate::bindings::chatly::channel::channel;
use crate::bindings::chatly::store::rows::Health;
use crate::bindings::chatly::store::store::{self, Pace};

/// Platforms answer within a second or two; one that fetches a linked medium first takes several.
const TIMEOUT_MS: u64 = 20_000;
/// What a timeout can be: long enough for a platform, and at most what a host waits for.
const TIMEOUTS_MS: std::ops::RangeInclusive<u64> = 100..=120_000;

/// What the operator decided for this channel.
pub struct Settings {
    /// The channel's name.
    pub channel: String,
    /// The time from a request's first step to the end of its answer.
    pub timeout: Duration,
    /// The platform's window.
    pub window: Option<Window>,
    /// The platform's limits.
    pub paces: Vec<Pace>,
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
            if let Err(error) = settings.resume().await {
                eprintln!("warn: stopped accounts not looked at: error={error:?}");
                return None;
            }
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
    /// A lease is taken for one request and what is written after it, with as much again for a slow
    /// store; further requests of the same job extend it.
    pub fn lease_ms(&self) -> u32 {
        let millis = self.timeout.as_millis().saturating_mul(2);
        u32::try_from(millis).unwrap_or(u32::MAX)
    }

    /// Lets go on what was stopped with a token that is not in use any more. Nothing else would: the
    /// jobs of a stopped account are not due.
    async fn resume(&self) -> Result<(), store::Error> {
        for account in store::list_accounts(None, Some(self.channel.clone())).await? {
            if account.health != Health::Stopped {
                // Stopped ones come first.
                return Ok(());
            }
            let (_, token) = self.sender(&account.account);
            if account.token_digest != Some(digest(token)) {
                let (tenant, name) = (account.platform_client_id, account.account);
                store::resume_account(tenant, self.channel.clone(), name).await?;
            }
        }
        Ok(())
    }

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
    let description = channel::describe();
    let timeout_ms = timeout_ms(variable("timeout_ms").await?.trim())?;
    let base_url = variable("base_url").await?.trim().to_owned();
    let base_url = match base_url.is_empty() {
        true => description.base_url,
        false => base_url,
    };
    Ok(Settings {
        channel,
        timeout: Duration::from_millis(timeout_ms),
        window: description.window.map(Convert::convert),
        paces: description
            .rates
            .into_iter()
            .map(Convert::convert)
            .collect(),
        tokens: chatly_accounts::list(&variable("access_tokens").await?),
        base_url,
        book,
    })
}

fn timeout_ms(text: &str) -> anyhow::Result<u64> {
    if text.is_empty() {
        return Ok(TIMEOUT_MS);
    }
    let millis = text.parse().ok();
    millis
        .filter(|millis| TIMEOUTS_MS.contains(millis))
        .with_context(|| {
            let (least, most) = (TIMEOUTS_MS.start(), TIMEOUTS_MS.end());
            format!("the variable timeout_ms is not a number from {least} to {most}")
        })
}

/// A variable; blank when the manifest does not give it.
pub(crate) async fn variable(name: &'static str) -> anyhow::Result<String> {
    match variables::get(name).await {
        Ok(value) => Ok(value),
        Err(variables::Error::Undefined(_)) => Ok(String::new()),
        // The provider's words may hold what it looked up, so they are not passed on.
        Err(_) => Err(anyhow::anyhow!("the variable provider failed")).context(name),
    }
}
