//! `files`: what a component finds in its file system, and nothing beside it.

use anyhow::Result;
use harness::{GuestApp, Setup, guest};
use serde_json::json;

/// A host with the guest as `granted`, which has files, and as `bare`, which has none.
async fn start(arguments: &[&str]) -> Result<GuestApp> {
    let setup = Setup::new()?.arguments(arguments);
    for (file, text) in [
        ("assets/one.txt", "one"),
        ("assets/deep/two.txt", "two"),
        ("assets/deep/secret.txt", "secret"),
        ("static/page.html", "page"),
        ("beside.txt", "beside"),
    ] {
        let path = setup.folder().join(file);
        std::fs::create_dir_all(path.parent().expect("a file is in a folder"))?;
        std::fs::write(path, text)?;
    }
    let files = match arguments {
        [] => {
            "files = [\"static/*.html\", { source = \"assets\", destination = \"/data\" }]\n\
             exclude_files = [\"**/secret.txt\"]"
        }
        _ => "files = [{ source = \"assets\", destination = \"/data\" }]",
    };
    let guest = guest("files")?;
    setup
        .component("granted", &guest, files)
        .component("bare", &guest, "")
        .start()
        .await
}

#[tokio::test]
async fn a_component_reads_the_files_that_its_manifest_gives_it() -> Result<()> {
    let app = start(&[]).await?;
    // What changes later is not seen: the files were copied.
    std::fs::write(app.folder().join("assets/one.txt"), "changed")?;
    let script = json!([
        ["list", "/"],
        ["list", "/data"],
        ["list", "/data/deep"],
        ["read", "/data/one.txt"],
        ["read", "data/deep/two.txt"],
        ["read", "/static/page.html"],
        ["new-roots"],
        ["new-read", "data/one.txt"],
    ]);
    let want = json!([
        ["data", "static"],
        ["deep", "one.txt"],
        ["two.txt"],
        "one",
        "two",
        "page",
        ["/"],
        "one"
    ]);
    assert_eq!(app.calls("/granted", script).await?, want);
    Ok(())
}

#[tokio::test]
async fn nothing_is_written_and_nothing_lies_outside() -> Result<()> {
    let app = start(&[]).await?;
    let script = json!([
        ["write", "/data/one.txt", "x"],
        ["write", "/data/new.txt", "x"],
        ["create", "/data/new"],
        ["remove", "/data/one.txt"],
        ["rename", "/data/one.txt", "/data/two.txt"],
        ["new-create", "data/new.txt"],
        ["read", "/data/deep/secret.txt"],
        ["read", "/beside.txt"],
        ["read", "/etc/hostname"],
        ["read", "../beside.txt"],
        ["new-read", "../../../../etc/hostname"],
        ["read", "/data/one.txt"],
    ]);
    let answers = app.calls("/granted", script).await?;
    let answers = answers.as_array().expect("a list");
    let (kept, refused) = answers.split_last().expect("not empty");
    assert_eq!(kept, "one");
    for (index, answer) in refused.iter().enumerate() {
        assert!(answer["error"].is_string(), "call {index}: {answer}");
    }
    Ok(())
}

#[tokio::test]
async fn a_component_without_files_has_no_file_system() -> Result<()> {
    let app = start(&[]).await?;
    let script = json!([["new-roots"], ["read", "/data/one.txt"], ["list", "/"]]);
    let answers = app.calls("/bare", script).await?;
    assert_eq!(answers[0], json!([]));
    assert!(
        answers[1]["error"].is_string() && answers[2]["error"].is_string(),
        "{answers}"
    );
    Ok(())
}

#[tokio::test]
async fn direct_mounts_show_what_changes_and_are_read_only_too() -> Result<()> {
    let app = start(&["--direct-mounts"]).await?;
    std::fs::write(app.folder().join("assets/one.txt"), "changed")?;
    let script = json!([
        ["read", "/data/one.txt"],
        ["write", "/data/one.txt", "x"],
        ["new-roots"]
    ]);
    let answers = app.calls("/granted", script).await?;
    assert_eq!(answers[0], "changed");
    assert!(answers[1]["error"].is_string(), "{answers}");
    assert_eq!(answers[2], json!(["/data"]));
    Ok(())
}
