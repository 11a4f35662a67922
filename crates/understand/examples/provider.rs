//! Sends our own requests to a server that was not written here, and tells what came of each.
//!
//! `deploy/litellm/try` runs it against LiteLLM's proxy. Plain HTTP to loopback only: this is no
//! client, it shows that what is rendered is accepted and what comes back is read.
//!
//! ```sh
//! cargo run -p chatly-understand --example provider -- 127.0.0.1:4000 sk-local
//! ```

use std::error::Error as StdError;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use chatly_understand::{
    Api, Call, Error, Key, Provider, Request, Response, Role, Session, Step, Turn,
};

type Result<T> = std::result::Result<T, Box<dyn StdError>>;

/// One row: how it is spoken to, the model's name there, the key, and what must come of it.
type Case<'a> = (&'a str, Api, &'a str, &'a str, fn(&Outcome) -> bool);
type Outcome = (std::result::Result<Vec<String>, Error>, u32);

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address: SocketAddr = arguments.next().ok_or("ADDRESS KEY")?.parse()?;
    let key = arguments.next().ok_or("ADDRESS KEY")?;
    if !address.ip().is_loopback() {
        return Err("loopback only".into());
    }
    let understood: fn(&Outcome) -> bool =
        |(result, calls)| matches!(result, Ok(intents) if intents == &["pricing"]) && *calls == 1;
    let cases: [Case<'_>; 8] = [
        ("a good answer", Api::OpenAi, "good", &key, understood),
        (
            "a good answer, Anthropic's protocol",
            Api::Anthropic,
            "good",
            &key,
            understood,
        ),
        (
            "a good answer, passed on",
            Api::OpenAi,
            "chained",
            &key,
            understood,
        ),
        (
            "not the form, twice",
            Api::OpenAi,
            "wrong",
            &key,
            |(result, calls)| matches!(result, Err(Error::InvalidAnswer(_))) && *calls == 2,
        ),
        ("too fast", Api::OpenAi, "limited", &key, |(result, _)| {
            matches!(result, Err(Error::RateLimited { .. }))
        }),
        (
            "a failing service",
            Api::OpenAi,
            "failing",
            &key,
            |(result, _)| matches!(result, Err(Error::Unavailable(_))),
        ),
        (
            "an unknown model",
            Api::OpenAi,
            "nobody-has-it",
            &key,
            |(result, _)| matches!(result, Err(Error::Refused(_))),
        ),
        (
            "a wrong key",
            Api::OpenAi,
            "good",
            "sk-wrong-0123456789",
            |(result, _)| matches!(result, Err(Error::Refused(_))),
        ),
    ];
    let mut failed = 0;
    for (name, api, model, key, holds) in cases {
        println!("== {name}");
        let outcome = enrich(address, api, model, key)?;
        let verdict = if holds(&outcome) {
            "ok"
        } else {
            "NOT AS EXPECTED"
        };
        failed += i32::from(!holds(&outcome));
        println!("-- {verdict}: {outcome:?}\n");
    }
    if failed > 0 {
        Err(format!("{failed} not as expected").into())
    } else {
        Ok(())
    }
}

fn enrich(address: SocketAddr, api: Api, model: &str, key: &str) -> Result<Outcome> {
    let provider = Provider {
        api,
        base_url: format!("http://{address}"),
        api_key: Key(key.to_owned()),
        model: model.to_owned(),
        max_output_tokens: 0,
    };
    let turn = |role, text: &str| Turn {
        role,
        text: text.to_owned(),
    };
    let window = [
        turn(Role::Customer, "Hola"),
        turn(Role::Agent, "¡Hola! ¿En qué puedo ayudar?"),
        turn(
            Role::Customer,
            "¿Cuánto cuestan 20 tazas azules? Escriba a [EMAIL_1]",
        ),
    ];
    let mut session = Session::new(provider, &window, &Request::default())?;
    let mut call = session.first();
    loop {
        let response = post(address, &call)?;
        match session.answered(&response) {
            Step::Repair(repair) => {
                println!("   repair: {}", session.give_up());
                call = repair;
            }
            Step::Done(enriched) => {
                println!("   {enriched:?}\n   {:?}", session.usage());
                let names = enriched.intents.into_iter().map(|intent| intent.name);
                return Ok((Ok(names.collect()), session.usage().calls));
            }
            Step::Failed(error) => return Ok((Err(error), session.usage().calls)),
        }
    }
}

fn post(address: SocketAddr, call: &Call) -> Result<Response> {
    let Call::Http { url, headers, body } = call else {
        return Err("no HTTP".into());
    };
    let path = url.splitn(4, '/').nth(3).unwrap_or_default();
    let mut head = format!("POST /{path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("content-length: {}\r\n\r\n", body.len());
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(1 << 20).read_to_end(&mut answer)?;
    let end = answer
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .ok_or("no head")?;
    let (head, body) = answer.split_at(end + 4);
    let head = String::from_utf8_lossy(head);
    let status = head.split(' ').nth(1).ok_or("no status")?.parse()?;
    let fields = head
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "));
    let headers: Vec<(String, Vec<u8>)> = fields
        .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
        .collect();
    println!(
        "   POST /{path} {} bytes -> {status}, {} bytes",
        call_len(call),
        body.len()
    );
    println!(
        "   {}",
        String::from_utf8_lossy(body)
            .chars()
            .take(400)
            .collect::<String>()
    );
    Ok(Response {
        status,
        headers,
        body: body.to_vec(),
    })
}

fn call_len(call: &Call) -> usize {
    match call {
        Call::Http { body, .. } => body.len(),
        Call::Spin { prompt, .. } => prompt.len(),
    }
}
