//! WhatsApp's plugin, but it accepts a delivery that has no signature. `chatly channel check` must say so.

wit_bindgen::generate!({ path: "../../../wit", world: "channel", generate_all });

chatly_canonical::wit_conversions!(crate::chatly::types::types);
chatly_channel::export_channel!(Broken);

use chatly_canonical::Event;
use chatly_channel::outbound::{Message, Request, Sender};
use chatly_channel::{
    Channel, Delivery, Description, Refusal, RenderError, Reply, Response, Verdict,
};
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
        match WhatsApp::verify(delivery, secrets, now) {
            Err(Refusal::MissingHeader(_)) => Ok(()),
            other => other,
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
