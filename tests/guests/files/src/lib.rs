//! Does to the file system what the request says: a JSON list of calls, answered by a JSON list of
//! what each gave. The standard library speaks `wasi:filesystem@0.2`; `new-…` calls speak 0.3.

use std::fs;

use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;
use spin_sdk::wasip3::filesystem::preopens;
use spin_sdk::wasip3::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};

#[http_service]
async fn files(request: Request) -> anyhow::Result<impl IntoResponse> {
    let body = request.into_body().collect().await?.to_bytes();
    let calls: Vec<Vec<String>> = serde_json::from_slice(&body)?;
    let mut answers = Vec::new();
    for call in &calls {
        let call: Vec<&str> = call.iter().map(String::as_str).collect();
        answers.push(match call.as_slice() {
            ["new-roots"] => roots(),
            ["new-read", path] => new_read(path).await,
            ["new-create", path] => new_create(path).await,
            call => old(call).unwrap_or_else(|error| json!({ "error": error.kind().to_string() })),
        });
    }
    Ok(Value::from(answers).to_string())
}

fn old(call: &[&str]) -> std::io::Result<Value> {
    Ok(match call {
        ["read", path] => fs::read_to_string(path)?.into(),
        ["write", path, text] => fs::write(path, text).map(|()| Value::Null)?,
        ["create", path] => fs::create_dir(path).map(|()| Value::Null)?,
        ["remove", path] => fs::remove_file(path).map(|()| Value::Null)?,
        ["rename", from, to] => fs::rename(from, to).map(|()| Value::Null)?,
        ["list", path] => {
            let mut names = Vec::new();
            for entry in fs::read_dir(path)? {
                names.push(entry?.file_name().to_string_lossy().into_owned());
            }
            names.sort();
            names.into()
        }
        _ => json!({ "error": "no such call" }),
    })
}

fn roots() -> Value {
    let names = preopens::get_directories()
        .into_iter()
        .map(|(_, name)| name);
    names.collect::<Vec<_>>().into()
}

async fn new_read(path: &str) -> Value {
    let Some((root, _)) = preopens::get_directories().into_iter().next() else {
        return json!({ "error": "no root" });
    };
    let flags = (
        PathFlags::empty(),
        OpenFlags::empty(),
        DescriptorFlags::READ,
    );
    match root
        .open_at(flags.0, path.to_owned(), flags.1, flags.2)
        .await
    {
        Ok(file) => {
            let (stream, _ended) = file.read_via_stream(0);
            String::from_utf8_lossy(&stream.collect().await)
                .into_owned()
                .into()
        }
        Err(error) => json!({ "error": format!("{error:?}") }),
    }
}

async fn new_create(path: &str) -> Value {
    let Some((root, _)) = preopens::get_directories().into_iter().next() else {
        return json!({ "error": "no root" });
    };
    let flags = (
        PathFlags::empty(),
        OpenFlags::CREATE,
        DescriptorFlags::WRITE,
    );
    match root
        .open_at(flags.0, path.to_owned(), flags.1, flags.2)
        .await
    {
        Ok(_file) => Value::Null,
        Err(error) => json!({ "error": format!("{error:?}") }),
    }
}
