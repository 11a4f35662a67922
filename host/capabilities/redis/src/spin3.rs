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
        self.close(connection)
    }
}

/// The connection behind a handle, without holding on to the instance.
fn opened<T>(access: &Accessor<T, Data>, handle: &Resource<Handle>) -> wasmtime::Result<Handle> {
    access.with(|mut access| access.get().connection(handle))
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
        Ok(commands::publish(opened(access, &connection)?, channel, payload).await)
    }

    async fn get(
        access: &Accessor<T, Self>,
        connection: Resource<Handle>,
        key: String,
    ) -> Answer<Option<Vec<u8>>> {
        Ok(commands::get(opened(access, &connection)?, key).await)
    }

    async fn set(
        access: &Accessor<T, Self>,
        connection: Resource<Handle>,
        key: String,
        value: Vec<u8>,
    ) -> Answer<()> {
        Ok(commands::set(opened(access, &connection)?, key, value).await)
    }

    async fn incr(
        access: &Accessor<T, Self>,
        connection: Resource<Handle>,
        key: String,
    ) -> Answer<i64> {
        Ok(commands::incr(opened(access, &connection)?, key).await)
    }

    async fn del(
        access: &Accessor<T, Self>,
        connection: Resource<Handle>,
        keys: Vec<String>,
    ) -> Answer<u32> {
        Ok(commands::del(opened(access, &connection)?, keys).await)
    }

    async fn sadd(
        access: &Accessor<T, Self>,
        connection: Resource<Handle>,
        key: String,
        values: Vec<String>,
    ) -> Answer<u32> {
        Ok(commands::sadd(opened(access, &connection)?, key, values).await)
    }

    async fn smembers(
        access: &Accessor<T, Self>,
        connection: Resource<Handle>,
        key: String,
    ) -> Answer<Vec<String>> {
        Ok(commands::smembers(opened(access, &connection)?, key).await)
    }

    async fn srem(
        access: &Accessor<T, Self>,
        connection: Resource<Handle>,
        key: String,
        values: Vec<String>,
    ) -> Answer<u32> {
        Ok(commands::srem(opened(access, &connection)?, key, values).await)
    }

    async fn execute(
        access: &Accessor<T, Self>,
        connection: Resource<Handle>,
        command: String,
        arguments: Vec<RedisParameter>,
    ) -> Answer<Vec<RedisResult>> {
        Ok(commands::execute(opened(access, &connection)?, command, arguments).await)
    }
}
