//! Which component answers a path.
//!
//! 1. A route is a list of segments: a literal, a `:name` that takes one whole segment, or a
//!    trailing `/...` that takes the rest, also nothing.
//! 2. Slashes at the two ends of a path do not matter: `/a` also answers `/a/`.
//! 3. Of several routes that fit, the leftmost difference decides: a literal before a name,
//!    a name before the rest, and a longer route before a shorter one.
//! 4. Two routes that fit exactly the same paths are refused when the table is built.
//!
//! Values are handed on as the client wrote them: nothing is percent-decoded here.

use std::cmp::Ordering;

use thiserror::Error;

/// Why a set of routes is no table.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Error {
    /// Two routes fit the same paths.
    #[error("the routes `{first}` and `{second}` fit the same paths; remove or change one of them")]
    Duplicate {
        /// The route that came first.
        first: String,
        /// The route that came later.
        second: String,
    },
    /// `...` that is not the last segment, or a `:` without a name.
    #[error(
        "the route `{0}` is malformed: `...` may only be its last segment, and `:` needs a name"
    )]
    Malformed(String),
}

/// One segment of a route. The order of the variants is the order of rule 3.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Named(String),
    Rest,
}

impl Segment {
    fn rank(&self) -> u8 {
        match self {
            Self::Literal(_) => 0,
            Self::Named(_) => 1,
            Self::Rest => 2,
        }
    }

    /// Whether both fit the same text.
    fn same_shape(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Literal(a), Self::Literal(b)) => a == b,
            _ => self.rank() == other.rank(),
        }
    }
}

/// One route of the table.
#[derive(Debug, Clone)]
struct Entry {
    raw: String,
    segments: Vec<Segment>,
    component: String,
}

impl Entry {
    fn parse(raw: &str, component: &str) -> Result<Self, Error> {
        let malformed = || Error::Malformed(raw.to_owned());
        let parts: Vec<&str> = split(raw).collect();
        let last = parts.len().saturating_sub(1);
        let mut segments = Vec::with_capacity(parts.len());
        for (index, part) in parts.into_iter().enumerate() {
            segments.push(match part {
                "..." | "*" if index == last => Segment::Rest,
                "..." | "*" | ":" => return Err(malformed()),
                _ => match part.strip_prefix(':') {
                    Some(name) => Segment::Named(name.to_owned()),
                    None => Segment::Literal(part.to_owned()),
                },
            });
        }
        Ok(Self {
            raw: raw.to_owned(),
            segments,
            component: component.to_owned(),
        })
    }

    fn fits_same_paths(&self, other: &Self) -> bool {
        self.segments.len() == other.segments.len()
            && self
                .segments
                .iter()
                .zip(&other.segments)
                .all(|(a, b)| a.same_shape(b))
    }

    fn precedence(&self, other: &Self) -> Ordering {
        self.segments
            .iter()
            .zip(&other.segments)
            .map(|(a, b)| a.rank().cmp(&b.rank()))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| other.segments.len().cmp(&self.segments.len()))
    }

    /// The names' values and what the rest took, if the path fits.
    fn fit(&self, path: &str) -> Option<(Vec<(String, String)>, String)> {
        let mut parts = split(path);
        let mut named = Vec::new();
        for segment in &self.segments {
            match segment {
                Segment::Literal(text) => {
                    if parts.next() != Some(text.as_str()) {
                        return None;
                    }
                }
                Segment::Named(name) => {
                    let value = parts.next().filter(|value| !value.is_empty())?;
                    named.push((name.clone(), value.to_owned()));
                }
                Segment::Rest => {
                    let rest: Vec<&str> = parts.collect();
                    return Some((named, path_info(&rest.join("/"), path)));
                }
            }
        }
        parts.next().is_none().then_some((named, String::new()))
    }
}

/// What `/...` took, in Spin's spelling: it keeps the path's trailing slash.
fn path_info(rest: &str, path: &str) -> String {
    match (rest.is_empty(), path.ends_with('/')) {
        (true, true) => "/".to_owned(),
        (true, false) => String::new(),
        (false, true) => format!("/{rest}/"),
        (false, false) => format!("/{rest}"),
    }
}

fn split(path: &str) -> impl Iterator<Item = &str> {
    let trimmed = path.trim_matches('/');
    trimmed.split('/').skip(usize::from(trimmed.is_empty()))
}

/// The routes of one application that can be reached from outside.
#[derive(Debug, Default)]
pub struct Router {
    /// In order of precedence.
    entries: Vec<Entry>,
}

/// A path that found its component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The component that answers; empty for a static response.
    pub component: String,
    /// The route as the manifest has it.
    pub route: String,
    /// What `/...` took, with its leading slash; empty for a route without it.
    pub path_info: String,
    /// The values of the `:name` segments, as the client wrote them.
    pub named: Vec<(String, String)>,
}

impl Match {
    /// What a call to `http://<component>.spin.internal` counts as: a route that takes any path.
    pub fn internal(component: &str, path: &str) -> Self {
        Self {
            component: component.to_owned(),
            route: "/...".to_owned(),
            path_info: path.to_owned(),
            named: Vec::new(),
        }
    }
}

impl Router {
    /// Builds the table from pairs of route and component.
    pub fn build<'a>(routes: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Error> {
        let mut entries: Vec<Entry> = Vec::new();
        for (raw, component) in routes {
            let entry = Entry::parse(raw, component)?;
            if let Some(first) = entries.iter().find(|other| other.fits_same_paths(&entry)) {
                return Err(Error::Duplicate {
                    first: first.raw.clone(),
                    second: entry.raw,
                });
            }
            entries.push(entry);
        }
        entries.sort_by(Entry::precedence);
        Ok(Self { entries })
    }

    /// The component for `path`, which comes from a client and starts with `/`.
    pub fn find(&self, path: &str) -> Option<Match> {
        self.entries.iter().find_map(|entry| {
            let (named, path_info) = entry.fit(path)?;
            Some(Match {
                component: entry.component.clone(),
                route: entry.raw.clone(),
                path_info,
                named,
            })
        })
    }

    /// Route and component of each entry, in order of precedence.
    pub fn routes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries
            .iter()
            .map(|entry| (entry.raw.as_str(), entry.component.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router() -> Router {
        Router::build([
            ("/...", "console"),
            ("/webhooks/:channel", "by-name"),
            ("/webhooks/whatsapp", "whatsapp"),
            ("/webhooks/:channel/:account", "by-account"),
            ("/v1/...", "api"),
            ("/v1/events", "realtime"),
            ("/v1/:kind/special", "special"),
        ])
        .unwrap()
    }

    #[test]
    fn the_most_specific_route_answers() {
        for (path, want) in [
            ("/", "console"),
            ("/index.html", "console"),
            ("/webhooks/whatsapp", "whatsapp"),
            ("/webhooks/whatsapp/", "whatsapp"),
            ("/webhooks/telegram", "by-name"),
            ("/webhooks/telegram/42", "by-account"),
            ("/webhooks/whatsapp/42", "by-account"),
            ("/webhooks/telegram/42/more", "console"),
            ("/webhooks", "console"),
            ("/v1", "api"),
            ("/v1/", "api"),
            ("/v1/conversations/7", "api"),
            ("/v1/events", "realtime"),
            ("/v1/events/ticket", "api"),
            ("/v1/rules/special", "special"),
            ("/v12", "console"),
        ] {
            assert_eq!(
                router().find(path).map(|found| found.component).as_deref(),
                Some(want),
                "{path}"
            );
        }
    }

    #[test]
    fn a_path_that_fits_nothing_finds_nothing() {
        let router = Router::build([("/a", "a"), ("/b/:id", "b"), ("/c/...", "c")]).unwrap();
        for path in ["/", "/aa", "/a/b", "/b", "/b/", "/b/1/2", "/cc", "/%61"] {
            assert_eq!(router.find(path), None, "{path}");
        }
    }

    #[test]
    fn names_and_the_rest_are_captured_as_spin_spells_them() {
        let router =
            Router::build([("/a/:user_id/...", "a"), ("/exact", "e"), ("/...", "r")]).unwrap();
        for (path, named, path_info) in [
            ("/a/1", vec![("user_id", "1")], ""),
            ("/a/1/", vec![("user_id", "1")], "/"),
            ("/a/1/x", vec![("user_id", "1")], "/x"),
            ("/a/b%20c/x/y/", vec![("user_id", "b%20c")], "/x/y/"),
            ("/exact", vec![], ""),
            ("/", vec![], "/"),
            ("/z", vec![], "/z"),
        ] {
            let found = router.find(path).unwrap();
            let got: Vec<_> = found
                .named
                .iter()
                .map(|(n, v)| (n.as_str(), v.as_str()))
                .collect();
            assert_eq!(
                (got, found.path_info.as_str()),
                (named, path_info),
                "{path}"
            );
        }
    }

    #[test]
    fn routes_that_no_path_can_tell_apart_are_refused() {
        for (name, first, second) in [
            ("same", "/a", "/a"),
            ("trailing slash", "/a", "/a/"),
            ("other name", "/a/:x", "/a/:y"),
            ("two catch-alls", "/...", "/*"),
        ] {
            let got = Router::build([(first, "one"), (second, "two")]).map(|_| ());
            let want = Error::Duplicate {
                first: first.into(),
                second: second.into(),
            };
            assert_eq!(got, Err(want), "{name}");
        }
    }

    #[test]
    fn malformed_routes_are_refused() {
        for route in ["/a/.../b", "/:", "/a/:/b", "/*/a"] {
            let got = Router::build([(route, "x")]).map(|_| ());
            assert_eq!(got, Err(Error::Malformed(route.into())), "{route}");
        }
    }

    #[test]
    fn the_table_does_not_depend_on_the_order_of_the_manifest() {
        let forward = [
            ("/...", "a"),
            ("/x/...", "b"),
            ("/x/:y", "c"),
            ("/x/z", "d"),
        ];
        let mut backward = forward;
        backward.reverse();
        for path in ["/", "/x", "/x/1", "/x/z", "/x/z/1"] {
            let one = Router::build(forward).unwrap().find(path);
            let two = Router::build(backward).unwrap().find(path);
            assert_eq!(one, two, "{path}");
        }
    }
}
