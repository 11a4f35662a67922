//! `media-key-value`: `chatly:media` on `spin:key-value`.
//!
//! A thin shell: the store called `default`, which the component that it is part of must be granted;
//! what lies in it and how a link is signed is in `chatly-media`. Links lead to `media-links`.

mod bindings {
    #![expect(
        clippy::crate_in_macro_def,
        reason = "the generated macro is for this crate"
    )]
    spin_sdk::wit_bindgen::generate!({
        path: "../../../wit",
        world: "media",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
        pub_export_macro: true,
        default_bindings_module: "crate::bindings",
    });
}

use std::time::{SystemTime, UNIX_EPOCH};

use bindings::exports::chatly::media::media::{Error, Guest, Object, Target};
use chatly_media::layout::{Head, PART_BYTES, head_key, is_path, part_key};
use chatly_media::link;
use spin_sdk::key_value::{self, Store};

struct KeyValue;
bindings::export!(KeyValue);

impl Guest for KeyValue {
    async fn put_part(_: Target, path: String, index: u32, bytes: Vec<u8>) -> Result<(), Error> {
        check(&path)?;
        if bytes.len() > PART_BYTES {
            return Err(Error::Other("the part is too long".to_owned()));
        }
        let store = Store::open_default().await.map_err(failure)?;
        store
            .set(part_key(&path, index), &bytes)
            .await
            .map_err(failure)
    }

    async fn finish(_: Target, path: String, object: Object) -> Result<(), Error> {
        check(&path)?;
        let head = Head {
            mime_type: object.mime_type,
            bytes: object.bytes,
            sha256: object.sha256,
            parts: object.parts,
        };
        let store = Store::open_default().await.map_err(failure)?;
        store
            .set(head_key(&path), &head.to_json())
            .await
            .map_err(failure)
    }

    async fn signed_link(target: Target, path: String, secs: u32) -> Result<String, Error> {
        check(&path)?;
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_err(|_| Error::Other("the clock stands before 1970".to_owned()))?
            .as_secs();
        let expires_at = now.saturating_add(u64::from(secs));
        link::make(&target.key, &target.base_url, &path, expires_at).ok_or(Error::Denied)
    }

    /// The head goes first, so that nobody sees half of it.
    async fn delete(_: Target, path: String) -> Result<(), Error> {
        check(&path)?;
        let store = Store::open_default().await.map_err(failure)?;
        store.delete(head_key(&path)).await.map_err(failure)?;
        // Parts were put in their order, so the first that is not there was never put.
        for index in 0..u32::MAX {
            let key = part_key(&path, index);
            if !store.exists(&key).await.map_err(failure)? {
                break;
            }
            store.delete(&key).await.map_err(failure)?;
        }
        Ok(())
    }
}

fn check(path: &str) -> Result<(), Error> {
    match is_path(path) {
        true => Ok(()),
        false => Err(Error::Other("not a path".to_owned())),
    }
}

fn failure(error: key_value::Error) -> Error {
    match error {
        key_value::Error::AccessDenied | key_value::Error::NoSuchStore => Error::Denied,
        key_value::Error::StoreTableFull => Error::Unavailable("too many stores are open".into()),
        key_value::Error::Other(words) => Error::Unavailable(words),
    }
}
