//! What stops a start, and the words for it.

use anyhow::Result;
use chatly_host::app::App;

use crate::host::{component, manifest, options};

/// The whole text of the error that loading `body` gives.
fn refusal(body: &str, files: &[(&str, &str)]) -> Result<String> {
    let folder = tempfile::tempdir()?;
    for (name, wat) in files {
        std::fs::write(folder.path().join(name), wat::parse_str(wat)?)?;
    }
    let options = options(folder.path())?;
    let loaded = manifest(folder.path(), body).and_then(|manifest| App::load(&manifest, options));
    Ok(format!("{:#}", loaded.err().expect("the start is refused")))
}

fn from_file(source: &str) -> String {
    format!(
        "[[trigger.http]]\nroute = \"/\"\ncomponent = \"odd\"\n[component.odd]\nsource = {source:?}\n"
    )
}

#[test]
fn each_mistake_is_named_with_its_component() -> Result<()> {
    let unknown = r#"(component (import "acme:thing/part@1.0.0" (instance (export "f" (func)))))"#;
    let sweep = "[application.tool.chatly.schedule]\nsweep = \"5s\"\n";
    let variable = "[variables]\nwhatsapp_app_secret = { required = true }\n";
    for (name, body, files, want) in [
        (
            "no file",
            from_file("gone.wasm"),
            &[][..],
            &["odd", "gone.wasm"][..],
        ),
        (
            "unknown import",
            from_file("odd.wasm"),
            &[("odd.wasm", unknown)][..],
            &["odd", "acme:thing/part"],
        ),
        (
            "no handler",
            from_file("odd.wasm"),
            &[("odd.wasm", "(component)")][..],
            &["odd", "wasi:http/handler"],
        ),
        (
            "files",
            component("odd", "\"/\"", "files = [\"gone\"]"),
            &[],
            &["odd", "files", "gone", "starts at the folder of spin.toml"],
        ),
        (
            "no value",
            component("odd", "\"/\"", "") + variable,
            &[],
            &[
                "SPIN_VARIABLE_WHATSAPP_APP_SECRET",
                "--variable whatsapp_app_secret",
            ],
        ),
        (
            "no sweep route",
            component("odd", "\"/\"", "") + sweep,
            &[],
            &["/internal/sweep"],
        ),
        (
            "no sweep secret",
            component("odd", "\"/internal/sweep\"", "") + sweep,
            &[],
            &["sweep_secret", "SPIN_VARIABLE_SWEEP_SECRET"],
        ),
        (
            "same paths",
            component("odd", "\"/a/:x\"", "")
                + "[[trigger.http]]\nroute = \"/a/:y\"\ncomponent = \"odd\"\n",
            &[],
            &["spin.toml:", "/a/:y"],
        ),
    ] {
        let text = refusal(&body, files)?;
        for part in want {
            assert!(text.contains(part), "{name}: {part:?} is not in {text:?}");
        }
    }
    Ok(())
}
