//! Media of a message: the delivery names an address of the API, which takes the account and its token
//! and redirects to a store that takes neither.
//!
//! Source: Twilio's documentation of the Media resource.

use chatly_canonical::Media;
use chatly_channel::outbound::{Auth, Sender};
use chatly_channel::{MediaHost, MediaStep};

pub(crate) fn hosts() -> Vec<MediaHost> {
    vec![
        MediaHost::open("https://*.twiliocdn.com"),
        MediaHost::open("https://s3-external-1.amazonaws.com"),
    ]
}

pub(crate) fn fetch(from: &Sender, media: &Media) -> MediaStep {
    MediaStep::by_url(media, Auth::Basic(from.account.clone()))
}

#[cfg(test)]
mod tests {
    use chatly_channel::media::get;

    use super::*;

    #[test]
    fn the_account_and_its_token_go_along() {
        let from = Sender {
            account: "AC1".into(),
            base_url: "https://api.twilio.com".into(),
        };
        let url = "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1";
        let media = Media {
            url: Some(url.into()),
            ..Media::default()
        };
        let want = MediaStep::Download(get(url.into(), Auth::Basic("AC1".into())));
        assert_eq!(fetch(&from, &media), want);
        assert_eq!(fetch(&from, &Media::default()), MediaStep::unnamed());
    }
}
