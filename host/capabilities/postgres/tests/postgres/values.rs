//! Every type, in and out.

use super::*;

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
