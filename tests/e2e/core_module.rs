//! Core modules load as components do.

use anyhow::Result;
use harness::{GuestApp, Setup, guest_for};

async fn start(source: &std::path::Path) -> Result<GuestApp> {
    let setup = Setup::new()?.component("a", source, "environment = { NAME = \"value\" }");
    setup.start().await
}

#[tokio::test]
async fn a_module_for_preview1_serves_like_the_component_that_it_says_it_is() -> Result<()> {
    let module = guest_for("probe", "wasm32-wasip1")?;
    let version = std::fs::read(&module)?;
    assert_eq!(
        version[4..8],
        [1, 0, 0, 0],
        "a core module, not a component"
    );
    let app = start(&module).await?;
    assert_eq!(app.text("/a/sized").await?, "sized");
    // By the adapter: preview1's `environ_get`.
    assert_eq!(app.text("/a/environment").await?, "[[\"NAME\",\"value\"]]");
    assert_eq!(app.text("/a/sleep?10").await?, "slept with 3");
    Ok(())
}

#[tokio::test]
async fn a_module_that_does_not_say_what_it_is_stops_the_start() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let module = folder.path().join("bare.wasm");
    std::fs::write(&module, b"\0asm\x01\0\0\0")?;
    let error = format!(
        "{:#}",
        start(&module).await.map(|_| ()).expect_err("is refused")
    );
    let want = "it is a core module without an embedded component type";
    assert!(
        error.contains(want) && error.contains("bare.wasm"),
        "{error}"
    );
    Ok(())
}
