//! What is refused here, and what the server refuses.

use super::*;

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
