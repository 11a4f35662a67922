//! `fermyon:spin/redis@2.0.0` over [`State`].

use wasmtime::component::{Linker, Resource};

use super::{Data, Error, Handle, State, address, commands, spin3};
use bindings::fermyon::spin::redis;

pub(super) mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "chatly:redis-capability/spin2",
        imports: { default: async | trappable },
        with: { "fermyon:spin/redis.connection": crate::Handle },
    });
}

pub(super) fn link<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: fn(&mut T) -> &mut State,
) -> wasmtime::Result<()> {
    redis::add_to_linker::<T, Data>(linker, get)
}

impl From<Error> for redis::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::InvalidAddress => Self::InvalidAddress,
            Error::TooManyConnections => Self::TooManyConnections,
            Error::TypeError => Self::TypeError,
            Error::Other(text) => Self::Other(text),
        }
    }
}

impl From<redis::RedisParameter> for spin3::RedisParameter {
    fn from(parameter: redis::RedisParameter) -> Self {
        match parameter {
            redis::RedisParameter::Int64(number) => Self::Int64(number),
            redis::RedisParameter::Binary(bytes) => Self::Binary(bytes),
        }
    }
}

impl From<spin3::RedisResult> for redis::RedisResult {
    fn from(result: spin3::RedisResult) -> Self {
        match result {
            spin3::RedisResult::Nil => Self::Nil,
            spin3::RedisResult::Status(text) => Self::Status(text),
            spin3::RedisResult::Int64(number) => Self::Int64(number),
            spin3::RedisResult::Binary(bytes) => Self::Binary(bytes),
        }
    }
}

/// What a call returns: a trap, or the guest's result.
type Answer<R> = wasmtime::Result<Result<R, redis::Error>>;

impl redis::Host for State {}

impl redis::HostConnection for State {
    async fn open(&mut self, address: String) -> Answer<Resource<Handle>> {
        let opened = match address::connect(&self.grant, &address).await {
            Ok(connection) => self.connections.add(connection).map_err(Into::into),
            Err(error) => Err(error),
        };
        Ok(opened.map_err(Into::into))
    }

    async fn publish(
        &mut self,
        connection: Resource<Handle>,
        channel: String,
        payload: Vec<u8>,
    ) -> Answer<()> {
        let done = commands::publish(self.connections.get(&connection)?, channel, payload).await;
        Ok(done.map_err(Into::into))
    }

    async fn get(&mut self, connection: Resource<Handle>, key: String) -> Answer<Option<Vec<u8>>> {
        let value = commands::get(self.connections.get(&connection)?, key).await;
        Ok(value.map_err(Into::into))
    }

    async fn set(
        &mut self,
        connection: Resource<Handle>,
        key: String,
        value: Vec<u8>,
    ) -> Answer<()> {
        let done = commands::set(self.connections.get(&connection)?, key, value).await;
        Ok(done.map_err(Into::into))
    }

    async fn incr(&mut self, connection: Resource<Handle>, key: String) -> Answer<i64> {
        let sum = commands::incr(self.connections.get(&connection)?, key).await;
        Ok(sum.map_err(Into::into))
    }

    async fn del(&mut self, connection: Resource<Handle>, keys: Vec<String>) -> Answer<u32> {
        let count = commands::del(self.connections.get(&connection)?, keys).await;
        Ok(count.map_err(Into::into))
    }

    async fn sadd(
        &mut self,
        connection: Resource<Handle>,
        key: String,
        values: Vec<String>,
    ) -> Answer<u32> {
        let count = commands::sadd(self.connections.get(&connection)?, key, values).await;
        Ok(count.map_err(Into::into))
    }

    async fn smembers(&mut self, connection: Resource<Handle>, key: String) -> Answer<Vec<String>> {
        let members = commands::smembers(self.connections.get(&connection)?, key).await;
        Ok(members.map_err(Into::into))
    }

    async fn srem(
        &mut self,
        connection: Resource<Handle>,
        key: String,
        values: Vec<String>,
    ) -> Answer<u32> {
        let count = commands::srem(self.connections.get(&connection)?, key, values).await;
        Ok(count.map_err(Into::into))
    }

    async fn execute(
        &mut self,
        connection: Resource<Handle>,
        command: String,
        arguments: Vec<redis::RedisParameter>,
    ) -> Answer<Vec<redis::RedisResult>> {
        let arguments = arguments.into_iter().map(Into::into).collect();
        let run = commands::execute(self.connections.get(&connection)?, command, arguments).await;
        Ok(run
            .map(|results| results.into_iter().map(Into::into).collect())
            .map_err(Into::into))
    }

    async fn drop(&mut self, connection: Resource<Handle>) -> wasmtime::Result<()> {
        self.connections.close(connection)
    }
}
