//! Networks that nobody reaches.

use std::net::IpAddr;

use super::embedded::embedded;
use super::{Network, is_private};

/// What whoever runs the app blocks: `block_networks` of the runtime config.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blocked {
    /// These networks. A v4 network also blocks v6 addresses that stand for one of its own.
    pub networks: Vec<Network>,
    /// Every address that is not public.
    pub private: bool,
}

impl Blocked {
    /// Whether `address` is blocked.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let is_blocked = |address| {
            (self.private && is_private(address))
                || self.networks.iter().any(|one| one.contains(address))
        };
        match address {
            IpAddr::V4(_) => is_blocked(address),
            IpAddr::V6(inner) => {
                is_blocked(address) || embedded(inner).map(IpAddr::V4).any(is_blocked)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_blocked_in_every_form() {
        let blocked = |networks: &[&str], private| Blocked {
            networks: networks.iter().map(|one| one.parse().unwrap()).collect(),
            private,
        };
        for (networks, private, address, want) in [
            (vec![], false, "127.0.0.1", false),
            (vec![], true, "127.0.0.1", true),
            (vec![], true, "::ffff:127.0.0.1", true),
            (vec![], true, "8.8.8.8", false),
            (vec!["8.8.0.0/16"], false, "8.8.8.8", true),
            (vec!["8.8.0.0/16"], false, "::ffff:8.8.8.8", true),
            (vec!["8.8.0.0/16"], false, "::8.8.8.8", true),
            (vec!["8.8.0.0/16"], false, "::ffff:0:8.8.8.8", true),
            (vec!["8.8.0.0/16"], false, "64:ff9b::8.8.8.8", true),
            (vec!["8.8.0.0/16"], false, "64:ff9b::8.9.0.0", false),
            (vec!["8.8.0.0/16"], false, "64:ff9b:1::8.8.8.8", true),
            (vec!["8.8.0.0/16"], false, "64:ff9b:1:808:8:800::", true),
            (vec!["8.8.0.0/16"], false, "2002:808:808::1", true),
            (vec!["8.8.0.0/16"], false, "2002:809::1", false),
            (vec!["8.8.0.0/16"], false, "2001:0:808:808::1", true),
            (vec!["8.8.0.0/16"], false, "8.9.0.0", false),
            (vec!["0.0.0.0/8"], false, "::1", true),
            (vec!["2001:4860::/32"], false, "2001:4860::8888", true),
        ] {
            let got = blocked(&networks, private).contains(address.parse().unwrap());
            assert_eq!(got, want, "{networks:?} {private} {address}");
        }
    }
}
