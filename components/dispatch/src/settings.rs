//! What the operator says: secrets, and how single endpoints are spared.

use chatly_webhook::settings::Endpoint;
use chatly_webhook::{Secrets, Settings, Target};
use spin_sdk::variables;

/// What holds for an endpoint, and what its messages are signed with; why nothing can be sent, where
/// something is missing or cannot be read.
pub async fn of(target: &Target) -> Result<(Endpoint, Secrets), String> {
    let settings = Settings::parse(&variable("endpoints").await).map_err(|e| e.to_string())?;
    let endpoint = settings.of(target.shown());
    let secrets = match &endpoint.secrets {
        Some(own) => Secrets::list(own),
        None => Secrets::parse(&variable("signing_secrets").await),
    };
    match secrets {
        Ok(secrets) => Ok((endpoint, secrets)),
        Err(error) => Err(error.to_string()),
    }
}

/// A variable; blank when there is none or it cannot be read, which for secrets sends nothing.
async fn variable(name: &str) -> String {
    match variables::get(name).await {
        Ok(value) => value,
        Err(variables::Error::Undefined(_)) => String::new(),
        Err(_) => {
            eprintln!("error: the variable provider failed: name={name}");
            String::new()
        }
    }
}
