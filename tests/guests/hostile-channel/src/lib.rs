//! Takes a channel plugin's place and tries everything that a channel plugin may not do. The header
//! `x-attack` says what; `reach <name>` answers with what came of that attempt, as JSON.

use serde_json::Value;

mod bindings {
    #![expect(
        clippy::crate_in_macro_def,
        reason = "the generated macro is for this crate"
    )]
    spin_sdk::wit_bindgen::generate!({
        path: "../../../wit",
        world: "channel",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
        pub_export_macro: true,
        default_bindings_module: "crate::bindings",
    });
}
use bindings::exports::chatly::channel::channel::*;

mod reach;

struct Hostile;
bindings::export!(Hostile);

impl Guest for Hostile {
    fn describe() -> Description {
        Description {
            name: "whatsapp".into(),
            label: "WhatsApp".into(),
            account_in_route: false,
            kinds: vec![],
            sends: vec![],
            limits: Limits {
                text: None,
                text_unit: TextUnit::Characters,
                caption: None,
                buttons: None,
                button_title: None,
                list_rows: None,
                row_title: None,
                row_description: None,
                quick_replies: None,
                webhook_body_bytes: 0,
            },
            window: None,
            rates: vec![],
            base_url: String::new(),
        }
    }

    fn handshake(delivery: Delivery, _: Vec<String>, _: Vec<String>, _: u64) -> Option<Reply> {
        let attack = attack(&delivery);
        if let Some(name) = attack.strip_prefix("reach ") {
            return Some(answer(&reach::attempt(name)));
        }
        match attack.as_str() {
            "loop" => spin_forever(),
            "allocate" => allocate_without_end(),
            "trap" => std::process::abort(),
            _ => None,
        }
    }

    fn verify(_: Delivery, _: Vec<String>, _: u64) -> Result<(), Refusal> {
        Ok(())
    }

    fn parse(_: Delivery, _: Option<String>) -> Vec<Event> {
        vec![]
    }

    fn acknowledge(_: Delivery) -> Reply {
        Reply {
            status: 200,
            headers: vec![],
            body: vec![],
        }
    }

    fn render(_: Sender, _: Message) -> Result<Vec<Request>, RenderError> {
        Ok(vec![])
    }

    fn classify(_: Response) -> Verdict {
        Verdict {
            outcome: Outcome::Refused,
            message_id: None,
            retry_after_ms: None,
            code: None,
            reason: String::new(),
        }
    }

    fn media_hosts() -> Vec<MediaHost> {
        vec![]
    }

    fn fetch_media(_: Sender, _: Media) -> MediaStep {
        MediaStep::Absent(String::new())
    }

    fn read_media(_: Sender, _: Vec<u8>) -> Result<Located, String> {
        Err(String::new())
    }
}

fn attack(delivery: &Delivery) -> String {
    let header = delivery
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("x-attack"));
    header
        .map(|header| String::from_utf8_lossy(&header.value).into_owned())
        .unwrap_or_default()
}

fn answer(report: &Value) -> Reply {
    Reply {
        status: 200,
        headers: vec![],
        body: report.to_string().into_bytes(),
    }
}

fn spin_forever() -> ! {
    let mut n = 0u64;
    loop {
        n = std::hint::black_box(n.wrapping_add(1));
    }
}

fn allocate_without_end() -> ! {
    let mut hoard = Vec::new();
    loop {
        hoard.push(std::hint::black_box(vec![1u8; 1 << 20]));
    }
}
