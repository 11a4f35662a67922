//! One session with one broker.

use std::net::IpAddr;
use std::time::Duration;

use chatly_outbound::Grant;
use rumqttc::{AsyncClient, Event, EventLoop, Incoming, MqttOptions, Outgoing, QoS};
use tokio::sync::Mutex;
use tracing::field::Empty;
use tracing::{Span, instrument};
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

/// A session; it connects with the first message, and again after one that failed.
pub struct Session {
    /// One for each address that the name led to.
    options: Vec<MqttOptions>,
    live: Mutex<Option<Live>>,
}

/// A connection on which nothing is under way.
struct Live {
    client: AsyncClient,
    events: EventLoop,
}

impl Session {
    /// A session with the broker at `address`, if `grant` allows it.
    ///
    /// # Errors
    ///
    /// [`Error::ConnectionFailed`] when it does not or nothing is found by that name,
    /// [`Error::InvalidAddress`] for an address whose query is not understood or lacks `client_id`.
    #[instrument(name = "spin_outbound_mqtt.open_connection", level = "debug", skip_all, fields(otel.kind = "client", messaging.system = "mqtt", server.address = Empty, server.port = Empty))]
    pub async fn open(grant: &Grant, address: &str, login: Login) -> Result<Self, Error> {
        let url = Url::parse(address).map_err(|_| refused(address))?;
        let host = url.host_str().ok_or_else(|| refused(address))?;
        let port = url.port().or(Some(PORT));
        if !grant.allows(url.scheme(), host, port) {
            grant.refusal(url.scheme(), host, port).log();
            return Err(refused(address));
        }
        let span = Span::current();
        span.record("server.address", host);
        span.record("server.port", port);
        if url.scheme() != "mqtt" {
            let text = format!("{}:// is not supported", url.scheme());
            return Err(Error::ConnectionFailed(text));
        }
        check_query(&url)?;
        let name = host.trim_start_matches('[').trim_end_matches(']');
        let found = tokio::net::lookup_host((name, port.unwrap_or(PORT))).await;
        let found = found.map_err(|error| Error::ConnectionFailed(error.to_string()))?;
        let reached = found.filter(|found| grant.reaches("mqtt", host, port, found.ip()));
        let options = reached
            .map(|reached| options(&url, reached.ip(), &login))
            .collect::<Result<Vec<_>, _>>()?;
        if options.is_empty() {
            grant.refusal("mqtt", host, port).log();
            return Err(refused(address));
        }
        Ok(Self {
            options,
            live: Mutex::default(),
        })
    }

    /// Publishes a message.
    ///
    /// # Errors
    ///
    /// [`Error::ConnectionFailed`] when the broker cannot be reached or does not acknowledge,
    /// [`Error::Other`] for a topic that is none.
    #[instrument(name = "spin_outbound_mqtt.publish", level = "debug", skip_all, fields(otel.kind = "producer", messaging.operation = "publish", messaging.system = "mqtt"))]
    pub async fn publish(&self, topic: String, payload: Vec<u8>, qos: Qos) -> Result<(), Error> {
        let published = tokio::time::timeout(PUBLISH_TIMEOUT, self.send(topic, payload, qos));
        published.await.unwrap_or_else(|_elapsed| {
            let text = format!("no answer within {} s", PUBLISH_TIMEOUT.as_secs());
            Err(Error::ConnectionFailed(text))
        })
    }

    async fn send(&self, topic: String, payload: Vec<u8>, qos: Qos) -> Result<(), Error> {
        let mut place = self.live.lock().await;
        // Taken out until all went well: an error, the timeout and a caller that leaves all drop
        // it, so that no later message takes the acknowledgement of this one for its own.
        let mut live = match place.take() {
            Some(live) => live,
            None => self.connect().await?,
        };
        live.publish(topic, payload, qos).await?;
        *place = Some(live);
        Ok(())
    }

    /// Connects to the first address that lets it.
    async fn connect(&self) -> Result<Live, Error> {
        let mut failed = Error::ConnectionFailed("there is no address".to_owned());
        for options in &self.options {
            let (client, mut events) = AsyncClient::new(options.clone(), QUEUE);
            loop {
                match events.poll().await {
                    Ok(Event::Incoming(Incoming::ConnAck(_))) => {
                        return Ok(Live { client, events });
                    }
                    Ok(_) => {}
                    Err(error) => {
                        failed = Error::ConnectionFailed(error.to_string());
                        break;
                    }
                }
            }
        }
        Err(failed)
    }
}

impl Live {
    async fn publish(&mut self, topic: String, payload: Vec<u8>, qos: Qos) -> Result<(), Error> {
        let qos = match qos {
            Qos::AtMostOnce => QoS::AtMostOnce,
            Qos::AtLeastOnce => QoS::AtLeastOnce,
            Qos::ExactlyOnce => QoS::ExactlyOnce,
        };
        let queued = self.client.publish(topic, qos, false, payload).await;
        queued.map_err(|error| Error::Other(error.to_string()))?;
        loop {
            let event = self.events.poll().await;
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

/// Refuses what the client library ends the process for instead of refusing it: nothing in flight,
/// and a session that is to be kept for nobody.
fn check_query(url: &Url) -> Result<(), Error> {
    let value = |key: &str| {
        let pairs = url.query_pairs().filter(|(name, _)| name == key);
        pairs.last().map(|(_, value)| value.into_owned())
    };
    let in_flight = value("inflight_num").map(|number| number.parse::<u16>());
    let client = value("client_id").unwrap_or_default();
    let nobody = client.is_empty() || client.starts_with(' ');
    let kept = value("clean_session").is_some_and(|clean| clean != "true");
    if in_flight.is_some_and(|number| number.unwrap_or(0) == 0) || (nobody && kept) {
        return Err(Error::InvalidAddress);
    }
    Ok(())
}

fn options(url: &Url, address: IpAddr, login: &Login) -> Result<MqttOptions, Error> {
    let mut url = url.clone();
    url.set_ip_host(address)
        .map_err(|()| Error::InvalidAddress)?;
    let mut options = MqttOptions::try_from(url).map_err(|_| Error::InvalidAddress)?;
    options.set_credentials(login.username.as_str(), login.password.as_str());
    options.set_keep_alive(Duration::from_secs(login.keep_alive_secs));
    Ok(options)
}

fn refused(address: &str) -> Error {
    Error::ConnectionFailed(format!("address {address} is not permitted"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_the_process_is_refused() {
        for (query, want) in [
            ("client_id=a", true),
            ("client_id=a&inflight_num=1", true),
            ("client_id=a&clean_session=false", true),
            ("client_id=&clean_session=true", true),
            ("client_id=a&inflight_num=0", false),
            ("client_id=a&inflight_num=1&inflight_num=0", false),
            ("client_id=a&inflight_num=x", false),
            ("client_id=&clean_session=false", false),
            ("client_id=%20x&clean_session=false", false),
            ("clean_session=false", false),
        ] {
            let url = Url::parse(&format!("mqtt://127.0.0.1?{query}")).unwrap();
            assert_eq!(check_query(&url).is_ok(), want, "{query}");
            if want {
                let login = Login {
                    username: String::new(),
                    password: String::new(),
                    keep_alive_secs: 0,
                };
                assert!(options(&url, IpAddr::from([127, 0, 0, 1]), &login).is_ok());
            }
        }
    }
}
