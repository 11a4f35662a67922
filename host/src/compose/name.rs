//! Dependency names, as the keys of `[component.<id>.dependencies]` give them.
//!
//! Three forms: `ns:pkg/interface@version` (the version may be left out) for one import,
//! `ns:pkg` or `ns:pkg@version` for every import of a package, and a plain kebab-case name for the
//! import of just that name. Names are compared, not validated: one that is malformed matches
//! nothing, which is an error of its own.

/// One dependency name, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name<'a> {
    /// A plain name.
    Plain(&'a str),
    /// A package, or one interface of it.
    Package {
        /// `ns:pkg`.
        package: &'a str,
        /// The interface; every one when absent.
        interface: Option<&'a str>,
        /// The version; any when absent.
        version: Option<&'a str>,
    },
}

impl<'a> Name<'a> {
    /// Takes `text` apart.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        let (path, version) = match text.split_once('@') {
            Some((path, version)) => (path, Some(version)),
            None => (text, None),
        };
        if !path.contains([':', '/']) && version.is_none() {
            return Self::Plain(text);
        }
        let (package, interface) = match path.split_once('/') {
            Some((package, interface)) => (package, Some(interface)),
            None => (path, None),
        };
        Self::Package {
            package,
            interface,
            version,
        }
    }

    /// The package, for a name that has one.
    #[must_use]
    pub fn package(&self) -> Option<&'a str> {
        match self {
            Self::Plain(_) => None,
            Self::Package { package, .. } => Some(package),
        }
    }

    /// True when this name stands for the import called `import`.
    #[must_use]
    pub fn matches(&self, import: &str) -> bool {
        match (*self, Name::parse(import)) {
            (Self::Plain(name), Name::Plain(import)) => name == import,
            (
                Self::Package {
                    package,
                    interface,
                    version,
                },
                Name::Package {
                    package: in_package,
                    interface: Some(of_interface),
                    version: of_version,
                },
            ) => {
                package == in_package
                    && interface.is_none_or(|interface| interface == of_interface)
                    && version.is_none_or(|version| of_version == Some(version))
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_matches_as_much_as_it_says() {
        for (name, import, want) in [
            ("a:b/c@0.1.0", "a:b/c@0.1.0", true),
            ("a:b/c@0.1.0", "a:b/c@0.1.1", false),
            ("a:b/c@0.1.0", "a:b/c", false),
            ("a:b/c", "a:b/c@0.1.0", true),
            ("a:b/c", "a:b/c", true),
            ("a:b/c", "a:b/cd", false),
            ("a:b/c", "a:bb/c", false),
            ("a:b", "a:b/c@0.1.0", true),
            ("a:b@0.1.0", "a:b/d@0.1.0", true),
            ("a:b@0.1.0", "a:b/d", false),
            ("a:b", "a:bc/d", false),
            ("plain-name", "plain-name", true),
            ("plain-name", "plain", false),
            ("plain-name", "plain:name/x", false),
            ("a:b", "a", false),
        ] {
            assert_eq!(
                Name::parse(name).matches(import),
                want,
                "{name} for {import}"
            );
        }
    }
}
