use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use chatly_manifest::{Application, Manifest, Variable};
use chatly_variables::Providers;

/// A resolver for these application variables.
fn resolver(variables: &[(&str, &str)]) -> Resolver {
    let variable = |value: &str| Variable {
        default: Some(value.to_owned()),
        ..Variable::default()
    };
    let manifest = Manifest {
        path: "/app/spin.toml".into(),
        application: Application::default(),
        variables: variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), variable(value)))
            .collect(),
        triggers: vec![],
        components: BTreeMap::new(),
    };
    Resolver::new(&manifest, &Providers::default()).unwrap()
}

fn try_grant(entries: &[&str], variables: &[(&str, &str)]) -> Result<Grant, Error> {
    let component = Component {
        id: "dispatch".to_owned(),
        allowed_outbound_hosts: entries.iter().map(|entry| (*entry).to_owned()).collect(),
        ..Component::default()
    };
    Grant::new(&component, &resolver(variables), ["worker", "enrich"])
}

fn grant(entries: &[&str]) -> Grant {
    try_grant(entries, &[]).unwrap()
}

#[test]
fn an_entry_allows_what_it_names_and_nothing_beside_it() {
    for (entry, url, want) in [
        ("https://a.com", "https://a.com", true),
        ("https://a.com", "https://a.com:443/x", true),
        ("https://a.com", "https://A.COM/x", true),
        ("https://A.com", "https://a.com/x", true),
        ("https://a.com/", "https://a.com/x", true),
        (" https://a.com ", "https://a.com/x", true),
        ("https://a.com:", "https://a.com", true),
        ("https://a.com", "https://user:word@a.com", true),
        ("https://a.com", "https://a.com:444", false),
        ("https://a.com", "http://a.com", false),
        ("https://a.com", "http://a.com:443", false),
        ("https://a.com", "https://b.com", false),
        ("https://a.com", "https://x.a.com", false),
        ("https://a.com", "https://a.com.evil.org", false),
        ("https://a.com", "https://a.com@evil.org", false),
        ("https://a.com", "https://a.com.", false),
        ("http://a.com:8080", "http://a.com:8080", true),
        ("http://a.com:8080", "http://a.com", false),
        ("http://a.com:80", "http://a.com", true),
        ("http://a.com:*", "http://a.com:1", true),
        ("http://a.com:*", "http://a.com:65535", true),
        ("http://a.com:8000..8002", "http://a.com:7999", false),
        ("http://a.com:8000..8002", "http://a.com:8000", true),
        ("http://a.com:8000..8002", "http://a.com:8001", true),
        ("http://a.com:8000..8002", "http://a.com:8002", false),
        ("http://*", "http://a.com", true),
        ("http://*", "http://10.0.0.1", true),
        ("http://*", "http://a.com:81", false),
        ("http://*:*", "http://a.com:81", true),
        ("http://*:*", "https://a.com", false),
        ("*://a.com:*", "https://a.com", true),
        ("*://a.com:*", "foo://a.com", true),
        ("*://a.com:*", "https://b.com", false),
        ("*://*:*", "redis://[::1]:6379", true),
        ("redis://a.com", "redis://a.com", true),
        ("redis://a.com", "redis://a.com:6380", false),
        ("http://*.a.com", "http://x.a.com", true),
        ("http://*.a.com", "http://x.y.A.com", true),
        ("http://*.A.com", "http://x.a.com", true),
        ("http://*.a.com", "http://a.com", false),
        ("http://*.a.com", "http://xa.com", false),
        ("http://*.a.com:81", "http://x.a.com:81", true),
        ("http://*.a.com:81", "http://x.a.com", false),
        ("http://10.0.0.1", "http://10.0.0.1", true),
        ("http://10.0.0.1", "http://0x0a000001", true),
        ("http://10.0.0.1", "http://10.0.0.2", false),
        ("http://10.0.0.0/8", "http://10.255.255.255", true),
        ("http://10.1.2.3/8", "http://10.0.0.0", true),
        ("http://10.0.0.0/8", "http://11.0.0.0", false),
        ("http://10.0.0.0/8", "http://9.255.255.255", false),
        ("http://10.0.0.0/8", "http://ten.example", false),
        ("http://10.0.0.0/8:81", "http://10.0.0.1:81", true),
        ("http://0.0.0.0/0", "http://255.255.255.255", true),
        ("http://10.0.0.1/32", "http://10.0.0.1", true),
        ("http://10.0.0.1/32", "http://10.0.0.0", false),
        ("http://10.0.0.1/31", "http://10.0.0.0", true),
        ("http://10.0.0.0/8", "http://[::a00:1]", false),
        ("http://[::1]", "http://[::1]", true),
        ("http://[::1]", "http://[::2]", false),
        ("http://[::1]:81", "http://[::1]:81", true),
        ("http://[::1]:81", "http://[::1]", false),
        ("http://[::1]:*", "http://[::1]:81", true),
        ("http://2001:db8::/32", "http://[2001:db8:ffff::1]", true),
        ("http://2001:db8::/32", "http://[2001:db9::1]", false),
        ("http://2001:db8::/32:81", "http://[2001:db8::1]:81", true),
        ("http://::/0", "http://[ffff::1]", true),
        ("http://::1/128", "http://[::1]", true),
        ("http://::1/128", "http://[::2]", false),
        (
            "http://worker.spin.internal",
            "http://worker.spin.internal/x",
            true,
        ),
        (
            "http://worker.spin.internal",
            "http://enrich.spin.internal/x",
            false,
        ),
        (
            "http://*.spin.internal",
            "http://enrich.spin.internal/x",
            true,
        ),
        (
            "http://*.spin.internal",
            "http://nobody.spin.internal/x",
            false,
        ),
        ("http://self", "http://self", false),
        ("http://self", "http://localhost", false),
    ] {
        let url = Url::parse(url).unwrap();
        assert_eq!(grant(&[entry]).allows_url(&url), want, "{entry} for {url}");
    }
}

#[test]
fn without_an_entry_nothing_is_allowed() {
    let none = grant(&[]);
    assert!(!none.allows("https", "a.com", None));
    assert!(!none.allows_self("http"));
    let address = "127.0.0.1:80".parse().unwrap();
    for purpose in [
        SocketAddrUse::TcpConnect,
        SocketAddrUse::UdpSend,
        SocketAddrUse::UdpBind,
    ] {
        assert!(!none.allows_socket(address, purpose));
    }
}

#[test]
fn any_entry_of_several_suffices() {
    let grant = grant(&["https://a.com", "https://b.com"]);
    assert!(grant.allows("https", "b.com", None));
    assert!(!grant.allows("https", "c.com", None));
    assert!(!grant.allows("https", "not a host", None));
    assert!(!grant.allows("unknown", "a.com", None));
}

#[test]
fn requests_without_a_host_need_self() {
    for (entry, scheme, want) in [
        ("http://self", "http", true),
        ("http://self.alt", "http", true),
        ("https://self", "http", false),
        ("*://self:*", "https", true),
        ("http://*", "http", true),
        ("http://a.com", "http", false),
        ("http://*.a.com", "http", false),
        ("http://127.0.0.0/8", "http", false),
    ] {
        assert_eq!(grant(&[entry]).allows_self(scheme), want, "{entry}");
    }
}

#[test]
fn sockets_need_a_scheme_for_sockets() {
    use SocketAddrUse::{TcpAccept, TcpBind, TcpConnect, TcpListen, UdpBind, UdpReceive, UdpSend};
    for (entry, address, purpose, want) in [
        ("*://10.0.0.1:5432", "10.0.0.1:5432", TcpConnect, true),
        ("*://10.0.0.1:5432", "10.0.0.1:5433", TcpConnect, false),
        ("*://10.0.0.1:5432", "10.0.0.2:5432", TcpConnect, false),
        ("*://10.0.0.1:5432", "10.0.0.1:5432", UdpSend, true),
        ("*://10.0.0.1:5432", "10.0.0.1:5432", UdpReceive, true),
        ("*://*:*", "0.0.0.0:0", UdpBind, true),
        ("*://*:*", "0.0.0.0:80", TcpBind, false),
        ("*://*:*", "127.0.0.1:0", TcpBind, false),
        ("*://*:*", "0.0.0.0:80", TcpListen, false),
        ("*://*:*", "10.0.0.1:80", TcpAccept, false),
        ("tcp://10.0.0.1:80", "0.0.0.0:0", TcpBind, true),
        ("udp://10.0.0.1:80", "0.0.0.0:0", TcpBind, false),
        ("udp://10.0.0.1:80", "[::]:0", UdpBind, true),
        ("tcp://10.0.0.1:80", "[::]:0", UdpBind, false),
        ("udp://10.0.0.1:80", "10.0.0.1:0", UdpBind, false),
        ("tcp://10.0.0.0/8:*", "10.9.9.9:1", TcpConnect, true),
        ("tcp://10.0.0.0/8:*", "10.9.9.9:1", UdpSend, false),
        ("udp://[::1]:53", "[::1]:53", UdpSend, true),
        ("udp://[::1]:53", "[::1]:53", TcpConnect, false),
        ("http://*:*", "10.0.0.1:80", TcpConnect, false),
        ("https://10.0.0.1", "10.0.0.1:443", TcpConnect, false),
        ("*://db.example:*", "10.0.0.1:80", TcpConnect, false),
    ] {
        let allowed = grant(&[entry]).allows_socket(address.parse().unwrap(), purpose);
        assert_eq!(allowed, want, "{entry} for {address}");
    }
}

#[test]
fn only_whoever_has_raw_sockets_looks_up_names() {
    for (entries, want) in [
        (&[][..], false),
        (&["http://worker.spin.internal"], false),
        (&["http://*:*", "https://*:*", "redis://a.com"], false),
        (&["https://a.com", "tcp://10.0.0.1:80"], true),
        (&["udp://10.0.0.1:53"], true),
        (&["*://a.com:*"], true),
    ] {
        assert_eq!(grant(entries).allows_lookup(), want, "{entries:?}");
    }
}

#[test]
fn a_bad_entry_is_refused_with_its_mend() {
    use InvalidEntry::{
        EmptyRange, List, NoPort, NoScheme, NotAnEntry, Path, Port, Scheme, Wildcard,
    };
    for (entry, want) in [
        ("", NotAnEntry),
        ("*", NotAnEntry),
        ("?", NotAnEntry),
        (":", NotAnEntry),
        ("a.com", NoScheme),
        ("a.com:80", NoScheme),
        ("insecure:allow-all", NoScheme),
        ("://a.com:80", Scheme),
        ("h2c://a.com:80", Scheme),
        ("{http,https}://a.com:80", List),
        ("http://{a,b}.com", List),
        ("http://a.com:{80,81}", List),
        ("http://a.com/path", Path),
        ("http://a.com//", Path),
        ("http://a.com:80/path", Path),
        ("http://10.0.0.0/8/path", Path),
        ("http://10.0.0.0/33", Path),
        ("http://10.0.0.0/+8", Path),
        ("http://*.*.com", Wildcard),
        ("http://a.*.com", Wildcard),
        ("http://a*.com", Wildcard),
        ("http://", InvalidEntry::Host),
        ("http://*.", InvalidEntry::Host),
        ("http://*.127.0.0.1", InvalidEntry::Host),
        ("http://*.[::1]", Port),
        ("http://exa mple.com", InvalidEntry::Host),
        ("http://[::1", InvalidEntry::Host),
        ("http://a.com:http", Port),
        ("http://a.com:65536", Port),
        ("http://a.com:-1", Port),
        ("http://a.com:80..", Port),
        ("http://a.com:80..65536", Port),
        ("http://a.com:80..80", EmptyRange),
        ("http://a.com:81..80", EmptyRange),
        ("ftp://a.com", NoPort),
        ("*://a.com", NoPort),
    ] {
        assert_eq!(entry.parse::<Entry>(), Err(want), "{entry:?}");
    }
    assert_eq!(
        try_grant(&["https://a.com", "a.com"], &[])
            .unwrap_err()
            .to_string(),
        "[component.dispatch] allowed_outbound_hosts in spin.toml has \"a.com\": there is no scheme; put \"https://\" in front"
    );
}

#[test]
fn a_template_with_a_path_allows_its_origin_and_a_written_path_none() {
    for (base, url, want) in [
        (
            "http://127.0.0.1:4000/v1",
            "http://127.0.0.1:4000/v1/x",
            true,
        ),
        (
            "http://127.0.0.1:4000/v1",
            "http://127.0.0.1:4001/v1/x",
            false,
        ),
        ("https://a.com/v1/", "https://a.com/other", true),
        ("https://a.com/v1?key=1#x", "https://a.com/", true),
        ("https://a.com/v1", "http://a.com/v1", false),
        ("https://a.com/.b.com", "https://b.com/", false),
        ("https://a.com@b.com/v1", "https://a.com/", false),
        ("https://a.com@b.com/v1", "https://b.com/", true),
        ("http://[::1]:80/v1", "http://[::1]/", true),
    ] {
        let grant = try_grant(&["{{ base }}"], &[("base", base)]).unwrap();
        assert_eq!(
            grant.allows_url(&url.parse().unwrap()),
            want,
            "{base} {url}"
        );
    }
    for (entry, base) in [
        ("https://a.com/v1", ""),
        ("{{ base }}", "a.com/v1"),
        ("{{ base }}", "x://a/b:1/c"),
    ] {
        assert!(
            try_grant(&[entry], &[("base", base)]).is_err(),
            "{entry} {base}"
        );
    }
}

#[test]
fn templates_are_filled_in_and_may_come_out_empty() {
    let variables = [
        ("host", "a.com"),
        ("port", "81"),
        ("url", "https://b.com"),
        ("none", ""),
        ("bad", "x y"),
    ];
    let entries = [
        "http://{{ host }}:{{ port }}",
        "{{ url }}",
        "{{ none }}",
        "https://{{ none }}",
    ];
    let grant = try_grant(&entries, &variables).unwrap();
    assert_eq!(grant.entries().len(), 2);
    assert!(grant.allows("http", "a.com", Some(81)));
    assert!(grant.allows("https", "b.com", None));
    for (entry, want) in [
        (
            "http://{{ bad }}",
            "has \"http://{{ bad }}\": the host is neither",
        ),
        (
            "http://{{ typo }}",
            "[component.dispatch] allowed_outbound_hosts in spin.toml uses `{{ typo }}`",
        ),
        (
            "http://{{ host",
            "[component.dispatch] allowed_outbound_hosts in spin.toml has `{{` without `}}`",
        ),
        ("", "has \"\": an entry is"),
    ] {
        let error = try_grant(&[entry], &variables).unwrap_err().to_string();
        assert!(error.contains(want), "{entry:?}: {error}");
        assert!(!error.contains("x y"), "a value may be secret: {error}");
    }
}

#[test]
fn a_refusal_gives_the_line_that_would_allow_it() {
    let grant = grant(&["https://a.com"]);
    for (scheme, host, port, want) in [
        ("https", "b.com", None, "https://b.com"),
        ("https", "b.com", Some(443), "https://b.com"),
        ("https", "b.com", Some(8443), "https://b.com:8443"),
        ("http", "[::1]", Some(81), "http://[::1]:81"),
        ("tcp", "10.0.0.1", Some(5432), "tcp://10.0.0.1:5432"),
    ] {
        let refusal = grant.refusal(scheme, host, port);
        assert_eq!(
            refusal.line(),
            format!("allowed_outbound_hosts = [\"{want}\"]")
        );
        assert!(!grant.allows(scheme, host, port));
        let mended = self::grant(&[&refusal.target]);
        assert!(mended.allows(scheme, host, port), "the line helps: {want}");
    }
    assert_eq!(
        grant.refusal("https", "b.com", None).to_string(),
        "\"dispatch\" may not connect to https://b.com; to allow it, put `allowed_outbound_hosts = [\"https://b.com\"]` under [component.dispatch] in spin.toml"
    );
}

#[test]
fn siblings_are_known_by_their_domain() {
    for (host, want) in [
        ("worker.spin.internal", Some("worker")),
        ("worker.spin.internal:80", Some("worker")),
        ("worker.SPIN.internal", Some("worker")),
        ("spin.internal", None),
        (".spin.internal", None),
        ("a.worker.spin.internal", None),
        ("worker.spin.internal.evil.org", None),
        ("workerspin.internal", None),
        ("[::1]:80", None),
        ("", None),
    ] {
        assert_eq!(service_chaining(host), want, "{host:?}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(entry in "\\PC{0,40}") {
        let _ = entry.parse::<Entry>();
    }

    #[test]
    fn no_text_like_an_entry_makes_the_parser_panic(
        entry in "(http|\\*|\\{a\\})://[a-c*.:/\\[\\]0-9{}]{0,20}(:[0-9.*/]{0,8})?",
        host in "[a-c.:\\[\\]0-9]{0,20}",
        port in any::<Option<u16>>(),
    ) {
        if let Ok(parsed) = entry.parse::<Entry>() {
            prop_assert_eq!(parsed.to_string(), entry.trim());
            let grant = Grant { component: String::new(), entries: vec![parsed], private: Vec::new(), blocked: Blocked::default() };
            let _ = grant.allows("http", &host, port);
        }
    }

    #[test]
    fn a_plain_entry_allows_exactly_its_port(port: u16, other: u16) {
        let grant = grant(&[&format!("http://a.com:{port}")]);
        prop_assert_eq!(grant.allows("http", "a.com", Some(other)), port == other);
    }

    #[test]
    fn a_network_allows_by_its_leading_bits(network: u32, address: u32, prefix in 0u32..=32) {
        let written = format!("http://{}/{prefix}", std::net::Ipv4Addr::from(network));
        let host = std::net::Ipv4Addr::from(address).to_string();
        let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
        let want = network & mask == address & mask;
        prop_assert_eq!(grant(&[&written]).allows("http", &host, None), want);
    }
}

#[test]
fn a_blocked_network_is_not_reached_by_any_entry() {
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    let blocked = Blocked {
        networks: vec!["8.8.0.0/16".parse().unwrap()],
        private: true,
    };
    let all = grant(&["http://127.0.0.1:*", "tcp://8.8.8.8:*", "tcp://8.9.0.1:*"])
        .with_private(vec!["127.0.0.0/8".parse().unwrap()])
        .with_blocked(blocked);
    for (scheme, host, want) in [
        ("http", "127.0.0.1", false),
        ("tcp", "8.8.8.8", false),
        ("tcp", "8.9.0.1", true),
    ] {
        assert_eq!(
            all.reaches(scheme, host, Some(80), address(host)),
            want,
            "{host}"
        );
        if scheme == "tcp" {
            let socket = SocketAddr::new(address(host), 80);
            assert_eq!(
                all.allows_socket(socket, SocketAddrUse::TcpConnect),
                want,
                "{host}"
            );
        }
    }
}
