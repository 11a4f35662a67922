//! Names and small values that may stand in a manifest, decided from their text alone.
//!
//! 1. A component id is words of ASCII letters and digits joined by `-`; a variable name the same
//!    joined by `_`, in lower case. Each word starts with a letter and keeps one case.
//! 2. A dependency is named by a package (`ns:name`, `ns:name/interface`, each with an optional
//!    `@version`) or by a plain import name.
//! 3. A duration is a whole number above zero followed by `ms`, `s`, `m` or `h`.
//!
//! Nothing here looks at the file, at other names or at the disk.

use std::time::Duration;

/// Why a name was refused: the part of the error text after the name itself.
pub(super) type Refusal = String;

/// Checks words joined by `delimiter`.
fn words(name: &str, delimiter: char, wrong_delimiter: char) -> Result<(), Refusal> {
    if name.is_empty() {
        return Err("is empty".to_owned());
    }
    if name.contains(wrong_delimiter) {
        return Err(format!(
            "must join its words with {delimiter:?}; write {:?}",
            name.replace(wrong_delimiter, &delimiter.to_string())
        ));
    }
    name.split(delimiter)
        .try_for_each(|word| check_word(word, delimiter))
}

fn check_word(word: &str, delimiter: char) -> Result<(), Refusal> {
    let Some(first) = word.chars().next() else {
        return Err(format!("has an empty word before or after a {delimiter:?}"));
    };
    if !first.is_ascii_alphabetic() {
        return Err(format!(
            "has a word that starts with {first:?}; start each with a letter"
        ));
    }
    if let Some(odd) = word.chars().find(|c| !c.is_ascii_alphanumeric()) {
        return Err(format!(
            "contains {odd:?}; use letters, digits and {delimiter:?}"
        ));
    }
    let is_other_case =
        |c: char| c.is_ascii_alphabetic() && c.is_ascii_uppercase() != first.is_ascii_uppercase();
    if word.chars().any(is_other_case) {
        return Err(format!("mixes upper and lower case in {word:?}; use one"));
    }
    Ok(())
}

/// Checks a component id.
pub(super) fn kebab(name: &str) -> Result<(), Refusal> {
    words(name, '-', '_')
}

/// Checks a variable name.
pub(super) fn lower_snake(name: &str) -> Result<(), Refusal> {
    words(name, '_', '-')?;
    if name.chars().any(|c| c.is_ascii_uppercase()) {
        return Err(format!(
            "must be lower case; write {:?}",
            name.to_ascii_lowercase()
        ));
    }
    Ok(())
}

/// Checks the label of a store or a database: kebab-case or snake_case.
pub(super) fn label(name: &str) -> Result<(), Refusal> {
    if name.contains('_') {
        words(name, '_', '-')
    } else {
        words(name, '-', '_')
    }
}

/// What fills an import is named by: a package (with or without interface) or a plain import name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DependencyName<'a> {
    /// `ns:name`, or the plain name.
    pub package: &'a str,
    /// `interface` of `ns:name/interface@version`.
    pub interface: Option<&'a str>,
    /// Whether this is the plain form.
    pub plain: bool,
}

/// Reads the name of a dependency.
pub(super) fn dependency(name: &str) -> Result<DependencyName<'_>, Refusal> {
    if !name.contains([':', '/']) {
        kebab(name)?;
        return Ok(DependencyName {
            package: name,
            interface: None,
            plain: true,
        });
    }
    let (path, version) = match name.split_once('@') {
        Some((path, version)) => (path, Some(version)),
        None => (name, None),
    };
    let (package, interface) = match path.split_once('/') {
        Some((package, interface)) => (package, Some(interface)),
        None => (path, None),
    };
    let Some((namespace, package_name)) = package.split_once(':') else {
        return Err("has no namespace; write \"namespace:package/interface@version\"".to_owned());
    };
    for part in [Some(namespace), Some(package_name), interface]
        .into_iter()
        .flatten()
    {
        kebab(part).map_err(|refusal| format!("has a part {part:?} that {refusal}"))?;
    }
    if let Some(version) = version {
        check_version(version)?;
    }
    Ok(DependencyName {
        package,
        interface,
        plain: false,
    })
}

/// `MAJOR.MINOR.PATCH` with an optional `-pre` or `+build`, as in semver.
fn check_version(version: &str) -> Result<(), Refusal> {
    let refused = || format!("has the version {version:?}; write all three numbers, like 0.1.0");
    let core = version.split(['-', '+']).next().unwrap_or_default();
    let numbers = core.split('.').collect::<Vec<_>>();
    let is_number = |text: &&str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if numbers.len() == 3 && numbers.iter().all(is_number) {
        Ok(())
    } else {
        Err(refused())
    }
}

/// Checks a public route and gives the shape by which it is matched: two routes of one shape
/// would answer the same paths.
pub(super) fn route_shape(route: &str) -> Result<String, Refusal> {
    if !route.starts_with('/') {
        return Err(format!("must start with a slash; write \"/{route}\""));
    }
    if route.starts_with("/.well-known/spin/") {
        return Err("is under /.well-known/spin/, which the host keeps for itself".to_owned());
    }
    let trimmed = route.strip_suffix('/').unwrap_or(route);
    let mut segments = trimmed.split('/').skip(1).peekable();
    let mut shape = String::new();
    let mut captured: Vec<&str> = Vec::new();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        shape.push('/');
        shape.push_str(segment_shape(segment, is_last, &mut captured)?);
    }
    Ok(shape)
}

fn segment_shape<'a>(
    segment: &'a str,
    is_last: bool,
    captured: &mut Vec<&'a str>,
) -> Result<&'a str, Refusal> {
    if matches!(segment, "..." | "*") {
        return if is_last {
            Ok("...")
        } else {
            Err(format!(
                "has {segment:?} in the middle; it may only be the last segment"
            ))
        };
    }
    let Some(name) = segment.strip_prefix(':') else {
        return if segment.contains(['?', '#', ' ']) {
            Err(format!(
                "has the segment {segment:?}; a route is a path, without query or spaces"
            ))
        } else {
            Ok(segment)
        };
    };
    if name.is_empty() {
        return Err("has \":\" without a name; write \":name\"".to_owned());
    }
    if captured.contains(&name) {
        return Err(format!(
            "captures {name:?} twice; give the second another name"
        ));
    }
    captured.push(name);
    Ok(":")
}

/// Reads a duration like `"5s"`.
pub(super) fn duration(text: &str) -> Result<Duration, Refusal> {
    const HOW: &str =
        "write a whole number above zero and its unit: \"250ms\", \"5s\", \"2m\" or \"1h\"";
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (Some(number), Some(unit)) = (text.get(..digits), text.get(digits..)) else {
        return Err(format!("is no duration; {HOW}"));
    };
    let millis_per_unit: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(format!("is no duration; {HOW}")),
    };
    match number
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_mul(millis_per_unit))
    {
        Some(millis) if millis > 0 => Ok(Duration::from_millis(millis)),
        _ => Err(format!("is no duration; {HOW}")),
    }
}

/// Whether HTTP takes `name` for a header's (RFC 9110, section 5.6.2).
pub(super) fn is_header_name(name: &str) -> bool {
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !name.is_empty() && name.bytes().all(is_token)
}

/// Whether HTTP takes `value` for a header's (RFC 9110, section 5.5).
pub(super) fn is_header_value(value: &str) -> bool {
    value
        .bytes()
        .all(|b| b == b'\t' || (b >= b' ' && b != 0x7f))
}

/// Lists the variables that a template names, in order; `Err` for a template that is not closed.
pub(super) fn template_names(template: &str) -> Result<Vec<&str>, Refusal> {
    let mut names = Vec::new();
    let mut rest = template;
    while let Some((_, after)) = rest.split_once("{{") {
        let Some((name, next)) = after.split_once("}}") else {
            return Err("opens \"{{\" and never closes it; write \"{{ name }}\"".to_owned());
        };
        names.push(name.trim());
        rest = next;
    }
    Ok(names)
}

/// The known name nearest to `name`, if any is near enough to have been meant.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// As close as a wrong ending or two swapped letters in a short word.
    const NEAR: f64 = 0.75;
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= NEAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_words_with_one_delimiter() {
        for (name, kebab_ok, snake_ok) in [
            ("a", true, true),
            ("a1-b2", true, false),
            ("a1_b2", false, true),
            ("INGEST-x", true, false),
            ("INGEST", true, false),
            ("", false, false),
            ("-a", false, false),
            ("a-", false, false),
            ("a--b", false, false),
            ("1a", false, false),
            ("a-1", false, false),
            ("aB", false, false),
            ("a.b", false, false),
            ("ä", false, false),
        ] {
            assert_eq!(kebab(name).is_ok(), kebab_ok, "kebab {name}");
            assert_eq!(lower_snake(name).is_ok(), snake_ok, "snake {name}");
        }
    }

    #[test]
    fn dependencies_are_packages_or_plain_names() {
        let package = |package, interface| {
            Some(DependencyName {
                package,
                interface,
                plain: false,
            })
        };
        for (name, want) in [
            ("a:b", package("a:b", None)),
            ("a:b/c", package("a:b", Some("c"))),
            ("a:b/c@0.1.0", package("a:b", Some("c"))),
            ("a:b@1.2.3-rc.1", package("a:b", None)),
            (
                "plain-name",
                Some(DependencyName {
                    package: "plain-name",
                    interface: None,
                    plain: true,
                }),
            ),
            ("a:b/c@0.1", None),
            ("a:b/c@", None),
            ("a:b/c@x.y.z", None),
            ("a:/c", None),
            (":b/c", None),
            ("a/c", None),
            ("a_b", None),
            ("", None),
        ] {
            assert_eq!(dependency(name).ok(), want, "{name}");
        }
    }

    #[test]
    fn durations_have_a_number_and_a_unit() {
        for (text, want_millis) in [
            ("1ms", Some(1)),
            ("250ms", Some(250)),
            ("5s", Some(5_000)),
            ("2m", Some(120_000)),
            ("1h", Some(3_600_000)),
            ("0s", None),
            ("5", None),
            ("s", None),
            ("", None),
            ("-5s", None),
            ("1.5s", None),
            ("5 s", None),
            ("5d", None),
            ("5S", None),
            ("99999999999999999999s", None),
            ("18446744073709551615h", None),
        ] {
            assert_eq!(
                duration(text).ok(),
                want_millis.map(Duration::from_millis),
                "{text}"
            );
        }
    }

    #[test]
    fn routes_have_a_shape() {
        for (route, want) in [
            ("/", Some("")),
            ("/...", Some("/...")),
            ("/*", Some("/...")),
            ("/a/b", Some("/a/b")),
            ("/a/b/", Some("/a/b")),
            ("/a/:b/...", Some("/a/:/...")),
            ("/a/:b/c/:d", Some("/a/:/c/:")),
            ("a", None),
            ("", None),
            ("/.../a", None),
            ("/*/a", None),
            ("/a/:", None),
            ("/:x/:x", None),
            ("/a?b", None),
            ("/.well-known/spin/x", None),
        ] {
            assert_eq!(route_shape(route).ok().as_deref(), want, "{route}");
        }
    }

    #[test]
    fn templates_name_variables() {
        for (template, want) in [
            ("", Some(vec![])),
            ("a}}b", Some(vec![])),
            ("{{a}}", Some(vec!["a"])),
            ("x{{ a }}-{{  b_c}}y", Some(vec!["a", "b_c"])),
            ("{{ }}", Some(vec![""])),
            ("{{ a", None),
            ("{{ a }} {{", None),
        ] {
            assert_eq!(template_names(template).ok(), want, "{template}");
        }
    }

    #[test]
    fn the_nearest_name_is_near() {
        for (name, want) in [
            ("sourc", Some("source")),
            ("soucre", Some("source")),
            ("discription", Some("description")),
            ("x", None),
            ("wholly_else", None),
        ] {
            assert_eq!(
                nearest(name, ["source", "description", "build"]),
                want,
                "{name}"
            );
        }
    }
}
