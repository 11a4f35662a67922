//! The backend over a real server: every type, every error, every limit.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends with what went wrong"
)]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use chatly_manifest::{Application, Component, Manifest};
use chatly_postgres::{
    Address, Backend, Connection, DbDataType, DbValue, Error, Grant, Interval, MAX_RESULT_BYTES,
    Network, ParameterValue, Pool, QueryError, RangeBoundKind, Root, Rows,
};
use chatly_variables::{Providers, Resolver};
use harness::Postgres;

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

/// Any port of this machine.
const LOCAL: [&str; 2] = ["postgres://127.0.0.1:*", "postgres://localhost:*"];

async fn open_with(
    address: &str,
    root: Option<Root>,
    grant: &Grant,
) -> Result<Arc<dyn Connection>, Error> {
    let address = Address::new(address, grant)?;
    Network.open(&address, root, grant).await
}

async fn open(address: &str) -> Arc<dyn Connection> {
    open_with(address, None, &grant(&LOCAL)).await.unwrap()
}

/// Why a connection could not be made.
fn reason(result: Result<Arc<dyn Connection>, Error>) -> String {
    match result {
        Err(Error::ConnectionFailed(why)) => why,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("connected"),
    }
}

fn text(value: &str) -> ParameterValue {
    ParameterValue::Str(value.to_owned())
}

/// The single value that `statement` gives, with the type of its column.
async fn value(
    connection: &dyn Connection,
    statement: &str,
    parameters: Vec<ParameterValue>,
) -> (String, String) {
    let result = connection.query(statement.to_owned(), parameters).await;
    let result = result.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    assert_eq!(
        (result.columns.len(), result.rows.len()),
        (1, 1),
        "{statement}"
    );
    let ty = format!("{:?}", result.columns[0].data_type);
    (ty, format!("{:?}", result.rows[0][0]))
}

/// How many of the server's processes beside this connection's run a statement.
async fn running(connection: &dyn Connection) -> String {
    let count = "SELECT count(*) FROM pg_stat_activity \
                 WHERE state = 'active' AND pid <> pg_backend_pid()";
    value(connection, count, vec![]).await.1
}

async fn read(mut rows: Rows) -> (usize, usize, Result<(), Error>) {
    let (mut count, mut largest) = (0, 0);
    while let Some(batch) = rows.batches.recv().await {
        count += batch.rows.len();
        largest = largest.max(batch.rows.len());
    }
    (count, largest, rows.outcome.await.unwrap())
}

/// Every type of the WIT, from the server and to it.
#[tokio::test]
async fn every_type_is_read_and_written() {
    use DbDataType as T;
    use DbValue as V;
    use RangeBoundKind::{Exclusive, Inclusive};
    let Some(server) = Postgres::start().unwrap() else {
        return;
    };
    let connection = open(&server.url()).await;
    let digits = |text: &str| text.to_owned();
    let span = |micros, days, months| Interval {
        micros,
        days,
        months,
    };
    for (literal, ty, want) in [
        ("true", T::Boolean, V::Boolean(true)),
        ("(-32768)::int2", T::Int16, V::Int16(i16::MIN)),
        ("2147483647", T::Int32, V::Int32(i32::MAX)),
        ("(-9223372036854775808)::int8", T::Int64, V::Int64(i64::MIN)),
        ("0.5::float4", T::Floating32, V::Floating32(0.5)),
        (
            "'-infinity'::float8",
            T::Floating64,
            V::Floating64(f64::NEG_INFINITY),
        ),
        ("'ä'::text", T::Str, V::Str(digits("ä"))),
        ("'b'::varchar(3)", T::Str, V::Str(digits("b"))),
        ("'c'::char(3)", T::Str, V::Str(digits("c  "))),
        ("'\\x00ff'::bytea", T::Binary, V::Binary(vec![0, 255])),
        ("'2024-02-29'::date", T::Date, V::Date((2024, 2, 29))),
        ("'0044-03-15 BC'::date", T::Date, V::Date((-43, 3, 15))),
        (
            "'23:59:59.000001'::time",
            T::Time,
            V::Time((23, 59, 59, 1000)),
        ),
        (
            "'2024-02-29 23:59:59.5'::timestamp",
            T::Datetime,
            V::Datetime((2024, 2, 29, 23, 59, 59, 500_000_000)),
        ),
        (
            "'2024-02-29 23:59:59+02'::timestamptz",
            T::Datetime,
            V::Datetime((2024, 2, 29, 21, 59, 59, 0)),
        ),
        (
            "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid",
            T::Uuid,
            V::Uuid(digits("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
        ),
        (
            "'{\"a\": [1, null]}'::jsonb",
            T::Jsonb,
            V::Jsonb(b"{\"a\":[1,null]}".to_vec()),
        ),
        ("-12.50::numeric", T::Decimal, V::Decimal(digits("-12.50"))),
        ("0::numeric", T::Decimal, V::Decimal(digits("0"))),
        (
            "0.000000001::numeric",
            T::Decimal,
            V::Decimal(digits("0.000000001")),
        ),
        (
            "1e40::numeric",
            T::Decimal,
            V::Decimal(format!("1{}", "0".repeat(40))),
        ),
        ("'NaN'::numeric", T::Decimal, V::Decimal(digits("NaN"))),
        (
            "'-Infinity'::numeric",
            T::Decimal,
            V::Decimal(digits("-Infinity")),
        ),
        (
            "'[1,5]'::int4range",
            T::RangeInt32,
            V::RangeInt32((Some((1, Inclusive)), Some((6, Exclusive)))),
        ),
        (
            "'(,5)'::int4range",
            T::RangeInt32,
            V::RangeInt32((None, Some((5, Exclusive)))),
        ),
        (
            "'empty'::int4range",
            T::RangeInt32,
            V::RangeInt32((None, None)),
        ),
        (
            "'(1,)'::int8range",
            T::RangeInt64,
            V::RangeInt64((Some((2, Inclusive)), None)),
        ),
        (
            "'(1.5,2.50]'::numrange",
            T::RangeDecimal,
            V::RangeDecimal((
                Some((digits("1.5"), Exclusive)),
                Some((digits("2.50"), Inclusive)),
            )),
        ),
        (
            "'{1,NULL,3}'::int4[]",
            T::ArrayInt32,
            V::ArrayInt32(vec![Some(1), None, Some(3)]),
        ),
        ("'{}'::int8[]", T::ArrayInt64, V::ArrayInt64(vec![])),
        (
            "'{1.5,NULL}'::numeric[]",
            T::ArrayDecimal,
            V::ArrayDecimal(vec![Some(digits("1.5")), None]),
        ),
        (
            "'{a,NULL,\"\"}'::text[]",
            T::ArrayStr,
            V::ArrayStr(vec![Some(digits("a")), None, Some(digits(""))]),
        ),
        (
            "'{a}'::varchar[]",
            T::ArrayStr,
            V::ArrayStr(vec![Some(digits("a"))]),
        ),
        (
            "'{a}'::char(2)[]",
            T::ArrayStr,
            V::ArrayStr(vec![Some(digits("a "))]),
        ),
        (
            "'1 year 2 months 3 days 4 seconds'::interval",
            T::Interval,
            V::Interval(span(4_000_000, 3, 14)),
        ),
        ("NULL::numeric[]", T::ArrayDecimal, V::DbNull),
        ("NULL::xml", T::Other(digits("xml")), V::DbNull),
        (
            "'{\"a\": 1}'::json",
            T::Other(digits("json")),
            V::Unsupported(b"{\"a\": 1}".to_vec()),
        ),
        (
            "'(1,2)'::point",
            T::Other(digits("point")),
            V::Unsupported([1_f64.to_be_bytes(), 2_f64.to_be_bytes()].concat()),
        ),
        (
            "'{t}'::bool[]",
            T::Other(digits("_bool")),
            V::Unsupported(vec![
                0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1,
            ]),
        ),
    ] {
        let got = value(&*connection, &format!("SELECT {literal}"), vec![]).await;
        assert_eq!(got, (format!("{ty:?}"), format!("{want:?}")), "{literal}");
    }
    let zone = "SET TIME ZONE 'UTC'";
    connection.execute(zone.to_owned(), vec![]).await.unwrap();
    use ParameterValue as P;
    for (cast, parameter, want) in [
        ("boolean", P::Boolean(false), "false"),
        ("\"char\"", P::Int8(65), "A"),
        ("int2", P::Int16(i16::MAX), "32767"),
        ("int4", P::Int32(i32::MIN), "-2147483648"),
        ("int8", P::Int64(i64::MAX), "9223372036854775807"),
        ("float4", P::Floating32(0.25), "0.25"),
        ("float8", P::Floating64(f64::INFINITY), "Infinity"),
        ("text", text("'; DROP TABLE x"), "'; DROP TABLE x"),
        ("varchar", text("ä"), "ä"),
        ("bytea", P::Binary(vec![0, 255]), "\\x00ff"),
        ("date", P::Date((2024, 2, 29)), "2024-02-29"),
        ("time", P::Time((23, 59, 59, 1000)), "23:59:59.000001"),
        (
            "timestamp",
            P::Datetime((2024, 2, 29, 1, 2, 3, 500_000_000)),
            "2024-02-29 01:02:03.5",
        ),
        (
            "timestamptz",
            P::Timestamp(86_399),
            "1970-01-01 23:59:59+00",
        ),
        (
            "uuid",
            P::Uuid(digits("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11")),
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        ),
        ("jsonb", P::Jsonb(b" {\"a\":1} ".to_vec()), "{\"a\": 1}"),
        ("numeric", P::Decimal(digits("-12.50")), "-12.50"),
        (
            "numeric",
            P::Decimal(digits("123456789012345678901234567890.000100")),
            "123456789012345678901234567890.000100",
        ),
        ("numeric", P::Decimal(digits("0.00")), "0.00"),
        (
            "int4range",
            P::RangeInt32((Some((1, Inclusive)), Some((5, Inclusive)))),
            "[1,6)",
        ),
        (
            "int8range",
            P::RangeInt64((None, Some((i64::MAX, Exclusive)))),
            "(,9223372036854775807)",
        ),
        (
            "numrange",
            P::RangeDecimal((Some((digits("1.5"), Exclusive)), None)),
            "(1.5,)",
        ),
        ("int4[]", P::ArrayInt32(vec![Some(1), None]), "{1,NULL}"),
        ("int8[]", P::ArrayInt64(vec![]), "{}"),
        (
            "numeric[]",
            P::ArrayDecimal(vec![Some(digits("1.50")), None]),
            "{1.50,NULL}",
        ),
        (
            "text[]",
            P::ArrayStr(vec![Some(digits("a b")), None]),
            "{\"a b\",NULL}",
        ),
        (
            "interval",
            P::Interval(span(4_000_000, 3, 14)),
            "1 year 2 mons 3 days 00:00:04",
        ),
        ("xml", P::DbNull, "NULL"),
        ("int4[]", P::DbNull, "NULL"),
    ] {
        let statement = format!("SELECT coalesce($1::{cast}::text, 'NULL')");
        let (_, got) = value(&*connection, &statement, vec![parameter]).await;
        assert_eq!(
            got,
            format!("{:?}", DbValue::Str(want.to_owned())),
            "{cast}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_the_reason() {
    let Some(server) = Postgres::start().unwrap() else {
        return;
    };
    let connection = open(&server.url()).await;
    let digits = |text: &str| text.to_owned();
    use ParameterValue as P;
    for (parameter, want) in [
        (P::Date((2023, 2, 29)), "invalid date y=2023, m=2, d=29"),
        (P::Time((24, 0, 0, 0)), "invalid time 24:0:0:0"),
        (
            P::Datetime((2023, 1, 1, 0, 60, 0, 0)),
            "invalid time 0:60:0:0",
        ),
        (
            P::Timestamp(i64::MAX),
            "invalid epoch timestamp 9223372036854775807",
        ),
        (
            P::Decimal(digits("x")),
            "invalid decimal x\n\nCaused by:\n    Invalid decimal: unknown character",
        ),
        (
            P::ArrayDecimal(vec![Some(digits(""))]),
            "invalid decimal \n\nCaused by:\n    Invalid decimal: empty",
        ),
        (
            P::Jsonb(b"{".to_vec()),
            "invalid JSON {\n\nCaused by:\n    EOF while parsing an object at line 1 column 1",
        ),
        (
            P::Uuid(digits("1")),
            "invalid UUID 1\n\nCaused by:\n    invalid length: found 1",
        ),
    ] {
        let statement = || "SELECT $1".to_owned();
        let Err(Error::BadParameter(why)) =
            connection.query(statement(), vec![parameter.clone()]).await
        else {
            panic!("{parameter:?}");
        };
        assert_eq!(why, want);
        let Err(Error::BadParameter(why)) = connection
            .stream(statement(), vec![parameter.clone()])
            .await
            .map(|_| ())
        else {
            panic!("{parameter:?}");
        };
        assert_eq!(why, want);
        let Err(Error::ValueConversionFailed(why)) =
            connection.execute(statement(), vec![parameter]).await
        else {
            panic!("{want}");
        };
        assert_eq!(why, want);
    }
    for (statement, parameters, want) in [
        (
            "SELECT $1::int8",
            vec![P::Int32(1)],
            "Error { kind: ToSql(0), cause: Some(WrongType { postgres: Int8, rust: \"i32\" }) }",
        ),
        (
            "SELECT $1::int8",
            vec![],
            "Error { kind: Parameters(0, 1), cause: None }",
        ),
        (
            "SELECT 1",
            vec![P::Int32(1)],
            "Error { kind: Parameters(1, 0), cause: None }",
        ),
        (
            "SELECT 'infinity'::timestamp",
            vec![],
            "error deserializing column 0\n\nCaused by:\n    value too large to decode",
        ),
        (
            "SELECT '{{1},{2}}'::int4[]",
            vec![],
            "error deserializing column 0\n\nCaused by:\n    array contains too many dimensions",
        ),
    ] {
        let result = connection.query(statement.to_owned(), parameters).await;
        let Err(Error::QueryFailed(QueryError::Text(why))) = result else {
            panic!("{statement}: {result:?}");
        };
        assert_eq!(why, want, "{statement}");
    }
    // Whatever went wrong, the connection goes on.
    assert_eq!(
        value(&*connection, "SELECT 7", vec![]).await.1,
        "DbValue::Int32(7)"
    );
}

#[tokio::test]
async fn an_error_of_the_server_comes_with_its_fields_whenever_it_comes() {
    let Some(server) = Postgres::start().unwrap() else {
        return;
    };
    let connection = open(&server.url()).await;
    let table = "CREATE TABLE t (id integer CONSTRAINT positive CHECK (id > 0))";
    assert_eq!(
        connection.execute(table.to_owned(), vec![]).await.unwrap(),
        0
    );
    // Before rows, with the first, and after some.
    for (statement, code, message, extra) in [
        (
            "SELEC 1",
            "42601",
            "syntax error at or near \"SELEC\"",
            ("routine", "scanner_yyerror"),
        ),
        (
            "INSERT INTO t VALUES (-1) RETURNING id",
            "23514",
            "new row for relation \"t\" violates check constraint \"positive\"",
            ("constraint", "positive"),
        ),
        (
            "SELECT 1 / (3 - n) FROM generate_series(1, 5) n",
            "22012",
            "division by zero",
            ("routine", "int4div"),
        ),
        (
            "SELECT 1; SELECT 2",
            "42601",
            "cannot insert multiple commands into a prepared statement",
            ("routine", "exec_parse_message"),
        ),
    ] {
        let mut errors = vec![
            connection
                .execute(statement.to_owned(), vec![])
                .await
                .unwrap_err(),
            connection
                .query(statement.to_owned(), vec![])
                .await
                .unwrap_err(),
        ];
        errors.push(
            match connection.stream(statement.to_owned(), vec![]).await {
                Ok(rows) => read(rows).await.2.unwrap_err(),
                Err(error) => error,
            },
        );
        for error in errors {
            let Error::QueryFailed(QueryError::DbError(error)) = error else {
                panic!("{statement}: {error:?}");
            };
            assert_eq!(error.severity, "ERROR");
            assert_eq!(
                (error.code.as_str(), error.message.as_str()),
                (code, message)
            );
            let extra = (extra.0.to_owned(), extra.1.to_owned());
            assert!(error.extras.contains(&extra), "{:?}", error.extras);
            assert!(
                error
                    .as_text
                    .starts_with("Error { kind: Db, cause: Some(DbError {"),
                "{}",
                error.as_text
            );
        }
    }
}

#[tokio::test]
async fn an_address_has_many_forms_and_the_first_host_that_answers_counts() {
    let Some(server) = Postgres::start().unwrap() else {
        return;
    };
    let (port, user, word) = (server.port(), Postgres::USER, Postgres::PASSWORD);
    let sign_in = format!("user={user} password={word} dbname=postgres");
    for address in [
        server.url(),
        format!(
            "{}?sslmode=disable&application_name=x&connect_timeout=5",
            server.url()
        ),
        format!("postgresql://{user}:{word}@localhost:{port}/postgres"),
        format!("host=127.0.0.1 port={port} {sign_in}"),
        format!("hostaddr=127.0.0.1 port={port} {sign_in}"),
        format!("host=localhost hostaddr=127.0.0.1 port={port} {sign_in}"),
        format!("host=127.0.0.1,127.0.0.1 port=1,{port} {sign_in}"),
        format!(
            "postgres://{user}:{word}@127.0.0.1:1,localhost:{port}/postgres?load_balance_hosts=random"
        ),
        format!(
            "host=localhost port={port} {sign_in} target_session_attrs=read-write keepalives_idle=30 keepalives_retries=2 tcp_user_timeout=9"
        ),
    ] {
        let connection = open(&address).await;
        let answer = value(&*connection, "SELECT 7", vec![]).await;
        assert_eq!(answer.1, "DbValue::Int32(7)", "{address}");
    }
    let grant = grant(&LOCAL);
    for (address, want) in [
        (
            format!("host=127.0.0.1 port={port} user={user} password=no dbname=postgres"),
            format!("db error: FATAL: password authentication failed for user \"{user}\""),
        ),
        (
            format!("host=127.0.0.1 port={port} user={user} dbname=postgres"),
            "invalid configuration: password missing".to_owned(),
        ),
        (
            format!(
                "host=127.0.0.1 port={port} {} dbname=none",
                sign_in.replace("dbname=postgres", "")
            ),
            "db error: FATAL: database \"none\" does not exist".to_owned(),
        ),
        (
            format!("host=127.0.0.1 port=1 {sign_in}"),
            "error connecting to server: Connection refused (os error 111)".to_owned(),
        ),
        (
            format!("host=localhost port={port} {sign_in} target_session_attrs=read-only"),
            "error connecting to server: database is not read only".to_owned(),
        ),
        (
            format!("host=127.0.0.1 port={port} {sign_in} sslmode=require"),
            "error performing TLS handshake: server does not support TLS".to_owned(),
        ),
        (
            format!("host=127.0.0.1 port={port} {sign_in} channel_binding=require"),
            "authentication error: server did not use channel binding".to_owned(),
        ),
    ] {
        let why = reason(open_with(&address, None, &grant).await);
        assert_eq!(why, want, "{address}");
    }
}

#[tokio::test]
async fn a_name_that_leads_to_a_private_address_needs_more_than_a_wildcard() {
    let Some(server) = Postgres::start().unwrap() else {
        return;
    };
    let port = server.port();
    for (entry, address, allowed) in [
        (
            "postgres://*:*".to_owned(),
            server.url().replace("127.0.0.1", "localhost"),
            false,
        ),
        ("postgres://*:*".to_owned(), server.url(), false),
        (
            format!("postgres://localhost:{port}"),
            server.url().replace("127.0.0.1", "localhost"),
            true,
        ),
        ("postgres://127.0.0.0/8:*".to_owned(), server.url(), true),
    ] {
        let opened = open_with(&address, None, &grant(&[&entry])).await;
        if allowed {
            assert!(opened.is_ok(), "{entry} {address}");
        } else {
            let why = reason(opened);
            assert!(why.ends_with(&format!(":{port} is not permitted")), "{why}");
        }
    }
}

/// A certificate authority, and a certificate of it for `localhost`, by the openssl program.
fn certificates(folder: &Path) -> anyhow::Result<Vec<String>> {
    let openssl = |arguments: &str| {
        let output = Command::new("openssl")
            .args(arguments.split_whitespace())
            .current_dir(folder)
            .output()?;
        anyhow::ensure!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    };
    std::fs::write(
        folder.join("names"),
        "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n",
    )?;
    openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=root -keyout root.key -out root.pem",
    )?;
    openssl(
        "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -keyout server.key -out server.csr",
    )?;
    openssl(
        "x509 -req -in server.csr -CA root.pem -CAkey root.key -CAcreateserial -days 2 -sha384 -extfile names -out server.pem",
    )?;
    let file = |name: &str| folder.join(name).display().to_string();
    Ok(vec![
        "ssl=on".to_owned(),
        format!("ssl_cert_file={}", file("server.pem")),
        format!("ssl_key_file={}", file("server.key")),
    ])
}

#[tokio::test]
async fn tls_is_spoken_with_a_server_whose_root_is_known_and_whose_name_is_right() {
    let Some(server) = Postgres::start_with(certificates).unwrap() else {
        return;
    };
    let pem = std::fs::read_to_string(server.folder().join("root.pem")).unwrap();
    let root = Root::from_pem(&pem).unwrap();
    let grant = grant(&LOCAL);
    let named = server.url().replace("127.0.0.1", "localhost");
    let spoken = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    for (query, root, want) in [
        ("sslmode=require", Some(root.clone()), Ok("true")),
        ("sslmode=prefer", Some(root.clone()), Ok("true")),
        (
            "sslmode=require&channel_binding=require",
            Some(root.clone()),
            Ok("true"),
        ),
        ("sslmode=disable", Some(root.clone()), Ok("false")),
        ("sslmode=disable", None, Ok("false")),
        (
            "sslmode=require",
            None,
            Err("invalid peer certificate: UnknownIssuer"),
        ),
        // As on Spin: a bad certificate is no reason to do without.
        (
            "sslmode=prefer",
            None,
            Err("invalid peer certificate: UnknownIssuer"),
        ),
    ] {
        let opened = open_with(&format!("{named}?{query}"), root.clone(), &grant).await;
        match want {
            Ok(want) => {
                let connection = opened.unwrap_or_else(|error| panic!("{query}: {error:?}"));
                let got = value(&*connection, spoken, vec![]).await.1;
                assert_eq!(got, format!("DbValue::Boolean({want})"), "{query}");
            }
            Err(want) => {
                let why = reason(opened);
                assert_eq!(
                    why,
                    format!("error performing TLS handshake: {want}"),
                    "{query}"
                );
            }
        }
    }
    let elsewhere = format!("{}?sslmode=require", server.url());
    let why = reason(open_with(&elsewhere, Some(root), &grant).await);
    assert!(why.contains("certificate not valid for name"), "{why}");
}

#[tokio::test]
async fn a_result_past_the_limit_is_refused_and_a_stream_of_it_is_not() {
    let Some(server) = Postgres::start().unwrap() else {
        return;
    };
    let connection = open(&server.url()).await;
    let limit = format!("query result exceeds limit of {MAX_RESULT_BYTES} bytes");
    let too_large = |result: Result<(), Error>| match result {
        Err(Error::QueryFailed(QueryError::Text(why))) => assert_eq!(why, limit),
        other => panic!("{other:?}"),
    };
    // 140 rows of a mebibyte.
    let many = "SELECT repeat('x', 1048576) FROM generate_series(1, 140)";
    too_large(connection.query(many.to_owned(), vec![]).await.map(|_| ()));
    let rows = connection.stream(many.to_owned(), vec![]).await.unwrap();
    let (count, _, ended) = read(rows).await;
    assert_eq!((count, ended.is_ok()), (140, true));
    // Small values whose text is long.
    let long = "SELECT array_agg(1e131071::numeric) FROM generate_series(1, 2000)";
    let why = connection
        .query(long.to_owned(), vec![])
        .await
        .map(|_| ())
        .unwrap_err();
    assert!(
        format!("{why:?}").contains("array exceeds limit"),
        "{why:?}"
    );
    // One value over the limit ends the connection, as the rest of it would have to be read.
    let one = format!("SELECT repeat('x', {})", MAX_RESULT_BYTES + 1);
    too_large(connection.query(one, vec![]).await.map(|_| ()));
    assert!(
        connection
            .query("SELECT 1".to_owned(), vec![])
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_stream_comes_as_it_is_made_and_ends_with_its_reader() {
    let Some(server) = Postgres::start().unwrap() else {
        return;
    };
    let (connection, other) = (open(&server.url()).await, open(&server.url()).await);
    let lock = "SELECT pg_advisory_lock(1)";
    other.query(lock.to_owned(), vec![]).await.unwrap();
    // Row 900 waits for a lock that the other connection has; before it come more bytes than
    // the server keeps to itself.
    let slow = "SELECT repeat('x', 1000), CASE WHEN n = 900 THEN pg_advisory_lock(1)::text END \
                FROM generate_series(1, 1000) n";
    let mut rows = connection.stream(slow.to_owned(), vec![]).await.unwrap();
    assert_eq!(rows.columns.len(), 2);
    let mut count = 0;
    while count < 500 {
        count += rows.batches.recv().await.unwrap().rows.len();
    }
    assert!(count < 900);
    let unlock = "SELECT pg_advisory_unlock(1)";
    other.query(unlock.to_owned(), vec![]).await.unwrap();
    let (rest, _, ended) = read(rows).await;
    assert_eq!((count + rest, ended.is_ok()), (1000, true));

    // Nobody reads: what is sent stops at the bound, and the reader's end is no error.
    let endless = "SELECT repeat('x', 10000), generate_series(1, 100000000)";
    let mut rows = connection.stream(endless.to_owned(), vec![]).await.unwrap();
    assert!(rows.batches.recv().await.is_some());
    drop(rows.batches);
    assert!(rows.outcome.await.unwrap().is_ok());
    // A connection that is dropped while it runs leaves nothing running here or there.
    drop(connection);
    while running(&*other).await != "DbValue::Int64(0)" {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_server_that_dies_ends_what_runs_on_it() {
    let Some(mut server) = Postgres::start().unwrap() else {
        return;
    };
    let (connection, other) = (open(&server.url()).await, open(&server.url()).await);
    let endless = "SELECT repeat('x', 10000), generate_series(1, 100000000)";
    let mut rows = connection.stream(endless.to_owned(), vec![]).await.unwrap();
    assert!(rows.batches.recv().await.is_some());
    let sleeping = tokio::spawn(async move {
        other
            .query("SELECT pg_sleep(3600)".to_owned(), vec![])
            .await
    });
    server.crash().unwrap();
    let (_, _, ended) = read(rows).await;
    assert!(matches!(ended, Err(Error::QueryFailed(_))), "{ended:?}");
    let ended = sleeping.await.unwrap();
    assert!(matches!(ended, Err(Error::QueryFailed(_))), "{ended:?}");
    let after = connection.execute("SELECT 1".to_owned(), vec![]).await;
    let Err(Error::QueryFailed(QueryError::Text(why))) = after else {
        panic!("{after:?}");
    };
    assert_eq!(why, "Error { kind: Closed, cause: None }");
    let why = reason(open_with(&server.url(), None, &grant(&LOCAL)).await);
    assert!(why.contains("Connection refused"), "{why}");
}

/// The server's process behind a connection.
async fn process(connection: &dyn Connection) -> String {
    value(connection, "SELECT pg_backend_pid()", vec![]).await.1
}

#[tokio::test]
async fn a_socket_counts_until_its_connection_is_set_back() {
    let Some(server) = Postgres::start().unwrap() else {
        return;
    };
    let (pool, granted) = (Pool::default(), grant(&LOCAL));
    let address = Address::new(&server.url(), &granted).unwrap();
    let sockets = Arc::new(tokio::sync::Semaphore::new(1));
    let mut used = None;
    for _ in 0..5 {
        // Whoever gets leave finds the connection that was set back, and makes no other.
        let socket = sockets.clone().acquire_owned().await.unwrap();
        let opened = pool.open(&address, None, &granted).await.unwrap();
        opened.keep(socket);
        let process = process(&*opened).await;
        assert_eq!(*used.get_or_insert(process.clone()), process);
        drop(opened);
    }
    // What cannot be used again is closed, and counts no more either.
    let socket = sockets.clone().acquire_owned().await.unwrap();
    let opened = pool.open(&address, None, &granted).await.unwrap();
    opened.keep(socket);
    let rows = opened.stream("SELECT generate_series(1, 100000000)".to_owned(), vec![]);
    drop((rows.await.unwrap(), opened));
    assert!(sockets.acquire().await.is_ok());
}

#[tokio::test]
async fn a_connection_is_used_again_as_good_as_new_and_only_by_who_may() {
    let Some(server) = Postgres::start().unwrap() else {
        return;
    };
    let (pool, granted) = (Pool::default(), grant(&LOCAL));
    let address = Address::new(&server.url(), &granted).unwrap();
    let first = pool.open(&address, None, &granted).await.unwrap();
    let used = process(&*first).await;
    for statement in [
        "CREATE TYPE mood AS ENUM ('fine')",
        "SET search_path = 'elsewhere'",
        "CREATE TEMP TABLE leftover (id integer)",
        "PREPARE leftover AS SELECT 1",
        "SELECT pg_advisory_lock(7)",
        "LISTEN leftover",
        "SELECT 'fine'::public.mood",
        "BEGIN",
        "CREATE TABLE public.uncommitted (id integer)",
    ] {
        first.execute(statement.to_owned(), vec![]).await.unwrap();
    }
    drop(first);
    // It is set back behind the scenes; until then an open gets a new one.
    let mut others = Vec::new();
    let again = loop {
        let opened = pool.open(&address, None, &granted).await.unwrap();
        if process(&*opened).await == used {
            break opened;
        }
        assert!(others.len() < 90, "it does not come back");
        others.push(opened);
    };
    for (statement, want) in [
        (
            "SELECT current_setting('search_path')",
            "DbValue::Str(\"\\\"$user\\\", public\")",
        ),
        (
            "SELECT to_regclass('pg_temp.leftover') IS NULL",
            "DbValue::Boolean(true)",
        ),
        (
            "SELECT to_regclass('public.uncommitted') IS NULL",
            "DbValue::Boolean(true)",
        ),
        (
            "SELECT count(*) FROM pg_prepared_statements WHERE from_sql",
            "DbValue::Int64(0)",
        ),
        (
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'",
            "DbValue::Int64(0)",
        ),
        (
            "SELECT count(*) FROM pg_listening_channels()",
            "DbValue::Int64(0)",
        ),
        (
            "SELECT pg_current_xact_id_if_assigned() IS NULL",
            "DbValue::Boolean(true)",
        ),
        (
            "SELECT 'fine'::mood",
            "DbValue::Unsupported([102, 105, 110, 101])",
        ),
    ] {
        let got = value(&*again, statement, vec![]).await.1;
        assert_eq!(got, want, "{statement}");
    }
    // A statement is given up in the middle: nobody gets that connection.
    let endless = "SELECT repeat('x', 10000), generate_series(1, 100000000)";
    let mut rows = again.stream(endless.to_owned(), vec![]).await.unwrap();
    assert!(rows.batches.recv().await.is_some());
    drop((rows, again));
    let watch = open(&server.url()).await;
    let alive = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE pid = {}",
        used.trim_start_matches("DbValue::Int32(")
            .trim_end_matches(')')
    );
    while value(&*watch, &alive, vec![]).await.1 != "DbValue::Int64(0)" {
        tokio::task::yield_now().await;
    }
    // What waits is no way around a grant: this one does not reach private addresses.
    drop(others);
    let wide = grant(&["postgres://*:*"]);
    let why = reason(pool.open(&address, None, &wide).await);
    assert!(why.ends_with("is not permitted"), "{why}");
}
