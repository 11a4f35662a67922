//! One session with one broker.

use std::time::Duration;

use chatly_outbound::Grant;
use rumqttc::{AsyncClient, Event, EventLoop, Incoming, MqttOptions, Outgoing, QoS};
use tokio::sync::Mutex;
use url::Url;

use super::{Error, PUBLISH_TIMEOUT, Qos};

/// Requests that may wait in a session: one, as its calls take turns.
const QUEUE: usize = 1;
/// The usual port (OASIS MQTT 3.1.1, section 4.2).
const PORT: u16 = 1883;

/// What `open` is called with, beside the address.
pub struct Login {
    /// The user's name; may be empty.
    pub username: String,
    /// The password; may be empty.
    pub password: String,
    /// The keep-alive interval in seconds, 0 for none.
    pub keep_alive_secs: u64,
}

/// A session; it connects with the first message.
pub struct Session(Mutex<(AsyncClient, EventLoop)>);

impl Session {
    /// A session with the broker at `address`, if `grant` allows it.
    ///
    /// # Errors
    ///
    /// [`Error::ConnectionFailed`] when it does not or nothing is found by that name,
    /// [`Error::InvalidAddress`] for an address without a `client_id`.
    pub async fn open(grant: &Grant, address: &str, login: Login) -> Result<Self, Error> {
        let mut url = Url::parse(address).map_err(|_| refused(address))?;
        let host = url.host_str().ok_or_else(|| refused(address))?.to_owned();
        let port = url.port().or(Some(PORT));
        if !grant.allows(url.scheme(), &host, port) {
            grant.refusal(url.scheme(), &host, port).log();
            return Err(refused(address));
        }
        if url.scheme() != "mqtt" {
            let text = format!("{}:// is not supported", url.scheme());
            return Err(Error::ConnectionFailed(text));
        }
        let name = host.trim_start_matches('[').trim_end_matches(']');
        let found = tokio::net::lookup_host((name, port.unwrap_or(PORT))).await;
        let mut found = found.map_err(|error| Error::ConnectionFailed(error.to_string()))?;
        let reached = found.find(|found| grant.reaches("mqtt", &host, port, found.ip()));
        let Some(reached) = reached else {
            grant.refusal("mqtt", &host, port).log();
            return Err(refused(address));
        };
        url.set_ip_host(reached.ip())
            .map_err(|()| Error::InvalidAddress)?;
        let mut options = MqttOptions::try_from(url).map_err(|_| Error::InvalidAddress)?;
        options.set_credentials(login.username, login.password);
        options.set_keep_alive(Duration::from_secs(login.keep_alive_secs));
        let session = AsyncClient::new(options, QUEUE);
        Ok(Self(Mutex::new(session)))
    }

    /// Publishes a message.
    ///
    /// # Errors
    ///
    /// [`Error::ConnectionFailed`] when the broker cannot be reached or does not acknowledge,
    /// [`Error::Other`] for a topic that is none.
    pub async fn publish(&self, topic: String, payload: Vec<u8>, qos: Qos) -> Result<(), Error> {
        let published = tokio::time::timeout(PUBLISH_TIMEOUT, self.send(topic, payload, qos));
        published.await.unwrap_or_else(|_elapsed| {
            let text = format!("no answer within {} s", PUBLISH_TIMEOUT.as_secs());
            Err(Error::ConnectionFailed(text))
        })
    }

    async fn send(&self, topic: String, payload: Vec<u8>, qos: Qos) -> Result<(), Error> {
        let qos = match qos {
            Qos::AtMostOnce => QoS::AtMostOnce,
            Qos::AtLeastOnce => QoS::AtLeastOnce,
            Qos::ExactlyOnce => QoS::ExactlyOnce,
        };
        let mut session = self.0.lock().await;
        let (client, events) = &mut *session;
        let queued = client.publish(topic, qos, false, payload).await;
        queued.map_err(|error| Error::Other(error.to_string()))?;
        loop {
            let event = events.poll().await;
            let event = event.map_err(|error| Error::ConnectionFailed(error.to_string()))?;
            match (qos, event) {
                (QoS::AtMostOnce, Event::Outgoing(Outgoing::Publish(_)))
                | (QoS::AtLeastOnce, Event::Incoming(Incoming::PubAck(_)))
                | (QoS::ExactlyOnce, Event::Incoming(Incoming::PubComp(_))) => return Ok(()),
                _ => {}
            }
        }
    }
}

fn refused(address: &str) -> Error {
    Error::ConnectionFailed(format!("address {address} is not permitted"))
}
