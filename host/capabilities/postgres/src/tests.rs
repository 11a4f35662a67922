//! The WIT traits, called as a guest would call them, and what needs no server.

mod reading;

use std::sync::Mutex;

use proptest::prelude::*;

use chatly_manifest::{Application, Component, Manifest};
use chatly_variables::{Providers, Resolver};

use super::*;
use crate::frame::Next;
use crate::numeric::Numeric;
use spin4::bindings::spin::postgres4_2_0::postgres::{HostConnection, HostConnectionBuilder};

fn grant(entries: &[&str]) -> Grant {
    let manifest = Manifest {
        path: "/app/spin.toml".into(),
        application: Application::default(),
        variables: Default::default(),
        triggers: vec![],
        components: Default::default(),
    };
    let resolver = Resolver::new(&manifest, &Providers::default()).unwrap();
    let component = Component {
        id: "store".to_owned(),
        allowed_outbound_hosts: entries.iter().map(|entry| (*entry).to_owned()).collect(),
        ..Component::default()
    };
    Grant::new(&component, &resolver, []).unwrap()
}

/// Makes connections that lead nowhere, and remembers what to.
#[derive(Default)]
struct Nowhere {
    hosts: Mutex<Vec<String>>,
    /// Of connections whose sockets are never done with.
    sockets: Arc<Mutex<Vec<OwnedSemaphorePermit>>>,
}

struct Silent(Arc<Mutex<Vec<OwnedSemaphorePermit>>>);

#[async_trait]
impl Backend for Nowhere {
    async fn open(
        &self,
        address: &Address,
        _: Option<Root>,
        _: &Grant,
    ) -> Result<Arc<dyn Connection>, Error> {
        let targets = address.hosts().iter().map(Host::target);
        self.hosts.lock().unwrap().extend(targets);
        Ok(Arc::new(Silent(self.sockets.clone())))
    }
}

#[async_trait]
impl Connection for Silent {
    async fn execute(&self, _: String, _: Vec<ParameterValue>) -> Result<u64, Error> {
        Ok(0)
    }

    async fn query(&self, _: String, _: Vec<ParameterValue>) -> Result<RowSet, Error> {
        Err(failure::too_large())
    }

    async fn stream(&self, _: String, _: Vec<ParameterValue>) -> Result<Rows, Error> {
        Err(failure::too_large())
    }

    fn keep(&self, socket: OwnedSemaphorePermit) {
        self.0.lock().unwrap().push(socket);
    }
}

fn state(entries: &[&str]) -> (Arc<Nowhere>, State) {
    let backend = Arc::new(Nowhere::default());
    let shared = Arc::new(Shared::new(backend.clone()));
    (backend, State::new(Arc::new(grant(entries)), shared))
}

#[tokio::test]
async fn without_the_grant_every_version_and_way_says_connection_failed_and_connects_to_nothing() {
    let (backend, mut state) = state(&["postgres://db.example:5433", "http://db.example"]);
    let want = "Error::ConnectionFailed(\"address postgres://db.example:5432 is not permitted\")";
    let address = "postgres://db.example/x";
    let refused = HostConnection::open(&mut state, address.into()).await;
    assert_eq!(format!("{:?}", refused.unwrap().unwrap_err()), want);
    let builder = HostConnectionBuilder::new(&mut state, address.into()).await;
    let refused = HostConnectionBuilder::build(&mut state, builder.unwrap()).await;
    assert_eq!(format!("{:?}", refused.unwrap().unwrap_err()), want);
    let old = spin3::bindings::spin::postgres3_0_0::postgres::HostConnection::open;
    let refused = old(&mut state, address.into()).await;
    assert_eq!(format!("{:?}", refused.unwrap().unwrap_err()), want);
    assert!(backend.hosts.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_guest_that_opens_without_end_is_told_so_and_gets_a_place_back() {
    let (backend, mut state) = state(&["postgres://db.example"]);
    let mut opened = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        opened.push(
            state
                .open("host=db.example".into(), None)
                .await
                .unwrap()
                .unwrap(),
        );
    }
    let one_more = state.open("host=db.example".into(), None).await.unwrap();
    assert_eq!(
        format!("{:?}", one_more.unwrap_err()),
        "Error::ConnectionFailed(\"too many connections\")"
    );
    // Only the places matter here.
    backend.sockets.lock().unwrap().clear();
    let handle = opened.pop().unwrap();
    let running = state.connection(&handle).unwrap();
    state.close(handle).unwrap();
    // A statement that still runs keeps the place.
    assert!(
        state
            .open("host=db.example".into(), None)
            .await
            .unwrap()
            .is_err()
    );
    drop(running);
    assert!(
        state
            .open("host=db.example".into(), None)
            .await
            .unwrap()
            .is_ok()
    );
}

#[tokio::test]
async fn who_leaves_connections_fast_waits_until_their_sockets_are_done_with() {
    let (backend, mut state) = state(&["postgres://db.example"]);
    for _ in 0..MAX_CONNECTIONS {
        let opened = state.open("host=db.example".into(), None).await;
        state.close(opened.unwrap().unwrap()).unwrap();
    }
    {
        let mut one_more = Box::pin(state.open("host=db.example".into(), None));
        assert!(futures::poll!(one_more.as_mut()).is_pending());
        backend.sockets.lock().unwrap().pop();
        assert!(one_more.await.unwrap().is_ok());
    }
    assert_eq!(state.sockets.available_permits(), 0);
}

#[tokio::test]
async fn what_an_instances_calls_hold_is_bounded() {
    let (_backend, mut state) = state(&["postgres://db.example"]);
    let opened = state.open("host=db.example".into(), None).await;
    let opened = opened.unwrap().unwrap();
    let handle = || Resource::new_borrow(opened.rep());
    let others = state.in_flight.hold(chatly_in_flight::MAX_BYTES).unwrap();
    let full = "Error::Other(\"too many requests\")";
    let done = HostConnection::execute(&mut state, handle(), String::new(), vec![]).await;
    assert_eq!(format!("{:?}", done.unwrap().unwrap_err()), full);
    let done = HostConnection::query(&mut state, handle(), String::new(), vec![]).await;
    assert_eq!(format!("{:?}", done.unwrap().unwrap_err()), full);
    let old = spin3::bindings::spin::postgres3_0_0::postgres::HostConnection::execute;
    let done = old(&mut state, handle(), String::new(), vec![]).await;
    assert_eq!(format!("{:?}", done.unwrap().unwrap_err()), full);
    drop(others);
    let done = HostConnection::execute(&mut state, handle(), String::new(), vec![]).await;
    assert_eq!(done.unwrap().unwrap(), 0);
}

#[test]
fn a_parameter_counts_with_what_it_points_to() {
    let text = || "x".repeat(1000);
    let each = size_of::<ParameterValue>();
    for (name, parameters, want) in [
        ("none", vec![], 0),
        ("null", vec![ParameterValue::DbNull], each),
        ("a number", vec![ParameterValue::Int64(1)], each),
        ("a text", vec![ParameterValue::Str(text())], each + 1000),
        (
            "bytes",
            vec![
                ParameterValue::Binary(vec![0; 9]),
                ParameterValue::Jsonb(vec![0; 9]),
            ],
            2 * each + 18,
        ),
        (
            "numbers",
            vec![ParameterValue::ArrayInt32(vec![None; 10])],
            each + 10 * size_of::<Option<i32>>(),
        ),
        (
            "texts",
            vec![ParameterValue::ArrayStr(vec![Some(text()), None])],
            each + 2 * size_of::<Option<String>>() + 1000,
        ),
        (
            "a range",
            vec![ParameterValue::RangeDecimal((
                Some((text(), RangeBoundKind::Inclusive)),
                None,
            ))],
            each + 1000,
        ),
    ] {
        assert_eq!(rows::parameter_bytes(&parameters), want, "{name}");
    }
}

#[tokio::test]
async fn a_guest_that_builds_without_end_traps() {
    let (_backend, mut state) = state(&[]);
    for _ in 0..MAX_CONNECTIONS {
        HostConnectionBuilder::new(&mut state, String::new())
            .await
            .unwrap();
    }
    assert!(
        HostConnectionBuilder::new(&mut state, String::new())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_handle_that_stands_for_nothing_traps() {
    let (_backend, mut state) = state(&[]);
    let dead = || Resource::new_own(7);
    assert!(state.query(dead(), String::new(), vec![]).await.is_err());
    assert!(state.execute(dead(), String::new(), vec![]).await.is_err());
    assert!(HostConnection::drop(&mut state, dead()).await.is_err());
    assert!(state.build(Resource::new_own(7)).await.is_err());
}

#[tokio::test]
async fn a_root_that_is_none_is_refused() {
    let (_backend, mut state) = state(&["postgres://db.example"]);
    let builder = HostConnectionBuilder::new(&mut state, "host=db.example".into()).await;
    let builder = builder.unwrap();
    for text in [
        "",
        "no certificate",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let handle = Resource::new_borrow(builder.rep());
        let refused = state.set_ca_root(handle, text.into()).await.unwrap();
        let Err(Error::Other(why)) = refused else {
            panic!("{text}: {refused:?}");
        };
        assert!(why.starts_with("invalid root certificate: "), "{why}");
    }
}
