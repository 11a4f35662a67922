//! Every rule of a store, on the backend that the embedded host ships.
#![expect(clippy::unwrap_used, reason = "a test ends with what went wrong")]

use chatly_key_value::{Error, Handle, Local};

fn stores() -> (tempfile::TempDir, Local) {
    let dir = tempfile::tempdir().unwrap();
    let local = Local::new(dir.path());
    (dir, local)
}

async fn keys(store: &Handle) -> Vec<String> {
    store.keys().await.unwrap().gather().await.unwrap()
}

fn key(text: &str) -> String {
    text.to_owned()
}

#[tokio::test]
async fn a_value_is_there_until_it_is_deleted() {
    let (_dir, local) = stores();
    let store = local.store("default");
    assert_eq!(store.get(key("a")).await, Ok(None));
    assert_eq!(store.exists(key("a")).await, Ok(false));
    store.set(key("a"), b"1".to_vec()).await.unwrap();
    store.set(key("a"), b"2".to_vec()).await.unwrap();
    store.set(key(""), Vec::new()).await.unwrap();
    assert_eq!(store.get(key("a")).await, Ok(Some(b"2".to_vec())));
    assert_eq!(store.get(key("")).await, Ok(Some(Vec::new())));
    assert_eq!(store.exists(key("a")).await, Ok(true));
    assert_eq!(keys(&store).await, ["", "a"]);
    store.delete(key("a")).await.unwrap();
    store.delete(key("a")).await.unwrap();
    assert_eq!(store.get(key("a")).await, Ok(None));
}

#[tokio::test]
async fn labels_share_a_file_and_no_keys() {
    let (_dir, local) = stores();
    let (one, two) = (local.store("one"), local.store("two"));
    one.set(key("k"), b"1".to_vec()).await.unwrap();
    assert_eq!(two.get(key("k")).await, Ok(None));
    two.delete(key("k")).await.unwrap();
    assert_eq!(one.get(key("k")).await, Ok(Some(b"1".to_vec())));
    assert!(keys(&two).await.is_empty());
}

#[tokio::test]
async fn values_outlive_the_host() {
    let (dir, local) = stores();
    local
        .store("default")
        .set(key("k"), vec![0, 255])
        .await
        .unwrap();
    drop(local);
    let again = Local::new(dir.path());
    assert_eq!(
        again.store("default").get(key("k")).await,
        Ok(Some(vec![0, 255]))
    );
}

#[tokio::test]
async fn a_listing_longer_than_a_page_misses_nothing() {
    let (_dir, local) = stores();
    let store = local.store("default");
    let mut want: Vec<String> = (0..1300).map(|n| format!("k{n:05}")).collect();
    let entries = want.iter().map(|key| (key.clone(), vec![1])).collect();
    store.set_many(entries).await.unwrap();
    want.sort();
    assert_eq!(keys(&store).await, want);
}

#[tokio::test]
async fn many_are_got_in_the_order_asked_for_with_none_in_the_gaps() {
    let (_dir, local) = stores();
    let store = local.store("default");
    let entries = vec![(key("a"), vec![1]), (key("b"), vec![2])];
    store.set_many(entries).await.unwrap();
    let got = store
        .get_many(vec![key("b"), key("x"), key("a"), key("b")])
        .await;
    assert_eq!(
        got,
        Ok(vec![Some(vec![2]), None, Some(vec![1]), Some(vec![2])])
    );
    store.delete_many(vec![key("a"), key("x")]).await.unwrap();
    assert_eq!(keys(&store).await, ["b"]);
}

#[tokio::test]
async fn increments_at_once_lose_none() {
    let (_dir, local) = stores();
    let tasks: Vec<_> = (0..200)
        .map(|_| {
            let store = local.store("default");
            tokio::spawn(async move { store.increment(key("n"), 3).await.unwrap() })
        })
        .collect();
    let mut seen = Vec::new();
    for task in tasks {
        seen.push(task.await.unwrap());
    }
    seen.sort_unstable();
    let want: Vec<i64> = (1..=200).map(|n| 3 * n).collect();
    assert_eq!(seen, want);
}

#[tokio::test]
async fn an_increment_that_cannot_be_is_an_error_and_changes_nothing() {
    let (_dir, local) = stores();
    let store = local.store("default");
    store.set(key("text"), b"abc".to_vec()).await.unwrap();
    assert!(matches!(
        store.increment(key("text"), 1).await,
        Err(Error::Other(_))
    ));
    assert_eq!(store.get(key("text")).await, Ok(Some(b"abc".to_vec())));
    store.increment(key("n"), i64::MAX).await.unwrap();
    assert!(matches!(
        store.increment(key("n"), 1).await,
        Err(Error::Other(_))
    ));
    assert_eq!(store.increment(key("n"), -1).await, Ok(i64::MAX - 1));
}

#[tokio::test]
async fn of_two_swaps_from_one_value_one_wins() {
    let (_dir, local) = stores();
    let store = local.store("default");
    for expected in [None, Some(b"first".to_vec())] {
        let (one, two) = tokio::join!(
            store.swap(key("k"), expected.clone(), b"one".to_vec()),
            store.swap(key("k"), expected.clone(), b"two".to_vec()),
        );
        assert_ne!(one.unwrap(), two.unwrap(), "from {expected:?}");
        store.set(key("k"), b"first".to_vec()).await.unwrap();
    }
    assert_eq!(
        store.swap(key("gone"), Some(vec![]), vec![1]).await,
        Ok(false)
    );
    assert_eq!(store.get(key("gone")).await, Ok(None));
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_an_error_of_the_call() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "not a folder").unwrap();
    let store = Local::new(&file).store("default");
    assert!(matches!(store.get(key("k")).await, Err(Error::Other(_))));
}
