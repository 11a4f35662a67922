//! Addresses, messages and numbers, whatever they hold.

use super::*;

#[test]
fn every_host_of_an_address_must_be_allowed() {
    let grant = grant(&[
        "postgres://a.example",
        "postgres://b.example:5433",
        "postgres://10.0.0.1",
        "postgres://[::1]:5432",
        "postgres://c.example:6000..6010",
        "mysql://d.example:5432",
    ]);
    let refused = |target: &str| Some(format!("address postgres://{target} is not permitted"));
    for (address, want) in [
        ("postgres://a.example", None),
        (
            "postgresql://user:word@a.example:5432/db?sslmode=require",
            None,
        ),
        ("host=a.example user=x dbname=y", None),
        ("host=a.example port=5432", None),
        ("host=a.example,b.example port=5432,5433", None),
        ("postgres://a.example:5432,b.example:5433/db", None),
        ("host=a.example hostaddr=10.0.0.1", None),
        ("hostaddr=10.0.0.1", None),
        ("postgres://[::1]/db", None),
        ("host=::1", None),
        ("host=c.example port=6009", None),
        ("host=a.example port=5433", refused("a.example:5433")),
        ("host=c.example port=6010", refused("c.example:6010")),
        ("postgres://b.example", refused("b.example:5432")),
        ("host=d.example", refused("d.example")),
        ("host=a.example,evil.example", refused("evil.example")),
        (
            "postgres://a.example,evil.example:5432",
            refused("evil.example:5432"),
        ),
        ("host=a.example,b.example", refused("b.example")),
        (
            "host=a.example,a.example port=5432,1",
            refused("a.example:1"),
        ),
        // Where the connection would really go.
        ("host=a.example hostaddr=10.0.0.2", refused("10.0.0.2")),
        ("hostaddr=10.0.0.2", refused("10.0.0.2")),
        ("hostaddr=::1 port=5433", refused("::1:5433")),
        (
            "postgres://a.example@evil.example",
            refused("evil.example:5432"),
        ),
        ("host=a.example\u{0}evil", refused("a.example\u{0}evil")),
    ] {
        let answer = match Address::new(address, &grant) {
            Ok(_) => None,
            Err(Error::ConnectionFailed(why)) => Some(why),
            Err(other) => Some(format!("{other:?}")),
        };
        assert_eq!(answer, want, "{address:?}");
    }
}

#[test]
fn what_is_no_address_is_refused_with_the_reason() {
    let grant = grant(&["postgres://a.example"]);
    for (address, want) in [
        (
            "",
            "invalid configuration: both host and hostaddr are missing",
        ),
        (
            "user=x",
            "invalid configuration: both host and hostaddr are missing",
        ),
        (
            "host=/run/postgresql",
            "Unix sockets are not supported on WebAssembly",
        ),
        (
            "postgres://%2Frun%2Fpostgresql/db",
            "Unix sockets are not supported on WebAssembly",
        ),
        (
            "host=a.example,a.example port=5432,5432,5432",
            "invalid configuration: invalid number of ports",
        ),
        (
            "host=a.example sslmode=maybe",
            "invalid connection string: invalid value for option `sslmode`",
        ),
        ("a.example", "invalid connection string: unexpected EOF"),
    ] {
        let answer = Address::new(address, &grant).map_err(|error| format!("{error:?}"));
        let want = format!("Error::ConnectionFailed({want:?})");
        assert_eq!(answer.err(), Some(want), "{address:?}");
    }
}

/// What a server sent, seen in pieces of every size.
fn seen(start: Next, bytes: &[u8]) -> Result<Next, ()> {
    let whole = start.see(bytes);
    for size in 1..=bytes.len() {
        let pieces = bytes.chunks(size).try_fold(start, Next::see);
        assert_eq!(pieces, whole, "{size}");
    }
    whole
}

fn message(length: u32, rest: usize) -> Vec<u8> {
    let mut bytes = vec![b'D'];
    bytes.extend(length.to_be_bytes());
    bytes.extend(vec![b'S'; rest]);
    bytes
}

#[test]
fn a_message_is_bounded_however_it_comes() {
    let limit = u32::try_from(MAX_RESULT_BYTES).unwrap();
    let after_no = |bytes: Vec<u8>| [b"N".as_slice(), &bytes].concat();
    let after_yes = |bytes: Vec<u8>| [b"S".as_slice(), &bytes].concat();
    let two = |one: Vec<u8>, other: Vec<u8>| [one, other].concat();
    for (name, start, bytes, want) in [
        ("nothing", Next::MESSAGE, vec![], Ok(Next::MESSAGE)),
        ("empty", Next::MESSAGE, message(4, 0), Ok(Next::MESSAGE)),
        ("whole", Next::MESSAGE, message(12, 8), Ok(Next::MESSAGE)),
        ("begun", Next::MESSAGE, message(12, 5), Ok(Next::Rest(3))),
        (
            "two",
            Next::MESSAGE,
            two(message(12, 8), message(9, 2)),
            Ok(Next::Rest(3)),
        ),
        (
            "longest",
            Next::MESSAGE,
            message(limit + 4, 0),
            Ok(Next::Rest(limit)),
        ),
        ("too long", Next::MESSAGE, message(limit + 5, 0), Err(())),
        ("far too long", Next::MESSAGE, message(u32::MAX, 3), Err(())),
        (
            "second too long",
            Next::MESSAGE,
            two(message(4, 0), message(limit + 5, 0)),
            Err(()),
        ),
        (
            "length below itself",
            Next::MESSAGE,
            message(0, 0),
            Ok(Next::MESSAGE),
        ),
        (
            "no TLS",
            Next::Answer,
            after_no(message(limit + 5, 0)),
            Err(()),
        ),
        (
            "TLS",
            Next::Answer,
            after_yes(message(u32::MAX, 3)),
            Ok(Next::Sealed),
        ),
        (
            "TLS at once",
            Next::Sealed,
            message(u32::MAX, 3),
            Ok(Next::Sealed),
        ),
    ] {
        assert_eq!(seen(start, &bytes), want, "{name}");
    }
}

#[test]
fn numbers_keep_every_digit() {
    for (text, want) in [
        ("0", "0"),
        ("-0", "0"),
        ("0.00", "0.00"),
        ("+12", "12"),
        ("-12.50", "-12.50"),
        ("0012.5", "12.5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("10000", "10000"),
        ("100000000", "100000000"),
        ("0.0001", "0.0001"),
        ("0.00001", "0.00001"),
        (
            "12345678901234567890123456789012345678901234567890.1",
            "12345678901234567890123456789012345678901234567890.1",
        ),
        ("9999.9999", "9999.9999"),
    ] {
        assert_eq!(text.parse::<Numeric>().unwrap().to_string(), want, "{text}");
    }
    for (text, want) in [
        ("", "Invalid decimal: empty"),
        ("-", "Invalid decimal: empty"),
        (".", "Invalid decimal: empty"),
        ("1e3", "Invalid decimal: unknown character"),
        ("--1", "Invalid decimal: unknown character"),
        ("1.2.3", "Invalid decimal: unknown character"),
        ("NaN", "Invalid decimal: unknown character"),
        (" 1", "Invalid decimal: unknown character"),
        ("١", "Invalid decimal: unknown character"),
    ] {
        assert_eq!(
            text.parse::<Numeric>().unwrap_err().to_string(),
            want,
            "{text}"
        );
    }
    let long = "1".repeat(131_073);
    assert!(long.parse::<Numeric>().is_err());
    let deep = format!("0.{}", "1".repeat(16_384));
    assert!(deep.parse::<Numeric>().is_err());
}

proptest! {
    #[test]
    fn any_number_comes_back_as_it_was_written(text in "-?[1-9][0-9]{0,60}(\\.[0-9]{1,40})?") {
        use tokio_postgres::types::{FromSql as _, ToSql as _, Type};
        let number: Numeric = text.parse().unwrap();
        prop_assert_eq!(number.to_string(), text);
        let mut sent = bytes::BytesMut::new();
        number.to_sql(&Type::NUMERIC, &mut sent).unwrap();
        prop_assert_eq!(Numeric::from_sql(&Type::NUMERIC, &sent).unwrap(), number);
    }

    #[test]
    fn no_text_of_a_number_and_no_bytes_of_one_panic(text in ".{0,20}", bytes: Vec<u8>) {
        use tokio_postgres::types::{FromSql as _, Type};
        let _ = text.parse::<Numeric>();
        if let Ok(number) = Numeric::from_sql(&Type::NUMERIC, &bytes) {
            let _ = number.to_string();
        }
    }

    #[test]
    fn no_address_panics_or_names_a_host_that_is_not_allowed(text in "(host=|hostaddr=|port=|postgres://|[a-c:,@/ 0-9.]){0,12}") {
        let grant = grant(&["postgres://a"]);
        if let Ok(address) = Address::new(&text, &grant) {
            for host in address.hosts() {
                prop_assert_eq!((host.target(), host.port), ("a".to_owned(), 5432));
            }
        }
    }

    #[test]
    fn pieces_say_what_the_whole_says(bytes in proptest::collection::vec(0_u8..9, 0..60)) {
        let _ = seen(Next::Answer, &bytes);
    }
}
