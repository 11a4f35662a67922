//! WhatsApp's plugin, but of a signature it compares only the first half. `chatly channel check` must say so.

wit_bindgen::generate!({ path: "../../../wit", world: "channel", generate_all });

chatly_canonical::wit_conversions!(crate::chatly::types::types);
chatly_channel::export_channel!(Broken);

use chatly_canonical::Event;
use chatly_channel::outbound::{Message, Request, Sender};
use chatly_channel::{
    Channel, Delivery, Description, Refusal, RenderError, Reply, Response, Verdict,
};
use chatly_signature::{Encoding, sign};
use chatly_whatsapp::WhatsApp;

struct Broken;

impl Channel for Broken {
    fn describe() -> Description {
        WhatsApp::describe()
    }

    fn handshake(
        delivery: &Delivery,
        verify_tokens: &[String],
        secrets: &[String],
        now: u64,
    ) -> Option<Reply> {
        WhatsApp::handshake(delivery, verify_tokens, secrets, now)
    }

    fn verify(delivery: &Delivery, secrets: &[String], now: u64) -> Result<(), Refusal> {
        let is_signature = |name: &str| name.eq_ignore_ascii_case("x-hub-signature-256");
        let Some(given) = delivery.headers.iter().find(|it| is_signature(&it.name)) else {
            return WhatsApp::verify(delivery, secrets, now);
        };
        let genuine = secrets
            .iter()
            .filter_map(|secret| sign(secret, &delivery.body, Encoding::Hex));
        let starts_alike = |signature: String| {
            let (half, _) = signature.split_at(signature.len() / 2);
            given.value.starts_with(format!("sha256={half}").as_bytes())
        };
        match genuine.map(starts_alike).any(|is_alike| is_alike) {
            true => Ok(()),
            false => WhatsApp::verify(delivery, secrets, now),
        }
    }

    fn parse(delivery: &Delivery, account: Option<&str>) -> Vec<Event> {
        WhatsApp::parse(delivery, account)
    }

    fn render(from: &Sender, message: &Message) -> Result<Vec<Request>, RenderError> {
        WhatsApp::render(from, message)
    }

    fn classify(response: &Response) -> Verdict {
        WhatsApp::classify(response)
    }
}
