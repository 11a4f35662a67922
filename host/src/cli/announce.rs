//! What `chatly up` prints on standard output: local secrets that are new, and once it accepts
//! connections the address, the routes, and a line to watch events with.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::manifest::{HttpTrigger, Manifest, Route};
use crate::state_dir::{self, Secrets};

/// The route of the event stream (section 7 of the architecture).
const EVENTS: &str = "/v1/events";

/// Where a shell finds the operator's key, so that the printed command works as it stands and
/// holds no secret.
pub(super) enum KeySource {
    /// In the state dir's file of local secrets.
    SecretsFile,
    /// In this variable of the environment.
    Environment(String),
    /// Only the caller knows.
    Caller,
}

/// The application, as far as it is announced.
pub(super) struct Announcement {
    pub(super) manifest: Manifest,
    /// Whether connections are TLS.
    pub(super) tls: bool,
    /// Only these components run; all when empty.
    pub(super) only: Vec<String>,
    pub(super) secrets_file: PathBuf,
    /// Where `simulate` finds the address.
    pub(super) address_file: PathBuf,
    pub(super) key_source: KeySource,
}

impl Announcement {
    /// Prints the secrets that were made just now; nothing when all are old.
    pub(super) fn print_secrets(&self, secrets: &Secrets) -> Result<()> {
        let names = secrets.generated();
        if names.is_empty() {
            return Ok(());
        }
        let file = self.secrets_file.display();
        let mut text = format!("local secrets, made for this state dir and kept in {file}:\n");
        let width = names.iter().map(String::len).max().unwrap_or_default();
        for name in names {
            let value = secrets.get(name).unwrap_or_default();
            let _ = writeln!(text, "  {name:width$} = {value}");
        }
        text.push_str(
            "They are shown this once. Set SPIN_VARIABLE_NAME to use values of your own.\n\n",
        );
        print(&text).context("cannot print the local secrets")
    }

    /// Prints that connections are accepted at `address`, and notes it for `simulate`, which speaks
    /// plain HTTP only.
    pub(super) fn print_ready(&self, address: SocketAddr) {
        if self.tls {
            tracing::debug!("the address is not noted for simulate: it is TLS");
        } else if let Err(error) = state_dir::write_address(&self.address_file, reachable(address))
        {
            tracing::warn!(%error, "the address cannot be noted; name it with simulate --to");
        }
        // Whoever stopped reading does not stop the server.
        let _ = print(&self.ready(address));
    }

    fn ready(&self, address: SocketAddr) -> String {
        format!(
            "listening on {}://{address}\n{}{}",
            self.scheme(),
            self.routes(),
            self.watch_line(address)
        )
    }

    fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }

    fn triggers(&self) -> impl Iterator<Item = (String, &str)> {
        let runs = |trigger: &HttpTrigger| {
            self.only.is_empty()
                || (trigger.component()).is_some_and(|id| self.only.iter().any(|only| only == id))
        };
        self.manifest
            .triggers
            .iter()
            .filter(move |trigger| runs(trigger))
            .map(|trigger| {
                let component = trigger.component();
                let route = match &trigger.route {
                    Route::Path(path) => path.clone(),
                    Route::Private => {
                        format!("http://{}.spin.internal", component.unwrap_or_default())
                    }
                };
                (route, component.unwrap_or("(static response)"))
            })
    }

    fn routes(&self) -> String {
        let width = self
            .triggers()
            .map(|(route, _)| route.len())
            .max()
            .unwrap_or_default();
        let mut text = String::new();
        for (route, component) in self.triggers() {
            let _ = writeln!(text, "  {route:width$}  {component}");
        }
        text
    }

    fn watch_line(&self, address: SocketAddr) -> String {
        if !self.triggers().any(|(route, _)| route == EVENTS) {
            return String::new();
        }
        let key = match &self.key_source {
            KeySource::SecretsFile => format!(
                "  API_KEY=$(sed -n 's/^api_key = \"\\(.*\\)\"$/\\1/p' '{}')\n",
                self.secrets_file.display()
            ),
            KeySource::Environment(name) => format!("  API_KEY=${name}\n"),
            KeySource::Caller => String::new(),
        };
        let address = reachable(address);
        format!(
            "watch events:\n{key}  curl -N -H \"Authorization: Bearer $API_KEY\" {}://{address}{EVENTS}\n",
            self.scheme()
        )
    }
}

/// An address to connect to: one of this machine for a socket that listens on all of them.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn announcement(key_source: KeySource, only: &[&str]) -> Announcement {
        let text = "spin_manifest_version = 2\napplication.name = \"app\"\n\
                    [component]\nhook.source = \"h\"\nworker.source = \"w\"\nrealtime.source = \"r\"\n\
                    [[trigger.http]]\nroute = \"/hook/:id\"\ncomponent = \"hook\"\n\
                    [[trigger.http]]\nroute = { private = true }\ncomponent = \"worker\"\n\
                    [[trigger.http]]\nroute = \"/v1/events\"\ncomponent = \"realtime\"\n";
        Announcement {
            manifest: Manifest::parse(text, Path::new("/app/spin.toml")).unwrap(),
            tls: false,
            only: only.iter().map(|id| (*id).to_owned()).collect(),
            secrets_file: "/app/.chatly/secrets.toml".into(),
            address_file: "/app/.chatly/address".into(),
            key_source,
        }
    }

    #[test]
    fn the_address_comes_first_then_routes_then_how_to_watch() {
        let address = "127.0.0.1:3000".parse().unwrap();
        let text = announcement(KeySource::SecretsFile, &[]).ready(address);
        let want = r#"listening on http://127.0.0.1:3000
  /hook/:id                    hook
  http://worker.spin.internal  worker
  /v1/events                   realtime
watch events:
  API_KEY=$(sed -n 's/^api_key = "\(.*\)"$/\1/p' '/app/.chatly/secrets.toml')
  curl -N -H "Authorization: Bearer $API_KEY" http://127.0.0.1:3000/v1/events
"#;
        assert_eq!(text, want);
    }

    #[test]
    fn the_key_is_taken_from_where_it_is() {
        let line = |source| {
            let address = "0.0.0.0:80".parse().unwrap();
            announcement(source, &["realtime"]).ready(address)
        };
        let head = "listening on http://0.0.0.0:80\n  /v1/events  realtime\nwatch events:\n";
        let curl =
            "  curl -N -H \"Authorization: Bearer $API_KEY\" http://127.0.0.1:80/v1/events\n";
        let environment = KeySource::Environment("SPIN_VARIABLE_API_KEY".to_owned());
        assert_eq!(
            line(environment),
            format!("{head}  API_KEY=$SPIN_VARIABLE_API_KEY\n{curl}")
        );
        assert_eq!(line(KeySource::Caller), format!("{head}{curl}"));
    }

    #[test]
    fn an_application_without_events_has_no_line_to_watch_them() {
        let address = "127.0.0.1:1".parse().unwrap();
        let text = announcement(KeySource::Caller, &["hook"]).ready(address);
        assert_eq!(text, "listening on http://127.0.0.1:1\n  /hook/:id  hook\n");
    }

    #[test]
    fn with_tls_every_address_says_so() {
        let address = "127.0.0.1:1".parse().unwrap();
        let announcement = Announcement {
            tls: true,
            ..announcement(KeySource::Caller, &["realtime"])
        };
        let text = announcement.ready(address);
        assert!(text.starts_with("listening on https://127.0.0.1:1\n"));
        assert!(text.ends_with("https://127.0.0.1:1/v1/events\n"), "{text}");
    }
}
