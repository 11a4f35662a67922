//! `fermyon:spin/mqtt@2.0.0` over [`State`].

use wasmtime::component::{Linker, Resource};

use super::session::{Login, Session};
use super::{Data, Error, Handle, Qos, State};
use bindings::fermyon::spin::mqtt;

pub(super) mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "chatly:mqtt-capability/spin2",
        imports: { default: async | trappable },
        with: { "fermyon:spin/mqtt.connection": crate::Handle },
    });
}

pub(super) fn link<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: fn(&mut T) -> &mut State,
) -> wasmtime::Result<()> {
    mqtt::add_to_linker::<T, Data>(linker, get)
}

impl From<Error> for mqtt::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::InvalidAddress => Self::InvalidAddress,
            Error::TooManyConnections => Self::TooManyConnections,
            Error::ConnectionFailed(text) => Self::ConnectionFailed(text),
            Error::Other(text) => Self::Other(text),
        }
    }
}

impl mqtt::Host for State {}

impl mqtt::HostConnection for State {
    async fn open(
        &mut self,
        address: String,
        username: String,
        password: String,
        keep_alive_secs: u64,
    ) -> wasmtime::Result<Result<Resource<Handle>, mqtt::Error>> {
        let login = Login {
            username,
            password,
            keep_alive_secs,
        };
        let opened = match Session::open(&self.grant, &address, login).await {
            Ok(session) => self.connections.add(session.into()).map_err(Into::into),
            Err(error) => Err(error),
        };
        Ok(opened.map_err(Into::into))
    }

    async fn publish(
        &mut self,
        connection: Resource<Handle>,
        topic: String,
        payload: Vec<u8>,
        qos: mqtt::Qos,
    ) -> wasmtime::Result<Result<(), mqtt::Error>> {
        let qos = match qos {
            mqtt::Qos::AtMostOnce => Qos::AtMostOnce,
            mqtt::Qos::AtLeastOnce => Qos::AtLeastOnce,
            mqtt::Qos::ExactlyOnce => Qos::ExactlyOnce,
        };
        let published = match self
            .connections
            .begin(&connection, topic.len() + payload.len())?
        {
            Ok((session, _hold)) => session.publish(topic, payload, qos).await,
            Err(full) => Err(full.into()),
        };
        Ok(published.map_err(Into::into))
    }

    async fn drop(&mut self, connection: Resource<Handle>) -> wasmtime::Result<()> {
        self.connections.close(connection)
    }
}
