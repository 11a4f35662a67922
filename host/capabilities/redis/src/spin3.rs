//! `spin:redis@3.0.0` over [`State`].

use chatly_in_flight::Hold;
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
        self.close(connection)
    }
}

/// The connection behind a handle, without holding on to the instance, and the hold of a call
/// whose arguments have `bytes`.
fn opened<T>(
    access: &Accessor<T, Data>,
    handle: &Resource<Handle>,
    bytes: usize,
) -> wasmtime::Result<Result<(Handle, Hold), Error>> {
    access.with(|mut access| access.get().begin(handle, bytes))
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
            Ok(connection) => access.with(|mut access| access.get().add(connection)),
            Err(error) => Err(error),
        })
    }

    async fn publish(
        access: &Accessor<T, Self>,
        connection: Resource<Handle>,
        channel: String,
        payload: Vec<u8>,
    ) -> Answer<()> {
        Ok(
            match opened(access, &connection, channel.len() + payload.len())? {
                Ok((connection, _hold)) => commands::publish(connection, channel, payload).await,
                Err(full) => Err(full),
            },
        )
    }

    async fn get(
        access: &Accessor<T, Self>,
        connection: Resource<Handle>,
        key: String,
    ) -> Answer<Option<Vec<u8>>> {
        Ok(match opened(access, &connection, key.len())? {
            Ok((connection, _hold)) => commands::get(connection, key).await,
            Err(full) => Err(full),
        })
    }

    async fn set(
        access: &Accessor<T, Self>,
        connection: Resource<Handle>,
        key: String,
        value: Vec<u8>,
    ) -> Answer<()> {
        Ok(
            match opened(access, &connection, key.len() + value.len())? {
                Ok((connection, _hold)) => commands::set(connection, key, value).await,
                Err(full) => Err(full),
            },
        )
    }

    async fn incr(
        access: &Accessor<T, Self>,
        connection: Resource<Handle>,
        key: String,
    ) -> Answer<i64> {
        Ok(match opened(access, &connection, key.len())? {
            Ok((connection, _hold)) => commands::incr(connection, key).await,
            Err(full) => Err(full),
        })
    }

    async fn del(
        access: &Accessor<T, Self>,
        connection: Resource<Handle>,
        keys: Vec<String>,
    ) -> Answer<u32> {
        Ok(match opened(access, &connection, total(&keys))? {
            Ok((connection, _hold)) => commands::del(connection, keys).await,
            Err(full) => Err(full),
        })
    }

    async fn sadd(
        access: &Accessor<T, Self>,
        connection: Resource<Handle>,
        key: String,
        values: Vec<String>,
    ) -> Answer<u32> {
        Ok(
            match opened(access, &connection, key.len() + total(&values))? {
                Ok((connection, _hold)) => commands::sadd(connection, key, values).await,
                Err(full) => Err(full),
            },
        )
    }

    async fn smembers(
        access: &Accessor<T, Self>,
        connection: Resource<Handle>,
        key: String,
    ) -> Answer<Vec<String>> {
        Ok(match opened(access, &connection, key.len())? {
            Ok((connection, _hold)) => commands::smembers(connection, key).await,
            Err(full) => Err(full),
        })
    }

    async fn srem(
        access: &Accessor<T, Self>,
        connection: Resource<Handle>,
        key: String,
        values: Vec<String>,
    ) -> Answer<u32> {
        Ok(
            match opened(access, &connection, key.len() + total(&values))? {
                Ok((connection, _hold)) => commands::srem(connection, key, values).await,
                Err(full) => Err(full),
            },
        )
    }

    async fn execute(
        access: &Accessor<T, Self>,
        connection: Resource<Handle>,
        command: String,
        arguments: Vec<RedisParameter>,
    ) -> Answer<Vec<RedisResult>> {
        Ok(
            match opened(
                access,
                &connection,
                arguments.iter().map(commands::argument_size).sum(),
            )? {
                Ok((connection, _hold)) => commands::execute(connection, command, arguments).await,
                Err(full) => Err(full),
            },
        )
    }
}
