//! What customers send as files, in the console's thread: seen, heard and saved from our own keeping,
//! and never from anywhere else.

use anyhow::Result;
use chatly_simulator::{Delivery, whatsapp};
use harness::{Browser, Gives, MediaHost, Options, TestApp, root, secrets};
use serde_json::{Value, json};

use crate::console::sign_in;
use crate::media::options;

/// A message with a file, and the host that the platform sends us to for it.
fn file(host: &MediaHost, kind: &str, id: &str, facts: Value, gives: Gives) -> Delivery {
    let answer = json!({
        "messaging_product": "whatsapp", "url": format!("{}/file/{id}", host.base()),
        "mime_type": "image/png", "id": id,
    });
    host.put(
        &format!("/v26.0/{id}"),
        &[Gives::Body(200, answer.to_string().into_bytes())],
    );
    host.put(&format!("/file/{id}"), &[gives]);
    let mut medium = json!({ "id": id, "mime_type": "image/png" });
    for (name, value) in facts.as_object().into_iter().flatten() {
        medium[name] = value.clone();
    }
    let message = json!({
        "from": "16505551234", "id": format!("wamid.{id}"), "timestamp": "1749416383", "type": kind, kind: medium,
    });
    whatsapp::raw_message(message).signed_with(secrets::WHATSAPP_APP[0])
}

/// A second of silence: RIFF with 8000 samples of 8 bits (Multimedia Programming Interface 1.0).
fn wav() -> Vec<u8> {
    let rate = 8000u32;
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + rate).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16u32.to_le_bytes());
    wav.extend([1, 0, 1, 0]);
    wav.extend(rate.to_le_bytes());
    wav.extend(rate.to_le_bytes());
    wav.extend([1, 0, 8, 0]);
    wav.extend(b"data");
    wav.extend(rate.to_le_bytes());
    wav.extend(vec![128; rate as usize]);
    wav
}

/// The message with this id of the platform, as a selector can only find it by what it says.
const MESSAGE: &str = "const message = [...document.querySelectorAll('.message')]
    .find((each) => each.textContent.includes(arguments[0]));";

struct Desk {
    browser: Browser,
    app: TestApp,
    host: MediaHost,
}

impl Desk {
    async fn open(change: impl FnOnce(&mut Options)) -> Result<Option<Self>> {
        let Some(browser) = Browser::start(1280, 900).await? else {
            return Ok(None);
        };
        let host = MediaHost::start().await?;
        let mut options = options("whatsapp", host.base());
        change(&mut options);
        let app = TestApp::start_with(options).await?;
        sign_in(&browser, &app).await?;
        Ok(Some(Desk { browser, app, host }))
    }

    async fn deliver(&self, kind: &str, id: &str, facts: Value, gives: Gives) -> Result<()> {
        let delivery = file(&self.host, kind, id, facts, gives);
        assert_eq!(self.app.deliver(&delivery).await?.status, 200, "{id}");
        Ok(())
    }

    async fn open_conversation(&self) -> Result<()> {
        let first = "document.querySelector('#conversations a')";
        self.browser.until(first).await?;
        self.browser
            .run(&format!("{first}.click()"), json!([]))
            .await?;
        self.browser
            .until("document.querySelector('.message')")
            .await
    }

    /// What a script says of the message that has these words.
    async fn of(&self, words: &str, script: &str) -> Result<Value> {
        self.browser
            .run(&format!("{MESSAGE} {script}"), json!([words]))
            .await
    }
}

#[tokio::test]
async fn a_browser_sees_hears_and_saves_what_customers_send_from_our_keeping_alone() -> Result<()> {
    // An address of the server that is not the one the page was opened by.
    let elsewhere = |options: &mut Options| {
        let base = (
            "public_base_url".to_owned(),
            "https://chat.example".to_owned(),
        );
        options.variables.extend([base]);
    };
    let Some(desk) = Desk::open(elsewhere).await? else {
        return Ok(());
    };
    let picture = std::fs::read(root().join("docs/console.png"))?;
    let caption = json!({ "caption": "My broken <b> one" });
    // The platform refuses at first: the message is there, and says that the picture is not yet.
    desk.deliver("image", "late", caption, Gives::Body(401, vec![]))
        .await?;
    desk.open_conversation().await?;
    let pending = "document.querySelector('.media [data-state=pending]')";
    desk.browser.until(pending).await?;
    let words = desk
        .of(
            "broken <b>",
            "return message.querySelector('.media').textContent",
        )
        .await?;
    assert!(
        words
            .as_str()
            .is_some_and(|words| words.starts_with("image is being fetched")),
        "{words}"
    );
    // Then it gives it, and the page shows it by itself.
    desk.host
        .put("/file/late", &[Gives::Body(200, picture.clone())]);
    desk.browser
        .until("document.querySelector('.picture img')?.naturalWidth > 0")
        .await?;
    let seen = desk
        .of(
            "broken <b>",
            "const img = message.querySelector('img'), box = img.getBoundingClientRect();
             return [img.alt, box.height, box.width <= message.clientWidth, new URL(img.src).origin === location.origin,
                 message.querySelector('[data-state=pending]')]",
        )
        .await?;
    assert_eq!(
        seen,
        json!(["Picture: My broken <b> one", 200, true, true, null])
    );

    desk.deliver(
        "audio",
        "voice",
        json!({ "voice": true }),
        Gives::Body(200, wav()),
    )
    .await?;
    desk.browser
        .until("document.querySelector('audio')")
        .await?;
    let sound = "const { controls, autoplay, paused, preload } = document.querySelector('audio');
        return [controls, autoplay, paused, preload, document.querySelector('audio').ariaLabel.startsWith('Sound: ')]";
    assert_eq!(
        desk.browser.run(sound, json!([])).await?,
        json!([true, false, true, "none", true])
    );
    // It plays on while messages come in, which read its links anew.
    let play = "const audio = document.querySelector('audio'); audio.loop = true; audio.muted = true; window.sound = audio; audio.play()";
    desk.browser.run(play, json!([])).await?;
    desk.browser
        .until("window.sound.currentTime > 0 && !window.sound.paused")
        .await?;

    let pdf = b"%PDF-1.7\n%%EOF\n".to_vec();
    let named = json!({ "filename": "Offer <1>.pdf", "mime_type": "application/pdf" });
    desk.deliver("document", "offer", named, Gives::Body(200, pdf))
        .await?;
    desk.browser
        .until("document.querySelector('.medium a[download=\"Offer <1>.pdf\"]')")
        .await?;
    let saved = desk
        .of(
            "Offer",
            "const link = message.querySelector('a[download]');
             return [message.querySelector('.media').textContent, link.origin === location.origin,
                 message.querySelectorAll('img, audio, video').length]",
        )
        .await?;
    let line = "document Offer <1>.pdf application/pdf · 1 KiB";
    assert_eq!(saved, json!([line, true, 0]));
    let playing = "return [window.sound.isConnected, window.sound.paused]";
    assert_eq!(
        desk.browser.run(playing, json!([])).await?,
        json!([true, false])
    );

    // Nothing but our own server was asked by the page, and its policy was never tried.
    let foreign = "return performance.getEntriesByType('resource').map((each) => each.name)
        .filter((name) => !name.startsWith(location.origin))";
    assert_eq!(desk.browser.run(foreign, json!([])).await?, json!([]));
    let log = desk.browser.log().await?;
    assert!(
        !log.iter()
            .any(|line| line.contains("Content Security Policy") || line.contains("Uncaught")),
        "{log:?}"
    );
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_shown_says_why() -> Result<()> {
    let Some(desk) = Desk::open(|_| {}).await? else {
        return Ok(());
    };
    let caption = json!({ "caption": "gone" });
    desk.deliver("image", "gone", caption, Gives::Body(404, vec![]))
        .await?;
    // Its first bytes say that it is a picture, and it is none.
    let broken = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR nothing".to_vec();
    let caption = json!({ "caption": "broken" });
    desk.deliver("image", "broken", caption, Gives::Body(200, broken))
        .await?;
    desk.open_conversation().await?;
    for shown in [
        "document.querySelector('.media [data-state=failed]')",
        "document.querySelector('.medium .gone')",
    ] {
        desk.browser.until(shown).await?;
    }
    let line = "return message.querySelector('.media').textContent";
    assert_eq!(
        desk.of("gone", line).await?,
        "image could not be fetched (gone: HTTP 404)"
    );
    let words = "return [message.querySelector('.gone').textContent, message.querySelectorAll('img').length,
        message.querySelectorAll('a[download]').length]";
    assert_eq!(
        desk.of("broken", words).await?,
        json!(["The browser cannot show it.", 0, 1])
    );
    Ok(())
}

#[tokio::test]
async fn without_a_signing_secret_the_thread_says_why_there_is_no_picture() -> Result<()> {
    let blank = |options: &mut Options| {
        let secret = ("media_signing_secret".to_owned(), " ".to_owned());
        options.variables.extend([secret]);
    };
    let Some(desk) = Desk::open(blank).await? else {
        return Ok(());
    };
    let picture = std::fs::read(root().join("docs/console.png"))?;
    let caption = json!({ "caption": "unsigned" });
    desk.deliver("image", "unsigned", caption, Gives::Body(200, picture))
        .await?;
    desk.open_conversation().await?;
    desk.browser
        .until("document.querySelector('.media [data-state=stored]')")
        .await?;
    let line = "return [message.querySelector('.media').textContent, message.querySelectorAll('img, .media a').length]";
    let words = "image is kept, but has no link: media_signing_secret is not set";
    assert_eq!(desk.of("unsigned", line).await?, json!([words, 0]));
    Ok(())
}
