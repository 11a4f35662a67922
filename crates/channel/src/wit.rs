//! Turns an implementation of [`Channel`](crate::Channel) into the exported interface.

/// Exports a channel. Stands beside `wit_bindgen::generate!` for the world `channel`, in the same
/// module, after `wit_conversions!` for its types: `export_channel!(chatly_whatsapp::WhatsApp);`
#[macro_export]
#[expect(
    clippy::crate_in_macro_def,
    reason = "the bindings stand in the crate that calls the macro"
)]
macro_rules! export_channel {
    ($channel:ty) => {
        struct Component;

        const _: () = {
            use crate::chatly::types::{outbound as wit_out, types as wit_in};
            use crate::exports::chatly::channel::channel as wit;
            use $crate::Channel as _;
            use chatly_canonical::Convert;

            $crate::export_channel!(@in Header = wit_in::Header { name, value });
            $crate::export_channel!(@in Delivery = wit_in::Delivery { method, url, headers, body });
            $crate::export_channel!(@in Response = wit::Response { status, headers, body });
            $crate::export_channel!(@in outbound::Sender = wit_out::Sender { account, base_url });
            $crate::export_channel!(@in outbound::MediaSource = wit_out::MediaSource {
                kind, location, caption, filename
            });
            $crate::export_channel!(@in outbound::Template = wit_out::Template { name, language, components });
            $crate::export_channel!(@in outbound::Button = wit_out::Button { id, title });
            $crate::export_channel!(@in outbound::Row = wit_out::Row { id, title, description });
            $crate::export_channel!(@in outbound::Section = wit_out::Section { title, rows });
            $crate::export_channel!(@in outbound::Menu = wit_out::Menu { button, sections });
            $crate::export_channel!(@in outbound::ReactionTo = wit_out::ReactionTo { message_id, emoji });
            $crate::export_channel!(@in outbound::Message = wit_out::Message {
                to, chat, content, reply_to, reference, tag
            });
            $crate::export_channel!(@out Header = wit_in::Header { name, value });
            $crate::export_channel!(@out Reply = wit_in::Reply { status, headers, body });
            $crate::export_channel!(@out outbound::Request = wit_out::Request { method, url, headers, body, auth });
            $crate::export_channel!(@out MediaHost = wit::MediaHost { origin, trusted });
            $crate::export_channel!(@out Located = wit::Located { request, sha256, bytes });
            $crate::export_channel!(@choice MediaStep = wit::MediaStep { Download(v), Ask(v), Absent(v) });
            $crate::export_channel!(@out LimitBreach = wit::LimitBreach { limit, max, given });
            $crate::export_channel!(@out Verdict = wit::Verdict { outcome, message_id, retry_after_ms, code, reason });
            $crate::export_channel!(@out Limits = wit::Limits {
                text, text_unit, caption, buttons, button_title, list_rows, row_title, row_description,
                quick_replies, webhook_body_bytes
            });
            $crate::export_channel!(@out Window = wit::Window { secs, after });
            $crate::export_channel!(@out Rate = wit::Rate { scope, count, per_ms });
            $crate::export_channel!(@out Description = wit::Description {
                name, label, account_in_route, kinds, sends, limits, window, rates, base_url
            });
            $crate::export_channel!(@choice Refusal = wit::Refusal {
                MissingHeader(v), MalformedHeader(v), Mismatch, Stale(v), NoSecret, Other(v)
            });
            $crate::export_channel!(@choice RenderError = wit::RenderError { Unsupported(v), TooLong(v), Invalid(v) });
            $crate::export_channel!(@choice Outcome = wit::Outcome {
                Sent, Retry, RateLimited, PairLimited, Refused, WindowClosed, AccountStopped, Uncertain
            });
            $crate::export_channel!(@choice TextUnit = wit::TextUnit { Characters, Bytes, Utf16Units });
            $crate::export_channel!(@choice RateScope = wit::RateScope { Account, Pair, Chat });
            $crate::export_channel!(@choice Auth = wit_out::Auth { None, Bearer, Basic(v), Header(v), Path });

            impl Convert<wit::AfterWindow> for $crate::AfterWindow {
                fn convert(self) -> wit::AfterWindow {
                    match self {
                        $crate::AfterWindow::Refuse => wit::AfterWindow::Refuse,
                        $crate::AfterWindow::Template => wit::AfterWindow::Template,
                        $crate::AfterWindow::Tag(tag, secs) => wit::AfterWindow::Tag((tag, secs)),
                    }
                }
            }
            impl Convert<$crate::outbound::MediaLocation> for wit_out::MediaLocation {
                fn convert(self) -> $crate::outbound::MediaLocation {
                    match self {
                        wit_out::MediaLocation::Url(url) => $crate::outbound::MediaLocation::Url(url),
                        wit_out::MediaLocation::Id(id) => $crate::outbound::MediaLocation::Id(id),
                    }
                }
            }
            impl Convert<$crate::outbound::Content> for wit_out::Content {
                fn convert(self) -> $crate::outbound::Content {
                    use $crate::outbound::Content as Ours;
                    use wit_out::Content as Theirs;
                    match self {
                        Theirs::Text(text) => Ours::Text(text),
                        Theirs::Media(media) => Ours::Media(media.convert()),
                        Theirs::Location(location) => Ours::Location(location.convert()),
                        Theirs::Contacts(cards) => Ours::Contacts(cards.convert()),
                        Theirs::Reaction(reaction) => Ours::Reaction(reaction.convert()),
                        Theirs::Template(template) => Ours::Template(template.convert()),
                        Theirs::Buttons((text, buttons)) => Ours::Buttons(text, buttons.convert()),
                        Theirs::Menu((text, menu)) => Ours::Menu(text, menu.convert()),
                        Theirs::QuickReplies((text, buttons)) => Ours::QuickReplies(text, buttons.convert()),
                        Theirs::MarkRead(id) => Ours::MarkRead(id),
                        Theirs::Typing(id) => Ours::Typing(id),
                    }
                }
            }

            impl wit::Guest for Component {
                fn describe() -> wit::Description {
                    <$channel>::describe().convert()
                }
                fn handshake(
                    delivery: wit::Delivery,
                    verify_tokens: Vec<String>,
                    secrets: Vec<String>,
                    now: u64,
                ) -> Option<wit::Reply> {
                    <$channel>::handshake(&delivery.convert(), &verify_tokens, &secrets, now).convert()
                }
                fn verify(delivery: wit::Delivery, secrets: Vec<String>, now: u64) -> Result<(), wit::Refusal> {
                    <$channel>::verify(&delivery.convert(), &secrets, now).map_err(Convert::convert)
                }
                fn parse(delivery: wit::Delivery, account: Option<String>) -> Vec<wit::Event> {
                    <$channel>::parse(&delivery.convert(), account.as_deref()).convert()
                }
                fn acknowledge(delivery: wit::Delivery) -> wit::Reply {
                    <$channel>::acknowledge(&delivery.convert()).convert()
                }
                fn render(from: wit::Sender, message: wit::Message) -> Result<Vec<wit::Request>, wit::RenderError> {
                    <$channel>::render(&from.convert(), &message.convert())
                        .map(Convert::convert)
                        .map_err(Convert::convert)
                }
                fn classify(response: wit::Response) -> wit::Verdict {
                    <$channel>::classify(&response.convert()).convert()
                }
                fn media_hosts() -> Vec<wit::MediaHost> {
                    <$channel>::media_hosts().convert()
                }
                fn fetch_media(from: wit::Sender, media: wit::Media) -> wit::MediaStep {
                    <$channel>::fetch_media(&from.convert(), &media.convert()).convert()
                }
                fn read_media(from: wit::Sender, body: Vec<u8>) -> Result<wit::Located, String> {
                    <$channel>::read_media(&from.convert(), &body).map(Convert::convert)
                }
            }
        };

        export!(Component);
    };
    (@in $($ours:ident)::+ = $wit:ident :: $theirs:ident { $($field:ident),* }) => {
        impl Convert<$crate::$($ours)::+> for $wit::$theirs {
            fn convert(self) -> $crate::$($ours)::+ {
                $crate::$($ours)::+ { $($field: self.$field.convert()),* }
            }
        }
    };
    (@out $($ours:ident)::+ = $wit:ident :: $theirs:ident { $($field:ident),* }) => {
        impl Convert<$wit::$theirs> for $crate::$($ours)::+ {
            fn convert(self) -> $wit::$theirs {
                $wit::$theirs { $($field: self.$field.convert()),* }
            }
        }
    };
    (@choice $ours:ident = $wit:ident :: $theirs:ident { $($case:ident $(($value:ident))?),* }) => {
        impl Convert<$wit::$theirs> for $crate::$ours {
            fn convert(self) -> $wit::$theirs {
                match self {
                    $($crate::$ours::$case $(($value))? => $wit::$theirs::$case $(($value.convert()))?),*
                }
            }
        }
    };
}
