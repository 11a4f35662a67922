//! The signature: Twilio's own vectors, and the rules that hold for every scheme.

use chatly_cases::Genuine;
use chatly_channel::{Channel as _, Delivery, Header, Refusal};
use chatly_simulator::{Delivery as Signed, Wish, find, twilio};
use chatly_twilio::Twilio;
use proptest::prelude::*;

const BASE_URL: &str = "https://chat.example.org";

fn secrets() -> Vec<String> {
    vec!["12345".into()]
}

/// A delivery of the vectors' form.
fn delivery(url: &str, content_type: Option<&str>, body: &str, signature: &str) -> Delivery {
    let content_type = content_type.map(|it| Header::new("Content-Type", it));
    Delivery {
        method: "POST".into(),
        url: url.into(),
        headers: [Header::new("X-Twilio-Signature", signature)]
            .into_iter()
            .chain(content_type)
            .collect(),
        body: body.as_bytes().to_vec(),
    }
}

const FORM: Option<&str> = Some("application/x-www-form-urlencoded");
const JSON: Option<&str> = Some("application/json");
const CALL: &str = "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212";
const TWICE: &str = "Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=5678";

#[test]
fn the_vectors_of_twilios_sdk_are_accepted() {
    // twilio-python, tests/unit/test_request_validator.py; auth token 12345.
    let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
    let body_url = format!(
        "{url}&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
    );
    let json = r#"{"property": "value", "boolean": true}"#;
    for (name, url, content_type, body, signature) in [
        ("a form", url, FORM, CALL, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        (
            "no content type",
            url,
            None,
            CALL,
            "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
        ),
        (
            "a name more than once",
            url,
            FORM,
            TWICE,
            "IK+Dwps556ElfBT0I3Rgjkr1wJU=",
        ),
        (
            "https, port in the URL only",
            "https://mycompany.com:1234/myapp.php?foo=1&bar=2",
            FORM,
            CALL,
            "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
        ),
        (
            "http with a port",
            "http://mycompany.com:1234/myapp.php?foo=1&bar=2",
            FORM,
            CALL,
            "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=",
        ),
        (
            "https, signed with port 443",
            url,
            FORM,
            CALL,
            "kvajT1Ptam85bY51eRf/AJRuM3w=",
        ),
        (
            "http, signed with port 80",
            "http://mycompany.com/myapp.php?foo=1&bar=2",
            FORM,
            CALL,
            "0ZXoZLH/DfblKGATFgpif+LLRf4=",
        ),
        (
            "a fragment",
            "https://mycompany.com/myapp.php?foo=1&bar=2#rc=3&rp=all",
            FORM,
            CALL,
            "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
        ),
        (
            "a JSON body",
            &body_url,
            JSON,
            json,
            "a9nBmqA0ju/hNViExpshrM61xv4=",
        ),
    ] {
        let delivery = delivery(url, content_type, body, signature);
        assert_eq!(Twilio::verify(&delivery, &secrets(), 0), Ok(()), "{name}");
        let other = ["54321".to_owned()];
        assert_eq!(
            Twilio::verify(&delivery, &other, 0),
            Err(Refusal::Mismatch),
            "{name}"
        );
        let rotated = ["54321".to_owned(), "12345".to_owned()];
        assert_eq!(Twilio::verify(&delivery, &rotated, 0), Ok(()), "{name}");
    }
}

#[test]
fn what_was_not_signed_is_refused() {
    let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
    let body_url = format!(
        "{url}&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
    );
    let json = r#"{"property": "value", "boolean": true}"#;
    let good = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
    let of_json = "a9nBmqA0ju/hNViExpshrM61xv4=";
    let lower = CALL.replace("%2B", "%2b");
    for (name, url, content_type, body, signature) in [
        (
            "another path",
            "https://mycompany.com/other.php?foo=1&bar=2",
            FORM,
            CALL,
            good,
        ),
        (
            "another query",
            "https://mycompany.com/myapp.php?foo=1&bar=3",
            FORM,
            CALL,
            good,
        ),
        (
            "another host",
            "https://mycompany.org/myapp.php?foo=1&bar=2",
            FORM,
            CALL,
            good,
        ),
        (
            "another scheme",
            "http://mycompany.com/myapp.php?foo=1&bar=2",
            FORM,
            CALL,
            good,
        ),
        (
            "one parameter less",
            url,
            FORM,
            "CallSid=CA1234567890ABCDE",
            good,
        ),
        ("the other spelling of an escape", url, FORM, &lower, good),
        ("a form called JSON", url, JSON, CALL, good),
        ("JSON without its digest", url, JSON, json, of_json),
        ("JSON of another digest", &body_url, JSON, "{}", of_json),
        ("no body in place of JSON", &body_url, FORM, "", of_json),
        (
            "a digest in upper case",
            &body_url.replace("0a1ff", "0A1FF"),
            JSON,
            json,
            of_json,
        ),
    ] {
        let delivery = delivery(url, content_type, body, signature);
        assert!(Twilio::verify(&delivery, &secrets(), 0).is_err(), "{name}");
    }
}

fn check(signed: Signed) -> anyhow::Result<()> {
    Genuine {
        delivery: signed.received_at(BASE_URL),
        secrets: vec!["secret".into()],
        now: 1_749_416_383,
        headers: &["x-twilio-signature"],
        proofs: &["x-twilio-signature"],
        covers_body: true,
        tolerance_secs: None,
    }
    .check::<Twilio>()
}

#[test]
fn only_what_the_platform_signed_is_accepted() {
    let platform = find("twilio").unwrap();
    for (kind, text) in [
        ("text", Some("Grüße / 😀 a+b=c&d")),
        ("referral", None),
        ("failed", None),
    ] {
        let wish = Wish {
            kind: kind.into(),
            text: text.map(Into::into),
            ..Wish::default()
        };
        let unsigned = platform.unsigned(&[wish]).unwrap();
        check(platform.sign(unsigned, BASE_URL, "secret", 0)).unwrap();
    }
}

#[test]
fn only_the_json_that_the_platform_signed_is_accepted() {
    let platform = find("twilio").unwrap();
    let unsigned = twilio::with_json("/webhooks/twilio", "{\"a\": \"ä😀\"}".as_bytes());
    check(platform.sign(unsigned, BASE_URL, "secret", 0)).unwrap();
}

proptest! {
    #[test]
    fn any_form_is_accepted_as_signed_and_not_with_another_value(
        pairs in proptest::collection::vec(("[A-Za-z0-9]{1,8}", "\\PC{0,20}"), 1..12),
        secret in "[!-~]{1,40}",
        port in prop_oneof![Just(""), Just(":443"), Just(":8443")],
        at: usize,
    ) {
        let platform = find("twilio").unwrap();
        let body = |pairs: &[(String, String)]| chatly_channel::form::encode(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let base_url = format!("https://chat.example.org{port}");
        let unsigned = Signed {
            method: "POST".into(),
            path: "/webhooks/twilio?a=b#rc=1".into(),
            headers: vec![("content-type".into(), "application/x-www-form-urlencoded".into())],
            body: body(&pairs).into_bytes(),
        };
        let signed = platform.sign(unsigned, &base_url, &secret, 0).received_at(&base_url);
        let secrets = [secret];
        prop_assert_eq!(Twilio::verify(&signed, &secrets, 0), Ok(()));
        let mut changed = pairs.clone();
        let at = at % changed.len();
        changed[at].1.push('!');
        let changed = Delivery { body: body(&changed).into_bytes(), ..signed };
        prop_assert_eq!(Twilio::verify(&changed, &secrets, 0), Err(Refusal::Mismatch));
    }

    #[test]
    fn nothing_makes_verify_panic(url: String, body: Vec<u8>, signature: Vec<u8>, secret: String) {
        let header = Header { name: "x-twilio-signature".into(), value: signature };
        let delivery = Delivery { method: "POST".into(), url, headers: vec![header], body };
        prop_assert!(Twilio::verify(&delivery, &[secret], 0).is_err());
    }
}
