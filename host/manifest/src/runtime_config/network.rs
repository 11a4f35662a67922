//! `[outbound_networking]`, `[outbound_http]` and `[[client_tls]]`.

use std::net::IpAddr;

use super::super::names;
use super::super::reader::{Item, Table};
use super::{BlockedNetworks, ClientTls, Scope};

/// The entry of `block_networks` that stands for every address that is not public.
const PRIVATE: &str = "private";

pub(super) fn blocked(root: &Table<'_, '_>) -> BlockedNetworks {
    let mut blocked = BlockedNetworks::default();
    let Some(table) = root.table("outbound_networking") else {
        return blocked;
    };
    for key in ["max_socket_connections", "max_total_connections"] {
        table.unsupported(
            key,
            "it counts outgoing HTTP connections only; remove the key, or write \
             `max_connections` under [outbound_http]",
        );
    }
    let elements = table
        .get("block_networks")
        .map(|list| list.elements())
        .unwrap_or_default();
    for element in elements {
        match element.string() {
            None => {}
            Some(text) if text == PRIVATE => blocked.private = true,
            Some(text) if is_network(&text) => blocked.networks.push(text),
            Some(text) => element.problem(format!(
                "{text:?} is no network; write one like \"10.0.0.0/8\", or {PRIVATE:?} for all \
                 addresses that are not public"
            )),
        }
    }
    table.finish();
    blocked
}

/// An address, or an address and the length of a prefix.
fn is_network(text: &str) -> bool {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let longest = |address: IpAddr| if address.is_ipv4() { 32 } else { 128 };
    address.parse::<IpAddr>().is_ok_and(|address| {
        prefix.is_none_or(|prefix| {
            prefix.bytes().all(|byte| byte.is_ascii_digit())
                && prefix
                    .parse()
                    .is_ok_and(|length: u8| length <= longest(address))
        })
    })
}

/// The bound on connections.
pub(super) fn outbound_http(root: &Table<'_, '_>) -> Option<u64> {
    let table = root.table("outbound_http")?;
    if table.boolean("connection_pooling") == Some(true) {
        table.get("connection_pooling")?.problem(
            "not supported by this host: it opens a connection for each request; write `false`, \
             or remove the key",
        );
    }
    table.unsupported(
        "max_concurrent_requests",
        "it is Spin's old name for max_connections, and means one more; use that",
    );
    let most = table
        .get("max_connections")
        .and_then(|item| item.positive(u32::MAX.into()));
    table.finish();
    most
}

pub(super) fn client_tls(root: &Table<'_, '_>, scope: &Scope<'_>) -> Vec<ClientTls> {
    let elements = root
        .get("client_tls")
        .map(|list| list.elements())
        .unwrap_or_default();
    elements
        .iter()
        .filter_map(|item| one_client(item, scope))
        .collect()
}

fn one_client(item: &Item<'_, '_>, scope: &Scope<'_>) -> Option<ClientTls> {
    let table = item.table()?;
    let component_ids = named(&table, "component_ids", "component_ids = [\"ID\"]", |id| {
        names::kebab(id).err()
    });
    let hosts = named(&table, "hosts", "hosts = [\"example.com\"]", |host| {
        let refused = host.is_empty() || host.contains(['/', '*', '@', ' ']) || has_port(host);
        refused.then(|| "is no host; write its name, without scheme, port or path".to_owned())
    });
    let file = |key| table.string(key).map(|path| scope.folder.join(path));
    let ca_roots_file = file("ca_roots_file");
    let (platform_roots, webpki_roots) = match (
        table.boolean("ca_use_platform_roots"),
        table.boolean("ca_use_webpki_roots"),
    ) {
        // Without a word, the system's; with one about either, only what it says.
        (None, None) => (ca_roots_file.is_none(), false),
        (platform, webpki) => (platform.unwrap_or(false), webpki.unwrap_or(false)),
    };
    if !platform_roots && !webpki_roots && ca_roots_file.is_none() {
        item.problem(
            "trusts no certificate authority; remove a `ca_use_… = false`, or add ca_roots_file",
        );
    }
    let pair = (file("client_cert_file"), file("client_private_key_file"));
    let client_certificate = match pair {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        (Some(_), None) => {
            table.missing(
                "client_private_key_file",
                "client_private_key_file = \"key.pem\"",
            );
            None
        }
        (None, Some(_)) => {
            table.missing("client_cert_file", "client_cert_file = \"certificate.pem\"");
            None
        }
    };
    table.finish();
    Some(ClientTls {
        component_ids,
        hosts,
        platform_roots,
        webpki_roots,
        ca_roots_file,
        client_certificate,
    })
}

/// `host:port`; a v6 address in brackets has colons of its own.
fn has_port(host: &str) -> bool {
    host.rsplit_once(':')
        .is_some_and(|(_, port)| !host.ends_with(']') && port.bytes().all(|b| b.is_ascii_digit()))
}

/// The strings under `key`, at least one, each checked.
fn named(
    table: &Table<'_, '_>,
    key: &'static str,
    example: &str,
    refusal: impl Fn(&str) -> Option<String>,
) -> Vec<String> {
    let Some(list) = table.get(key) else {
        table.missing(key, example);
        return Vec::new();
    };
    let mut all = Vec::new();
    let elements = list.elements();
    if elements.is_empty() && list.is_array() {
        list.problem(format!("is empty; write `{example}`"));
    }
    for element in elements {
        let Some(text) = element.string() else {
            continue;
        };
        if let Some(refusal) = refusal(&text) {
            element.problem(format!("{text:?} {refusal}"));
        }
        all.push(text);
    }
    all
}
