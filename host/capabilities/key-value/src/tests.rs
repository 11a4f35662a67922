//! The WIT traits, called as a guest would call them.

use std::sync::Arc;

use wasmtime::component::Resource;

use super::*;

fn state(granted: &[&str]) -> (tempfile::TempDir, State) {
    let dir = tempfile::tempdir().unwrap();
    let backend = Local::new(dir.path()).store("default");
    let grant: Grant = granted.iter().map(|label| (*label).to_owned()).collect();
    let shared = Shared::default().with("default", backend);
    (dir, State::new(Arc::new(grant), Arc::new(shared)))
}

#[tokio::test]
async fn without_the_grant_every_version_says_access_denied() {
    let (_dir, mut state) = state(&["other"]);
    assert!(matches!(
        State::open(&mut state, "default"),
        Err(Error::AccessDenied)
    ));
    assert!(matches!(
        State::open(&mut state, ""),
        Err(Error::AccessDenied)
    ));
    let old = spin2::bindings::fermyon::spin::key_value::HostStore::open;
    let refused = old(&mut state, "default".into()).await.unwrap();
    assert_eq!(format!("{:?}", refused.unwrap_err()), "Error::AccessDenied");
    let wasi = wasi::bindings::wasi::keyvalue::store::Host::open;
    let refused = wasi(&mut state, "default".into()).await.unwrap();
    assert_eq!(format!("{:?}", refused.unwrap_err()), "Error::AccessDenied");
}

#[tokio::test]
async fn a_granted_label_with_nothing_behind_it_is_no_such_store() {
    let (_dir, mut state) = state(&["other"]);
    assert!(matches!(
        State::open(&mut state, "other"),
        Err(Error::NoSuchStore)
    ));
}

#[tokio::test]
async fn a_guest_that_opens_without_end_is_told_that_the_table_is_full() {
    let (_dir, mut state) = state(&["default"]);
    let mut opened: Vec<_> = (0..MAX_STORES)
        .map(|_| State::open(&mut state, "default").unwrap())
        .collect();
    assert!(matches!(
        State::open(&mut state, "default"),
        Err(Error::StoreTableFull)
    ));
    state.close(opened.pop().unwrap()).unwrap();
    assert!(State::open(&mut state, "default").is_ok());
}

#[tokio::test]
async fn a_dead_handle_is_a_trap() {
    let (_dir, mut state) = state(&["default"]);
    let store = State::open(&mut state, "default").unwrap();
    let rep = store.rep();
    state.close(store).unwrap();
    assert!(state.store(&Resource::new_own(rep)).is_err());
}

#[tokio::test]
async fn a_swap_that_came_late_gets_a_handle_that_knows_the_new_value() {
    use wasi::bindings::wasi::keyvalue::atomics::{CasError, Host, HostCas};
    use wasi::bindings::wasi::keyvalue::store::HostBucket;
    let (_dir, mut state) = state(&["default"]);
    let bucket = State::open(&mut state, "default").unwrap().rep();
    let bucket = || Resource::new_own(bucket);
    let cas = HostCas::new(&mut state, bucket(), "k".into())
        .await
        .unwrap()
        .unwrap();
    let set = HostBucket::set(&mut state, bucket(), "k".into(), b"theirs".to_vec());
    set.await.unwrap().unwrap();
    let late = Host::swap(&mut state, cas, b"mine".to_vec()).await.unwrap();
    let Err(CasError::CasFailed(fresh)) = late else {
        panic!("{late:?}");
    };
    let current = HostCas::current(&mut state, Resource::new_own(fresh.rep()));
    assert_eq!(current.await.unwrap().unwrap(), Some(b"theirs".to_vec()));
    Host::swap(&mut state, fresh, b"mine".to_vec())
        .await
        .unwrap()
        .unwrap();
    let got = HostBucket::get(&mut state, bucket(), "k".into())
        .await
        .unwrap();
    assert_eq!(got.unwrap(), Some(b"mine".to_vec()));
}
