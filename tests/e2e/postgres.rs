//! `spin:postgres` in its versions: SQL on a granted server, and none without the grant.

use std::path::PathBuf;

use anyhow::Result;
use harness::{GuestApp, Postgres, Setup, guest};
use serde_json::json;

/// A host with the guest as `granted`, which may use the server on `port`, as `wide`, which may use
/// all that are public, and as `bare`, which may use none.
async fn start(source: PathBuf, port: u16) -> Result<GuestApp> {
    let granted = format!("allowed_outbound_hosts = [\"postgres://127.0.0.1:{port}\"]");
    let bare = format!(
        "allowed_outbound_hosts = [\"http://127.0.0.1:{port}\", \"postgres://127.0.0.1:1\"]"
    );
    Setup::new()?
        .component("granted", &source, &granted)
        .component(
            "wide",
            &source,
            "allowed_outbound_hosts = [\"postgres://*:*\"]",
        )
        .component("bare", &source, &bare)
        .start()
        .await
}

#[tokio::test]
async fn a_component_uses_the_server_that_it_was_granted() -> Result<()> {
    let Some(server) = Postgres::start()? else {
        return Ok(());
    };
    let app = start(guest("postgres")?, server.port()).await?;
    for (open, query, execute) in [
        ("open", "query", "execute"),
        ("open-async", "query-async", "execute-async"),
        ("build", "query", "execute-async"),
        ("build-async", "query-async", "execute"),
    ] {
        let script = json!([
            [open, server.url()],
            [execute, "CREATE TEMP TABLE t (id integer, name text)"],
            [
                execute,
                "INSERT INTO t VALUES ($1, $2), (2, $3)",
                [1, "Ada", null]
            ],
            [query, "SELECT id, name FROM t ORDER BY id"],
            [query, "SELECT id FROM t WHERE id = $1", [7]],
        ]);
        let want = json!([
            null,
            0,
            2,
            {
                "columns": [
                    "Column { name: \"id\", data-type: DbDataType::Int32 }",
                    "Column { name: \"name\", data-type: DbDataType::Str }",
                ],
                "rows": [
                    ["DbValue::Int32(1)", "DbValue::Str(\"Ada\")"],
                    ["DbValue::Int32(2)", "DbValue::DbNull"],
                ],
            },
            { "columns": [], "rows": [] },
        ]);
        assert_eq!(app.calls("/granted", script).await?, want, "{open}");
    }
    Ok(())
}

#[tokio::test]
async fn without_the_grant_every_way_to_connect_is_refused() -> Result<()> {
    let Some(server) = Postgres::start()? else {
        return Ok(());
    };
    let app = start(guest("postgres")?, server.port()).await?;
    let refused = json!([{
        "error": format!(
            "Error::ConnectionFailed(\"address postgres://127.0.0.1:{} is not permitted\")",
            server.port()
        ),
    }]);
    for path in ["/bare", "/wide"] {
        for open in ["open", "open-async", "build", "build-async"] {
            let answer = app.calls(path, json!([[open, server.url()]])).await?;
            assert_eq!(answer, refused, "{path} {open}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_component_built_for_spin_3_or_the_first_4_finds_what_it_knows() -> Result<()> {
    let Some(server) = Postgres::start()? else {
        return Ok(());
    };
    let app = start(guest("postgres-old")?, server.port()).await?;
    let refused = format!(
        "Error::ConnectionFailed(\"address postgres://127.0.0.1:{} is not permitted\")",
        server.port()
    );
    let statement = "SELECT $1::text AS t, 1.5::numeric AS n, DATE '2024-02-29' AS d";
    for (version, types, value) in [
        (
            "3.0.0",
            ["DbDataType::Str", "DbDataType::Other", "DbDataType::Date"],
            "DbValue::Unsupported",
        ),
        (
            "4.0.0",
            ["DbDataType::Str", "DbDataType::Decimal", "DbDataType::Date"],
            "DbValue::Decimal(\"1.5\")",
        ),
    ] {
        let script = json!([
            version,
            ["open", server.url()],
            ["execute", "CREATE TEMP TABLE t (name text)"],
            ["execute", "INSERT INTO t VALUES ($1), ($2)", ["a", null]],
            ["query", statement, ["ä"]],
            ["query", "SELEC 1"],
            ["execute", "SELECT 1 / 0"],
        ]);
        let answer = app.calls("/granted", script).await?;
        let column = |name, ty| format!("Column {{ name: \"{name}\", data-type: {ty} }}");
        let columns = [
            column("t", types[0]),
            column("n", types[1]),
            column("d", types[2]),
        ];
        let rows = [["DbValue::Str(\"ä\")", value, "DbValue::Date((2024, 2, 29))"]];
        assert_eq!(
            answer[3],
            json!({ "columns": columns, "rows": rows }),
            "{version}"
        );
        assert_eq!(
            [&answer[0], &answer[1], &answer[2]],
            [&json!(null), &json!(0), &json!(2)]
        );
        for (at, part) in [(4, "syntax error at or near"), (5, "division by zero")] {
            let error = answer[at]["error"].as_str().unwrap_or_default();
            assert!(
                error.starts_with("Error::QueryFailed("),
                "{version} {error}"
            );
            assert!(error.contains(part), "{version} {error}");
        }
        for path in ["/bare", "/wide"] {
            let answer = app
                .calls(path, json!([version, ["open", server.url()]]))
                .await?;
            assert_eq!(answer, json!([{ "error": refused }]), "{version} {path}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_result_past_the_bound_is_refused_and_the_instance_goes_on() -> Result<()> {
    let Some(server) = Postgres::start()? else {
        return Ok(());
    };
    let app = start(guest("postgres")?, server.port()).await?;
    let many = "SELECT repeat('x', 1048576) FROM generate_series(1, 140)";
    let refused =
        "Error::QueryFailed(QueryError::Text(\"query result exceeds limit of 134217728 bytes\"))";
    let script = json!([
        ["open-async", server.url()],
        ["query", many],
        ["count-async", many],
        [
            "first-async",
            "SELECT n FROM generate_series(1, 100000000) n"
        ],
        ["query-async", "SELECT 7"],
    ]);
    let answer = app.calls("/granted", script).await?;
    assert_eq!(answer[1], json!({ "error": refused }));
    assert_eq!(
        answer[2],
        json!({ "rows": 140, "bytes": 140 << 20, "error": null })
    );
    assert_eq!(answer[3], json!(["DbValue::Int32(1)"]));
    assert_eq!(answer[4]["rows"], json!([["DbValue::Int32(7)"]]));
    Ok(())
}

#[tokio::test]
async fn a_server_that_dies_in_the_middle_ends_the_statement_and_not_the_host() -> Result<()> {
    let Some(mut server) = Postgres::start()? else {
        return Ok(());
    };
    let app = start(guest("postgres")?, server.port()).await?;
    let app = std::sync::Arc::new(app);
    let endless = json!([
        ["open-async", server.url()],
        [
            "count-async",
            "SELECT repeat('x', 1000), generate_series(1, 2000000000)"
        ],
        ["execute-async", "SELECT 1"],
        ["open-async", server.url()],
    ]);
    let asking = tokio::spawn({
        let app = app.clone();
        async move { app.calls("/granted", endless).await }
    });
    let watching = json!([
        ["open", server.url()],
        [
            "query",
            "SELECT count(*)::int FROM pg_stat_activity WHERE query LIKE 'SELECT repeat%'"
        ],
    ]);
    harness::eventually("the statement runs", async || {
        let seen = app.calls("/granted", watching.clone()).await?;
        Ok((seen[1]["rows"] == json!([["DbValue::Int32(1)"]])).then_some(()))
    })
    .await?;
    server.crash()?;
    let answer = asking.await??;
    // The guest's own second try may come while the system still closes the server's socket.
    let gone = "Error::ConnectionFailed(\"error connecting to server: Connection refused (os error 111)\")";
    harness::eventually("nobody answers at the server's port", async || {
        let again = app
            .calls("/granted", json!([["open-async", server.url()]]))
            .await?;
        Ok((again[0] == json!({ "error": gone })).then_some(()))
    })
    .await?;
    let ended = answer[1]["error"].as_str().unwrap_or_default();
    assert!(ended.starts_with("Error::QueryFailed("), "{answer}");
    let closed = "Error::QueryFailed(QueryError::Text(\"Error { kind: Closed, cause: None }\"))";
    assert_eq!(answer[2], json!({ "error": closed }));
    let refused = answer[3]["error"].as_str().unwrap_or_default();
    assert!(refused.starts_with("Error::ConnectionFailed("), "{answer}");
    Ok(())
}
