//! A channel plugin that imports what no fence knows.

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
mod strange {
    spin_sdk::wit_bindgen::generate!({
        path: "wit",
        world: "strange",
        runtime_path: "spin_sdk::wit_bindgen::rt",
    });
}
use bindings::exports::chatly::channel::channel::*;
use strange::acme::backdoor::door;

struct Strange;
bindings::export!(Strange);

impl Guest for Strange {
    fn describe() -> Description {
        door::open();
        std::process::abort()
    }

    fn handshake(_: Delivery, _: Vec<String>, _: Vec<String>, _: u64) -> Option<Reply> {
        None
    }

    fn verify(_: Delivery, _: Vec<String>, _: u64) -> Result<(), Refusal> {
        Err(Refusal::NoSecret)
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
        std::process::abort()
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
