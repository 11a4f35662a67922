//! Addresses, names and TLS.

use super::*;

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
