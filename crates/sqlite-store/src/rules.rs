//! The routing rules of each tenant.

use crate::connection::{Connection, UNEXPECTED, transaction, values_of};
use crate::model::Rule;
use crate::{Error, Moment};

/// Rules of one tenant: five times what the router is measured with.
const MAX_RULES: u64 = 1000;

const RULE: &str = "json_object('id', id, 'platform_client_id', platform_client_id, 'name', name,
    'priority', priority, 'condition', condition, 'actions', actions, 'stop', stop, 'enabled', enabled,
    'created_at', created_at, 'updated_at', updated_at, 'strategy', strategy)";

/// A condition that holds for the tenant of parameter 1, or for all when it is null.
pub(crate) const OF_TENANT: &str = "platform_client_id = coalesce(?1, platform_client_id)";

/// The rules of a tenant, or of all, in the order in which they run.
pub async fn list_rules<C: Connection>(
    connection: &C,
    tenant: Option<&str>,
) -> Result<Vec<Rule>, Error> {
    let order = "ORDER BY platform_client_id, priority, id";
    let rows = match tenant {
        Some(tenant) => {
            let sql =
                format!("SELECT {RULE} FROM routing_rules WHERE platform_client_id = ? {order}");
            connection.execute(&sql, values_of![tenant]).await?
        }
        None => {
            let sql = format!("SELECT {RULE} FROM routing_rules {order}");
            connection.execute(&sql, vec![]).await?
        }
    };
    rows.iter().map(|row| row.json(0)).collect()
}

/// One rule; none for another tenant's. Without a tenant, the first of that id.
pub async fn find_rule<C: Connection>(
    connection: &C,
    tenant: Option<&str>,
    id: &str,
) -> Result<Option<Rule>, Error> {
    let sql = format!(
        "SELECT {RULE} FROM routing_rules WHERE {OF_TENANT} AND id = ?2 ORDER BY platform_client_id LIMIT 1"
    );
    let rows = connection.execute(&sql, values_of![tenant, id]).await?;
    rows.first().map(|row| row.json(0)).transpose()
}

/// Makes or replaces the rule with this tenant and id; its times are set here.
pub async fn put_rule<C: Connection>(
    connection: &C,
    moment: Moment,
    rule: &Rule,
) -> Result<Rule, Error> {
    transaction(connection, async || {
        let others = connection
            .execute(
                "SELECT count(*) FROM routing_rules WHERE platform_client_id = ? AND id <> ?",
                values_of![&rule.platform_client_id, &rule.id],
            )
            .await?;
        if others.first().ok_or(UNEXPECTED)?.integer(0)? >= MAX_RULES {
            return Err(Error::Invalid("a tenant has at most 1000 rules"));
        }
        let rows = connection
            .execute(
                &format!(
                    "INSERT INTO routing_rules (platform_client_id, id, name, priority, condition, actions, stop,
                        enabled, created_at, updated_at, strategy)
                        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10)
                     ON CONFLICT DO UPDATE SET name = ?3, priority = ?4, condition = ?5, actions = ?6, stop = ?7,
                        enabled = ?8, updated_at = ?9, strategy = ?10
                     RETURNING {RULE}"
                ),
                values_of![
                    &rule.platform_client_id,
                    &rule.id,
                    &rule.name,
                    rule.priority,
                    &rule.condition,
                    &rule.actions,
                    rule.stop,
                    rule.enabled,
                    moment.now,
                    &rule.strategy
                ],
            )
            .await?;
        rows.first().ok_or(UNEXPECTED)?.json(0)
    })
    .await
}

/// Forgets a rule; false when there is none.
pub async fn delete_rule<C: Connection>(
    connection: &C,
    tenant: &str,
    id: &str,
) -> Result<bool, Error> {
    let rows = connection
        .execute(
            "DELETE FROM routing_rules WHERE platform_client_id = ? AND id = ? RETURNING id",
            values_of![tenant, id],
        )
        .await?;
    Ok(!rows.is_empty())
}
