//! `spin:mqtt@3.0.0` over [`State`].

use wasmtime::component::{Accessor, Linker, Resource};

use super::session::{Login, Session};
use super::{Data, Handle, State};
use bindings::spin::mqtt::mqtt;

pub use bindings::spin::mqtt::mqtt::{Error, Qos};

pub(super) mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "chatly:mqtt-capability/spin3",
        imports: { default: async | trappable },
        with: { "spin:mqtt/mqtt.connection": crate::Handle },
    });
}

pub(super) fn link<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: fn(&mut T) -> &mut State,
) -> wasmtime::Result<()> {
    mqtt::add_to_linker::<T, Data>(linker, get)
}

impl mqtt::Host for State {}

impl mqtt::HostConnection for State {
    async fn drop(&mut self, connection: Resource<Handle>) -> wasmtime::Result<()> {
        self.connections.close(connection)
    }
}

impl<T: Send> mqtt::HostConnectionWithStore<T> for Data {
    async fn open(
        access: &Accessor<T, Self>,
        address: String,
        username: String,
        password: String,
        keep_alive_secs: u64,
    ) -> wasmtime::Result<Result<Resource<Handle>, Error>> {
        let grant = access.with(|mut access| access.get().grant.clone());
        let login = Login {
            username,
            password,
            keep_alive_secs,
        };
        Ok(match Session::open(&grant, &address, login).await {
            Ok(session) => access.with(|mut access| {
                let added = access.get().connections.add(session.into());
                added.map_err(Into::into)
            }),
            Err(error) => Err(error),
        })
    }

    async fn publish(
        access: &Accessor<T, Self>,
        connection: Resource<Handle>,
        topic: String,
        payload: Vec<u8>,
        qos: Qos,
    ) -> wasmtime::Result<Result<(), Error>> {
        let bytes = topic.len() + payload.len();
        let begun = access.with(|mut access| access.get().connections.begin(&connection, bytes))?;
        Ok(match begun {
            Ok((session, _hold)) => session.publish(topic, payload, qos).await,
            Err(full) => Err(full.into()),
        })
    }
}
