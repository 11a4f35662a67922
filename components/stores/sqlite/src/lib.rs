//! `store-sqlite`: `chatly:store` on `spin:sqlite`.
//!
//! A thin shell: WIT in, `chatly-sqlite-store` decides, WIT out. It opens the database called
//! `default`, which the component that it is part of must be granted, and reads the host's clock
//! and random numbers.

mod convert;
mod database;

mod bindings {
    #![expect(
        clippy::crate_in_macro_def,
        reason = "the generated macro is for this crate"
    )]
    spin_sdk::wit_bindgen::generate!({
        path: "../../../wit",
        world: "store",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
        pub_export_macro: true,
        default_bindings_module: "crate::bindings",
    });
}

use bindings::chatly::store::effects::Effect;
use bindings::chatly::store::rows::{
    Account, BuriedJob, Change, Contact, Conversation, Endpoint, ExternalCall, JobDetail, Rule,
    StoredJob, StoredMessage,
};
use bindings::chatly::store::understanding::{LeadEntry, Reservation, Reserved, Spent, Usage};
use bindings::exports::chatly::store::store as wit;
use chatly_canonical::Convert;
use chatly_sqlite_store as store;
use database::{ask, moment, run};

struct Sqlite;
bindings::export!(Sqlite);

type Listed<T> = Result<(Vec<T>, Option<String>), wit::Error>;

/// Turns a page of the model into one of the contract.
fn listed<A: Convert<B>, B>((rows, cursor): (Vec<A>, Option<String>)) -> (Vec<B>, Option<String>) {
    (rows.convert(), cursor)
}

impl wit::Guest for Sqlite {
    async fn append(
        delivery: wit::Accepted,
        items: Vec<wit::Item>,
    ) -> Result<wit::Appended, wit::Error> {
        let items: Vec<store::Item> = items.convert();
        ask(async |c| store::append(c, moment()?, delivery.convert(), &items).await).await
    }

    async fn count_refused(channel: String, reason: String) -> Result<(), wit::Error> {
        run(async |c| store::count_refused(c, &channel, &reason).await).await
    }

    async fn lease(kinds: Vec<String>, max: u32, for_ms: u32) -> Result<Vec<wit::Job>, wit::Error> {
        ask(async |c| store::lease(c, moment()?, &kinds, max, for_ms).await).await
    }

    async fn extend(token: String, for_ms: u32) -> Result<(), wit::Error> {
        run(async |c| store::extend(c, moment()?, &token, for_ms).await).await
    }

    async fn commit(token: String, effects: Vec<Effect>) -> Result<wit::Committed, wit::Error> {
        let effects: Vec<store::Effect> = effects.convert();
        ask(async |c| store::commit(c, moment()?, &token, &effects).await).await
    }

    async fn submit(
        platform_client_id: String,
        idempotency_key: Option<String>,
        effects: Vec<Effect>,
    ) -> Result<wit::Committed, wit::Error> {
        let effects: Vec<store::Effect> = effects.convert();
        let key = idempotency_key.as_deref();
        ask(async |c| store::submit(c, moment()?, &platform_client_id, key, &effects).await).await
    }

    async fn mark_sending(
        token: String,
        step: u32,
        gate: wit::Gate,
    ) -> Result<wit::Clearance, wit::Error> {
        let gate: store::Gate = gate.convert();
        ask(async |c| store::mark_sending(c, moment()?, &token, step, &gate).await).await
    }

    async fn advance(
        token: String,
        step: u32,
        for_ms: u32,
        effects: Vec<Effect>,
    ) -> Result<wit::Committed, wit::Error> {
        let effects: Vec<store::Effect> = effects.convert();
        run(async |c| {
            store::advance(c, moment()?, &token, step, for_ms, &effects)
                .await
                .map(Convert::convert)
        })
        .await
    }

    async fn hold_account(token: String, until: u64) -> Result<(), wit::Error> {
        run(async |c| store::hold_account(c, moment()?, &token, until).await).await
    }

    async fn stop_account(
        token: String,
        token_digest: String,
        code: Option<String>,
        reason: String,
    ) -> Result<(), wit::Error> {
        let code = code.as_deref();
        run(async |c| store::stop_account(c, moment()?, &token, &token_digest, code, &reason).await)
            .await
    }

    async fn resume_account(
        tenant: String,
        channel: String,
        account: String,
    ) -> Result<bool, wit::Error> {
        run(async |c| store::resume_account(c, moment()?, &tenant, &channel, &account).await).await
    }

    async fn list_accounts(
        tenant: Option<String>,
        channel: Option<String>,
    ) -> Result<Vec<Account>, wit::Error> {
        ask(async |c| store::list_accounts(c, tenant.as_deref(), channel.as_deref()).await).await
    }

    async fn retry(token: String, at: u64, reason: String) -> Result<(), wit::Error> {
        run(async |c| store::retry(c, moment()?, &token, at, &reason).await).await
    }

    async fn put_off(token: String, at: u64, reason: String) -> Result<(), wit::Error> {
        run(async |c| store::put_off(c, moment()?, &token, at, &reason).await).await
    }

    async fn bury(token: String, reason: String) -> Result<(), wit::Error> {
        run(async |c| store::bury(c, moment()?, &token, &reason).await).await
    }

    async fn replay(kind: String, seq: u64) -> Result<bool, wit::Error> {
        run(async |c| store::replay(c, moment()?, &kind, seq).await).await
    }

    async fn cancel(tenant: Option<String>, seq: u64) -> Result<wit::Cancelled, wit::Error> {
        ask(async |c| store::cancel(c, moment()?, tenant.as_deref(), seq).await).await
    }

    async fn list_buried(
        filter: wit::BuriedFilter,
        max: u32,
    ) -> Result<(u64, Vec<BuriedJob>), wit::Error> {
        let filter = filter.convert();
        run(async |c| {
            store::list_buried(c, &filter, max)
                .await
                .map(|(count, jobs)| (count, jobs.convert()))
        })
        .await
    }

    async fn replay_buried(filter: wit::BuriedFilter, max: u32) -> Result<u64, wit::Error> {
        let filter = filter.convert();
        run(async |c| store::replay_buried(c, moment()?, &filter, max).await).await
    }

    async fn find_next_due(kinds: Vec<String>) -> Result<Option<u64>, wit::Error> {
        run(async |c| store::find_next_due(c, &kinds).await).await
    }

    async fn hold(
        name: String,
        token: Option<String>,
        for_ms: u32,
    ) -> Result<Option<String>, wit::Error> {
        run(async |c| store::hold(c, moment()?, &name, token.as_deref(), for_ms).await).await
    }

    async fn release(name: String, token: String) -> Result<(), wit::Error> {
        run(async |c| store::release(c, &name, &token).await).await
    }

    async fn read_context(token: String, max: u32) -> Result<wit::Context, wit::Error> {
        ask(async |c| store::read_context(c, moment()?, &token, max).await).await
    }

    async fn list_conversations(
        filter: wit::ConversationFilter,
        page: wit::Page,
    ) -> Listed<Conversation> {
        let (filter, page) = (filter.convert(), page.convert());
        run(async |c| {
            store::list_conversations(c, &filter, &page)
                .await
                .map(listed)
        })
        .await
    }

    async fn find_conversation(
        tenant: Option<String>,
        id: String,
    ) -> Result<Option<Conversation>, wit::Error> {
        ask(async |c| store::find_conversation(c, tenant.as_deref(), &id).await).await
    }

    async fn list_messages(
        tenant: Option<String>,
        conversation: String,
        order: wit::MessageOrder,
        page: wit::Page,
    ) -> Listed<StoredMessage> {
        let (order, page) = (order.convert(), page.convert());
        run(async |c| {
            store::list_messages(c, tenant.as_deref(), &conversation, order, &page)
                .await
                .map(listed)
        })
        .await
    }

    async fn list_routed(filter: wit::RoutedFilter, page: wit::Page) -> Listed<wit::Routed> {
        let (filter, page) = (filter.convert(), page.convert());
        run(async |c| store::list_routed(c, &filter, &page).await.map(listed)).await
    }

    async fn find_message(
        tenant: Option<String>,
        id: String,
    ) -> Result<Option<StoredMessage>, wit::Error> {
        ask(async |c| store::find_message(c, tenant.as_deref(), &id).await).await
    }

    async fn list_contacts(filter: wit::ContactFilter, page: wit::Page) -> Listed<Contact> {
        let (filter, page) = (filter.convert(), page.convert());
        run(async |c| store::list_contacts(c, &filter, &page).await.map(listed)).await
    }

    async fn find_contact(
        tenant: Option<String>,
        id: String,
    ) -> Result<Option<Contact>, wit::Error> {
        ask(async |c| store::find_contact(c, tenant.as_deref(), &id).await).await
    }

    async fn list_inbox(filter: wit::JobFilter, page: wit::Page) -> Listed<StoredJob> {
        let (filter, page) = (filter.convert(), page.convert());
        run(async |c| store::list_inbox(c, &filter, &page).await.map(listed)).await
    }

    async fn list_outbox(filter: wit::JobFilter, page: wit::Page) -> Listed<StoredJob> {
        let (filter, page) = (filter.convert(), page.convert());
        run(async |c| store::list_outbox(c, &filter, &page).await.map(listed)).await
    }

    async fn find_job(
        tenant: Option<String>,
        queue: wit::Queue,
        seq: u64,
    ) -> Result<Option<JobDetail>, wit::Error> {
        let queue = queue.convert();
        ask(async |c| store::find_job(c, tenant.as_deref(), queue, seq).await).await
    }

    async fn list_external_calls(filter: wit::CallFilter, page: wit::Page) -> Listed<ExternalCall> {
        let (filter, page) = (filter.convert(), page.convert());
        run(async |c| {
            store::list_external_calls(c, &filter, &page)
                .await
                .map(listed)
        })
        .await
    }

    async fn list_rules(tenant: Option<String>) -> Result<Vec<Rule>, wit::Error> {
        ask(async |c| store::list_rules(c, tenant.as_deref()).await).await
    }

    async fn find_rule(tenant: Option<String>, id: String) -> Result<Option<Rule>, wit::Error> {
        ask(async |c| store::find_rule(c, tenant.as_deref(), &id).await).await
    }

    async fn put_rule(rule: Rule) -> Result<Rule, wit::Error> {
        let rule = rule.convert();
        ask(async |c| store::put_rule(c, moment()?, &rule).await).await
    }

    async fn delete_rule(tenant: String, id: String) -> Result<bool, wit::Error> {
        run(async |c| store::delete_rule(c, &tenant, &id).await).await
    }

    async fn disable_endpoint(
        tenant: String,
        url: String,
        reason: String,
    ) -> Result<(), wit::Error> {
        run(async |c| store::disable_endpoint(c, moment()?, &tenant, &url, &reason).await).await
    }

    async fn enable_endpoint(tenant: String, url: String) -> Result<bool, wit::Error> {
        run(async |c| store::enable_endpoint(c, moment()?, &tenant, &url).await).await
    }

    async fn find_endpoint(tenant: String, url: String) -> Result<Option<Endpoint>, wit::Error> {
        ask(async |c| store::find_endpoint(c, &tenant, &url).await).await
    }

    async fn list_endpoints(tenant: Option<String>) -> Result<Vec<Endpoint>, wit::Error> {
        ask(async |c| store::list_endpoints(c, tenant.as_deref()).await).await
    }

    async fn claim_probe(tenant: String, url: String, for_ms: u32) -> Result<bool, wit::Error> {
        run(async |c| store::claim_probe(c, moment()?, &tenant, &url, for_ms).await).await
    }

    async fn reserve_spend(
        token: String,
        reservation: Reservation,
    ) -> Result<Reserved, wit::Error> {
        let reservation: store::Reservation = reservation.convert();
        ask(async |c| store::reserve_spend(c, moment()?, &token, &reservation).await).await
    }

    async fn settle_spend(token: String, spent: Spent) -> Result<bool, wit::Error> {
        let spent: store::Spent = spent.convert();
        run(async |c| store::settle_spend(c, &token, &spent).await).await
    }

    async fn list_usage(
        tenant: Option<String>,
        from_day: String,
        to_day: String,
    ) -> Result<Vec<Usage>, wit::Error> {
        ask(async |c| store::list_usage(c, tenant.as_deref(), &from_day, &to_day).await).await
    }

    async fn find_answer(tenant: String, key: String) -> Result<Option<String>, wit::Error> {
        run(async |c| store::find_answer(c, moment()?, &tenant, &key).await).await
    }

    async fn list_lead_history(
        tenant: Option<String>,
        contact_id: String,
        page: wit::Page,
    ) -> Listed<LeadEntry> {
        let page = page.convert();
        run(async |c| {
            store::list_lead_history(c, tenant.as_deref(), &contact_id, &page)
                .await
                .map(listed)
        })
        .await
    }

    async fn list_changes(
        tenant: Option<String>,
        after: u64,
        max: u32,
    ) -> Result<Vec<Change>, wit::Error> {
        ask(async |c| store::list_changes(c, tenant.as_deref(), after, max).await).await
    }

    async fn find_last_change() -> Result<u64, wit::Error> {
        run(async |c| store::find_last_change(c).await).await
    }

    async fn list_refused() -> Result<Vec<(String, String, u64)>, wit::Error> {
        run(async |c| store::list_refused(c).await).await
    }

    async fn check_ready() -> Result<(), wit::Error> {
        run(async |c| store::check_ready(c).await).await
    }
}
