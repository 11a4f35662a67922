//! `spin:redis@3.0.0` over [`State`].

use wasmtime::component::{Accessor, Linker, Resource};

use super::{Data, Handle, State, address, commands};
use bindings::spin::redis::redis;

pub use bindings::spin::redis::redis::{Error, RedisParameter, RedisResult};

pub(super) mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "chatly:redis-capability/spin3",
        imports: { default: async | trappable },
        with: { "spin:redis/redis.connection": crate::Handle },
    });
}

pub(super) fn link<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: fn(&mut T) -> &mut State,
) -> wasmtime::Result<()> {
    redis::add_to_linker::<T, Data>(linker, get)
}

/// What a call returns: a trap, or the guest's result.
type Answer<R> = wasmtime::Result<Result<R, Error>>;

impl redis::Host for State {}

impl redis::HostConnection for State {
    async fn drop(&mut self, connection: Resource<Handle>) -> wasmtime::Result<()> {
        self.connections.close(connection)
    }
}

/// Runs a command whose arguments have `bytes`, without holding on to the instance.
async fn run<T, R, F>(
    access: &Accessor<T, Data>,
    handle: &Resource<Handle>,
    bytes: usize,
    command: impl FnOnce(Handle) -> F,
) -> Answer<R>
where
    F: Future<Output = Result<R, Error>>,
{
    let begun = access.with(|mut access| access.get().connections.begin(handle, bytes))?;
    Ok(match begun {
        Ok((connection, _hold)) => command(connection).await,
        Err(full) => Err(full.into()),
    })
}

fn total(texts: &[String]) -> usize {
    texts
        .iter()
        .map(|text| size_of::<String>() + text.len())
        .sum()
}

impl<T: Send> redis::HostConnectionWithStore<T> for Data {
    async fn open(access: &Accessor<T, Self>, address: String) -> Answer<Resource<Handle>> {
        let grant = access.with(|mut access| access.get().grant.clone());
        Ok(match address::connect(&grant, &address).await {
            Ok(connection) => access.with(|mut access| {
                let added = access.get().connections.add(connection);
                added.map_err(Into::into)
            }),
            Err(error) => Err(error),
        })
    }

    async fn publish(
        access: &Accessor<T, Self>,
        connection: Resource<Handle>,
        channel: String,
        payload: Vec<u8>,
    ) -> Answer<()> {
        let bytes = channel.len() + payload.len();
        let command = |to| commands::publish(to, channel, payload);
        run(access, &connection, bytes, command).await
    }

    async fn get(
        access: &Accessor<T, Self>,
        connection: Resource<Handle>,
        key: String,
    ) -> Answer<Option<Vec<u8>>> {
        let bytes = key.len();
        run(access, &connection, bytes, |from| commands::get(from, key)).await
    }

    async fn set(
        access: &Accessor<T, Self>,
        connection: Resource<Handle>,
        key: String,
        value: Vec<u8>,
    ) -> Answer<()> {
        let bytes = key.len() + value.len();
        let command = |to| commands::set(to, key, value);
        run(access, &connection, bytes, command).await
    }

    async fn incr(
        access: &Accessor<T, Self>,
        connection: Resource<Handle>,
        key: String,
    ) -> Answer<i64> {
        let bytes = key.len();
        run(access, &connection, bytes, |to| commands::incr(to, key)).await
    }

    async fn del(
        access: &Accessor<T, Self>,
        connection: Resource<Handle>,
        keys: Vec<String>,
    ) -> Answer<u32> {
        let bytes = total(&keys);
        run(access, &connection, bytes, |to| commands::del(to, keys)).await
    }

    async fn sadd(
        access: &Accessor<T, Self>,
        connection: Resource<Handle>,
        key: String,
        values: Vec<String>,
    ) -> Answer<u32> {
        let bytes = key.len() + total(&values);
        let command = |to| commands::sadd(to, key, values);
        run(access, &connection, bytes, command).await
    }

    async fn smembers(
        access: &Accessor<T, Self>,
        connection: Resource<Handle>,
        key: String,
    ) -> Answer<Vec<String>> {
        let bytes = key.len();
        let command = |from| commands::smembers(from, key);
        run(access, &connection, bytes, command).await
    }

    async fn srem(
        access: &Accessor<T, Self>,
        connection: Resource<Handle>,
        key: String,
        values: Vec<String>,
    ) -> Answer<u32> {
        let bytes = key.len() + total(&values);
        let command = |to| commands::srem(to, key, values);
        run(access, &connection, bytes, command).await
    }

    async fn execute(
        access: &Accessor<T, Self>,
        connection: Resource<Handle>,
        command: String,
        arguments: Vec<RedisParameter>,
    ) -> Answer<Vec<RedisResult>> {
        let bytes = arguments.iter().map(commands::argument_size).sum();
        let command = |to| commands::execute(to, command, arguments);
        run(access, &connection, bytes, command).await
    }
}
