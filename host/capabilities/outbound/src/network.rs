//! A range of addresses.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// `<address>/<prefix>`, or one address by itself. Bits behind the prefix do not count; a v4
/// address inside a v6 one is not in a v4 network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// A text that is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write an address or a network, like 127.0.0.1 or 10.0.0.0/8")]
pub struct InvalidNetwork;

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        if let Ok(address) = text.parse::<IpAddr>() {
            let prefix = longest(address);
            return Ok(Self { address, prefix });
        }
        let (address, prefix) = text.split_once('/').ok_or(InvalidNetwork)?;
        let address = address.parse::<IpAddr>().map_err(|_| InvalidNetwork)?;
        let digits = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = prefix.parse::<u8>().map_err(|_| InvalidNetwork)?;
        if digits && prefix <= longest(address) {
            Ok(Self { address, prefix })
        } else {
            Err(InvalidNetwork)
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.prefix)
    }
}

impl Network {
    /// Whether `address` is part of it.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let differ = network.to_bits() ^ address.to_bits();
                differ.checked_shr(32 - u32::from(self.prefix)).unwrap_or(0) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let differ = network.to_bits() ^ address.to_bits();
                differ
                    .checked_shr(128 - u32::from(self.prefix))
                    .unwrap_or(0)
                    == 0
            }
            _ => false,
        }
    }
}

fn longest(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_written_with_or_without_a_prefix() {
        for (text, want) in [
            ("127.0.0.1", Some("127.0.0.1/32")),
            ("127.0.0.0/8", Some("127.0.0.0/8")),
            ("0.0.0.0/0", Some("0.0.0.0/0")),
            ("::1", Some("::1/128")),
            ("fc00::/7", Some("fc00::/7")),
            ("10.0.0.0/33", None),
            ("10.0.0.0/+8", None),
            ("10.0.0.0/", None),
            ("localhost", None),
            ("", None),
        ] {
            let network = text.parse::<Network>().ok();
            assert_eq!(
                network.map(|one| one.to_string()).as_deref(),
                want,
                "{text}"
            );
        }
    }

    #[test]
    fn a_network_ends_where_its_prefix_says() {
        for (network, address, want) in [
            ("127.0.0.0/8", "127.255.255.255", true),
            ("127.0.0.0/8", "128.0.0.0", false),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("0.0.0.0/0", "255.255.255.255", true),
            ("0.0.0.0/0", "::1", false),
            ("127.0.0.0/8", "::ffff:127.0.0.1", false),
            ("fc00::/7", "fdff::1", true),
            ("fc00::/7", "fe00::1", false),
            ("::/0", "::1", true),
        ] {
            let parsed = network.parse::<Network>().unwrap();
            let got = parsed.contains(address.parse().unwrap());
            assert_eq!(got, want, "{network} {address}");
        }
    }
}
