//! Counts what the host does, and writes it down in Prometheus' text format (version 0.0.4).
//!
//! 1. A request costs a handful of relaxed atomic additions, whether anybody reads them or not.
//! 2. Labels come from the manifest and from status classes only: a sender cannot make series.
//! 3. Requests that reach no component (no route, no place, a static response) are counted under
//!    `component=""`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use http::StatusCode;

use crate::sqlite::Commits;

/// Upper bounds of the latency histogram in milliseconds: those of Prometheus' client libraries,
/// and two below, since an accepted webhook takes about a millisecond here.
pub const BOUNDS_MS: [u64; 13] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];
/// Status classes, as label values.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// What is counted of one component.
#[derive(Debug, Default)]
pub struct Counters {
    classes: [AtomicU64; CLASSES.len()],
    /// Requests in each bucket of the histogram alone; those above the last bound are in none.
    buckets: [AtomicU64; BOUNDS_MS.len()],
    micros: AtomicU64,
    begun: AtomicU64,
    ended: AtomicU64,
    started: AtomicU64,
    traps: AtomicU64,
}

/// A request on its way; counts as in flight until it is dropped.
#[derive(Debug)]
pub struct InFlight<'a>(&'a Counters);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Relaxed);
    }
}

impl Counters {
    /// A request was handed over.
    pub fn begin(&self) -> InFlight<'_> {
        self.begun.fetch_add(1, Relaxed);
        InFlight(self)
    }

    /// A request has its response head.
    pub fn served(&self, status: StatusCode, elapsed: Duration) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(count) = self.classes.get(class) {
            count.fetch_add(1, Relaxed);
        }
        let bucket = BOUNDS_MS.partition_point(|bound| elapsed > Duration::from_millis(*bound));
        if let Some(count) = self.buckets.get(bucket) {
            count.fetch_add(1, Relaxed);
        }
        let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        self.micros.fetch_add(micros, Relaxed);
    }

    /// An instance was made.
    pub fn started(&self) {
        self.started.fetch_add(1, Relaxed);
    }

    /// An instance ended by a trap or a limit.
    pub fn trapped(&self) {
        self.traps.fetch_add(1, Relaxed);
    }

    /// Requests that wait for their response heads.
    pub fn in_flight(&self) -> u64 {
        // In this order a request that ends in between makes the figure too large, never negative.
        let ended = self.ended.load(Relaxed);
        self.begun.load(Relaxed).saturating_sub(ended)
    }

    /// Instances that ended by a trap or a limit.
    pub fn traps(&self) -> u64 {
        self.traps.load(Relaxed)
    }

    /// Requests by status class: `2xx` and how many.
    pub fn by_class(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self.classes.iter().map(|count| count.load(Relaxed));
        CLASSES.into_iter().zip(counts)
    }
}

/// One component at the moment of writing.
#[derive(Debug)]
pub struct Component<'a> {
    /// Its id; empty for what reached none.
    pub id: &'a str,
    /// Its counters.
    pub counters: &'a Counters,
    /// Instances that live.
    pub instances: usize,
    /// Requests that no instance has taken yet.
    pub queued: usize,
}

/// What is counted of connections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Connections {
    /// Open now.
    pub open: usize,
    /// Refused because there were too many.
    pub refused: u64,
}

/// All of it in Prometheus' text format; `commits` of each database, by label.
pub fn text(
    components: &[Component<'_>],
    connections: Connections,
    commits: &BTreeMap<String, Arc<Commits>>,
) -> String {
    let mut page = Page(String::new());
    page.head("chatly_build_info", "gauge", "The version that runs.");
    page.line(
        "chatly_build_info",
        &[("version", env!("CARGO_PKG_VERSION"))],
        1,
    );
    page.head("chatly_connections", "gauge", "Open connections.");
    page.line("chatly_connections", &[], connections.open);
    let name = "chatly_connections_refused_total";
    page.head(name, "counter", "Connections refused by --max-connections.");
    page.line(name, &[], connections.refused);

    let name = "chatly_http_requests_total";
    page.head(
        name,
        "counter",
        "Requests with a response head, by status class.",
    );
    for component in components {
        for (class, count) in component.counters.by_class() {
            page.line(
                name,
                &[("component", component.id), ("status", class)],
                count,
            );
        }
    }
    page.durations(components);
    /// Name, kind, help, and where the value is.
    type Figure = (
        &'static str,
        &'static str,
        &'static str,
        fn(&Component<'_>) -> u64,
    );
    let figures: [Figure; 5] = [
        (
            "chatly_http_requests_in_flight",
            "gauge",
            "Requests that wait for their response heads.",
            |component| component.counters.in_flight(),
        ),
        (
            "chatly_http_requests_queued",
            "gauge",
            "Requests that no instance has taken yet.",
            |component| component.queued as u64,
        ),
        (
            "chatly_instances",
            "gauge",
            "Instances that live.",
            |component| component.instances as u64,
        ),
        (
            "chatly_instances_started_total",
            "counter",
            "Instances that were made.",
            |component| component.counters.started.load(Relaxed),
        ),
        (
            "chatly_traps_total",
            "counter",
            "Instances that ended by a trap or a limit.",
            |component| component.counters.traps(),
        ),
    ];
    for (name, kind, help, figure) in figures {
        page.head(name, kind, help);
        for component in components
            .iter()
            .filter(|component| !component.id.is_empty())
        {
            page.line(name, &[("component", component.id)], figure(component));
        }
    }
    page.commits(commits);
    page.0
}

struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string cannot fail.
        _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.0.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            let open = if index == 0 { '{' } else { ',' };
            _ = write!(self.0, "{open}{label}=\"{}\"", escaped(text));
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        _ = writeln!(self.0, " {value}");
    }

    fn durations(&mut self, components: &[Component<'_>]) {
        let name = "chatly_http_request_duration_seconds";
        self.head(
            name,
            "histogram",
            "Time from a request to its response head.",
        );
        // What reaches no component is answered at once.
        for Component { id, counters, .. } in components.iter().filter(|one| !one.id.is_empty()) {
            let buckets = BOUNDS_MS.iter().zip(&counters.buckets);
            let buckets =
                buckets.map(|(bound, count)| (seconds(bound * 1000), count.load(Relaxed)));
            let below = self.buckets(name, ("component", id), buckets);
            // Read after the buckets, so never below the last of them.
            let all: u64 = counters.by_class().map(|(_, count)| count).sum();
            let sum = seconds(counters.micros.load(Relaxed));
            self.whole(name, ("component", id), all.max(below), &sum);
        }
    }

    fn commits(&mut self, databases: &BTreeMap<String, Arc<Commits>>) {
        let name = "chatly_sqlite_group_statements";
        self.head(
            name,
            "histogram",
            "Statements in one commit, of those that share commits.",
        );
        for (label, commits) in databases {
            let buckets = commits.buckets();
            let buckets = buckets.map(|(bound, count)| (bound.to_string(), count));
            let all = self.buckets(name, ("database", label), buckets);
            let sum = commits.statements().to_string();
            self.whole(name, ("database", label), all, &sum);
        }
    }

    /// The buckets of one histogram, but the last, which has no bound. Gives how many are in all
    /// of them.
    fn buckets(
        &mut self,
        name: &str,
        label: (&str, &str),
        buckets: impl Iterator<Item = (String, u64)>,
    ) -> u64 {
        let name = format!("{name}_bucket");
        let mut below = 0;
        for (bound, count) in buckets {
            below += count;
            self.line(&name, &[label, ("le", &bound)], below);
        }
        below
    }

    /// The end of one histogram: all that was counted, and its sum.
    fn whole(&mut self, name: &str, label: (&str, &str), all: u64, sum: &str) {
        self.line(&format!("{name}_bucket"), &[label, ("le", "+Inf")], all);
        self.line(&format!("{name}_sum"), &[label], sum);
        self.line(&format!("{name}_count"), &[label], all);
    }
}

/// Microseconds as seconds, in decimal.
fn seconds(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A label's value as the format wants it.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(counters: &Counters) -> String {
        let component = Component {
            id: "a\"b",
            counters,
            instances: 2,
            queued: 3,
        };
        text(
            &[component],
            Connections {
                open: 7,
                refused: 1,
            },
            &BTreeMap::from([("default".to_owned(), Arc::default())]),
        )
    }

    #[test]
    fn each_request_is_in_its_class_and_its_buckets() {
        let counters = Counters::default();
        for (status, micros) in [
            (200, 1000),
            (204, 1001),
            (404, 10_000_000),
            (500, 10_000_001),
        ] {
            let in_flight = counters.begin();
            assert_eq!(counters.in_flight(), 1);
            counters.served(
                StatusCode::from_u16(status).unwrap(),
                Duration::from_micros(micros),
            );
            drop(in_flight);
        }
        counters.started();
        counters.trapped();
        let page = page(&counters);
        for want in [
            "chatly_connections 7",
            "chatly_connections_refused_total 1",
            r#"chatly_http_requests_total{component="a\"b",status="2xx"} 2"#,
            r#"chatly_http_requests_total{component="a\"b",status="4xx"} 1"#,
            r#"chatly_http_requests_total{component="a\"b",status="5xx"} 1"#,
            r#"chatly_http_request_duration_seconds_bucket{component="a\"b",le="0.001"} 1"#,
            r#"chatly_http_request_duration_seconds_bucket{component="a\"b",le="0.002"} 2"#,
            r#"chatly_http_request_duration_seconds_bucket{component="a\"b",le="10"} 3"#,
            r#"chatly_http_request_duration_seconds_bucket{component="a\"b",le="+Inf"} 4"#,
            r#"chatly_http_request_duration_seconds_sum{component="a\"b"} 20.002002"#,
            r#"chatly_http_request_duration_seconds_count{component="a\"b"} 4"#,
            r#"chatly_http_requests_in_flight{component="a\"b"} 0"#,
            r#"chatly_http_requests_queued{component="a\"b"} 3"#,
            r#"chatly_instances{component="a\"b"} 2"#,
            r#"chatly_instances_started_total{component="a\"b"} 1"#,
            r#"chatly_traps_total{component="a\"b"} 1"#,
            r#"chatly_sqlite_group_statements_bucket{database="default",le="1"} 0"#,
            r#"chatly_sqlite_group_statements_bucket{database="default",le="+Inf"} 0"#,
            r#"chatly_sqlite_group_statements_sum{database="default"} 0"#,
            r#"chatly_sqlite_group_statements_count{database="default"} 0"#,
        ] {
            assert!(page.lines().any(|line| line == want), "{want}\n{page}");
        }
    }

    #[test]
    fn every_series_has_a_type_and_no_name_comes_twice() {
        let page = page(&Counters::default());
        let mut names: Vec<_> = page
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE "))
            .filter_map(|line| line.split(' ').next())
            .collect();
        for line in page.lines().filter(|line| !line.starts_with('#')) {
            assert!(names.iter().any(|name| line.starts_with(name)), "{line}");
        }
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn seconds_are_decimal() {
        for (micros, want) in [
            (0, "0"),
            (1, "0.000001"),
            (2_500_000, "2.5"),
            (10_000_000, "10"),
        ] {
            assert_eq!(seconds(micros), want);
        }
    }
}
