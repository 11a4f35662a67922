//! The commands, the same for every version of the interface.
//!
//! Their spans have the command's name and nothing of its arguments.

use redis::{AsyncCommands as _, ErrorKind, FromRedisValue, RedisError, Value};
use tracing::instrument;

use super::spin3::{RedisParameter, RedisResult};
use super::{Error, Handle, MAX_RESULT_BYTES};

/// What a command gives.
type Outcome<R> = Result<R, Error>;

/// Longest name of a command that a span shows. Redis's own have 20 bytes at most.
const MAX_NAME_BYTES: usize = 32;

#[instrument(name = "spin_outbound_redis.publish", level = "debug", skip_all, fields(otel.kind = "client", db.system.name = "redis", otel.name = "PUBLISH"))]
pub async fn publish(mut to: Handle, channel: String, payload: Vec<u8>) -> Outcome<()> {
    to.publish(channel, payload).await.map_err(other)
}

#[instrument(name = "spin_outbound_redis.get", level = "debug", skip_all, fields(otel.kind = "client", db.system.name = "redis", otel.name = "GET"))]
pub async fn get(mut from: Handle, key: String) -> Outcome<Option<Vec<u8>>> {
    let value: Option<Vec<u8>> = from.get(key).await.map_err(other)?;
    within(value.as_ref().map_or(0, Vec::len))?;
    Ok(value)
}

#[instrument(name = "spin_outbound_redis.set", level = "debug", skip_all, fields(otel.kind = "client", db.system.name = "redis", otel.name = "SET"))]
pub async fn set(mut to: Handle, key: String, value: Vec<u8>) -> Outcome<()> {
    to.set(key, value).await.map_err(other)
}

#[instrument(name = "spin_outbound_redis.incr", level = "debug", skip_all, fields(otel.kind = "client", db.system.name = "redis", otel.name = "INCRBY"))]
pub async fn incr(mut to: Handle, key: String) -> Outcome<i64> {
    to.incr(key, 1).await.map_err(other)
}

#[instrument(name = "spin_outbound_redis.del", level = "debug", skip_all, fields(otel.kind = "client", db.system.name = "redis", otel.name = "DEL"))]
pub async fn del(mut to: Handle, keys: Vec<String>) -> Outcome<u32> {
    to.del(keys).await.map_err(other)
}

#[instrument(name = "spin_outbound_redis.sadd", level = "debug", skip_all, fields(otel.kind = "client", db.system.name = "redis", otel.name = "SADD"))]
pub async fn sadd(mut to: Handle, key: String, values: Vec<String>) -> Outcome<u32> {
    to.sadd(key, values)
        .await
        .map_err(|error| match error.kind() {
            ErrorKind::UnexpectedReturnType => Error::TypeError,
            _ => other(error),
        })
}

#[instrument(name = "spin_outbound_redis.smembers", level = "debug", skip_all, fields(otel.kind = "client", db.system.name = "redis", otel.name = "SMEMBERS"))]
pub async fn smembers(mut from: Handle, key: String) -> Outcome<Vec<String>> {
    let members: Vec<String> = from.smembers(key).await.map_err(other)?;
    let size = |member: &String| size_of::<String>() + member.len();
    within(members.iter().map(size).sum())?;
    Ok(members)
}

#[instrument(name = "spin_outbound_redis.srem", level = "debug", skip_all, fields(otel.kind = "client", db.system.name = "redis", otel.name = "SREM"))]
pub async fn srem(mut to: Handle, key: String, values: Vec<String>) -> Outcome<u32> {
    to.srem(key, values).await.map_err(other)
}

#[instrument(name = "spin_outbound_redis.execute", level = "debug", skip_all, fields(otel.kind = "client", db.system.name = "redis", otel.name = name_of(&command)))]
pub async fn execute(
    mut to: Handle,
    command: String,
    arguments: Vec<RedisParameter>,
) -> Outcome<Vec<RedisResult>> {
    let mut command = redis::cmd(&command);
    for argument in arguments {
        match argument {
            RedisParameter::Int64(number) => command.arg(number),
            RedisParameter::Binary(bytes) => command.arg(bytes),
        };
    }
    let value: Value = command.query_async(&mut to).await.map_err(other)?;
    let mut results = Vec::new();
    flatten(value, &mut results)?;
    within(results.iter().map(size).sum())?;
    Ok(results)
}

/// What a span is called after a command that the guest named: a name, and no text that happens to
/// stand in its place.
fn name_of(command: &str) -> &str {
    let is_name = |byte: u8| byte.is_ascii_alphabetic() || byte == b'.';
    match command.len() {
        1..=MAX_NAME_BYTES if command.bytes().all(is_name) => command,
        _ => "execute",
    }
}

/// Bytes that an argument of `execute` holds.
pub fn argument_size(argument: &RedisParameter) -> usize {
    size_of::<RedisParameter>()
        + match argument {
            RedisParameter::Binary(bytes) => bytes.len(),
            RedisParameter::Int64(_) => 0,
        }
}

/// Appends the items of a reply, arrays and sets taken apart.
fn flatten(value: Value, results: &mut Vec<RedisResult>) -> Outcome<()> {
    results.push(match value {
        Value::Nil => RedisResult::Nil,
        Value::Int(number) => RedisResult::Int64(number),
        Value::Boolean(truth) => RedisResult::Int64(i64::from(truth)),
        Value::BulkString(bytes) | Value::BigNumber(bytes) => RedisResult::Binary(bytes),
        Value::Double(number) => RedisResult::Binary(number.to_string().into_bytes()),
        Value::SimpleString(text) => RedisResult::Status(text),
        Value::Okay => RedisResult::Status("OK".to_owned()),
        Value::Array(items) | Value::Set(items) => {
            return items
                .into_iter()
                .try_for_each(|item| flatten(item, results));
        }
        Value::ServerError(error) => return Err(Error::Other(format!("Server error: {error:?}"))),
        unsupported => {
            // The only conversion that fails for all of these; its error has Redis's words.
            let error = i64::from_redis_value(unsupported).err();
            let text = error.map(|error| error.to_string()).unwrap_or_default();
            return Err(Error::Other(format!(
                "Could not convert Redis response: {text}"
            )));
        }
    });
    Ok(())
}

fn size(result: &RedisResult) -> usize {
    size_of::<RedisResult>()
        + match result {
            RedisResult::Binary(bytes) => bytes.len(),
            RedisResult::Status(text) => text.len(),
            RedisResult::Nil | RedisResult::Int64(_) => 0,
        }
}

fn within(bytes: usize) -> Outcome<()> {
    if bytes > MAX_RESULT_BYTES {
        let text = format!("query result exceeds limit of {MAX_RESULT_BYTES} bytes");
        return Err(Error::Other(text));
    }
    Ok(())
}

fn other(error: RedisError) -> Error {
    Error::Other(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_called_after_a_command_and_after_nothing_else() {
        for (command, want) in [
            ("HGETALL", "HGETALL"),
            ("FT.SEARCH", "FT.SEARCH"),
            ("", "execute"),
            ("SET token qZ4", "execute"),
            ("qZ4-token-81", "execute"),
            (&"A".repeat(MAX_NAME_BYTES), &"A".repeat(MAX_NAME_BYTES)),
            (&"A".repeat(MAX_NAME_BYTES + 1), "execute"),
        ] {
            assert_eq!(name_of(command), want);
        }
    }
}
