//! Which names a variable may have, by Spin's rules, and what its environment variable is.

/// Why a name is none. The words are Spin's, as a guest can see them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?}: {rule}")]
pub struct InvalidName {
    name: String,
    rule: String,
}

/// Checks that a variable may be called `name`.
///
/// # Errors
///
/// [`InvalidName`] with the first rule that the name breaks.
pub fn check(name: &str) -> Result<(), InvalidName> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let rule = if name.is_empty() {
        "must not be empty".to_owned()
    } else if let Some(invalid) = name.chars().find(|c| !allowed(*c)) {
        format!(
            "invalid character {invalid:?}. Variable names may contain only lower-case letters, numbers, and underscores."
        )
    } else if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        "must start with a lowercase ASCII letter".to_owned()
    } else if name.ends_with('_') {
        "must end with a lowercase ASCII letter or digit".to_owned()
    } else if name.contains("__") {
        "must not contain multiple consecutive underscores".to_owned()
    } else {
        return Ok(());
    };
    Err(InvalidName {
        name: name.to_owned(),
        rule,
    })
}

/// The environment variable that sets the variable `name`: `SPIN_VARIABLE_<NAME>`.
pub fn environment_name(name: &str) -> String {
    format!(
        "SPIN_VARIABLE_{}",
        name.to_ascii_uppercase().replace('-', "_")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_words_joined_by_single_underscores() {
        for (name, want) in [
            ("a", ""),
            ("abc", ""),
            ("a1", ""),
            ("a_1_b", ""),
            ("", "must not be empty"),
            ("aX", "invalid character 'X'"),
            ("a-b", "invalid character '-'"),
            ("a.b", "invalid character '.'"),
            ("a b", "invalid character ' '"),
            ("ä", "invalid character 'ä'"),
            ("1a", "must start"),
            ("_a", "must start"),
            ("a_", "must end"),
            ("a__b", "consecutive"),
        ] {
            match check(name) {
                Ok(()) => assert_eq!(want, "", "{name:?}"),
                Err(error) => assert!(
                    !want.is_empty() && error.to_string().contains(want),
                    "{name:?}: {error}"
                ),
            }
        }
    }

    #[test]
    fn the_environment_name_is_upper_case() {
        assert_eq!(
            environment_name("whatsapp_app_secret"),
            "SPIN_VARIABLE_WHATSAPP_APP_SECRET"
        );
        assert_eq!(environment_name("a-b"), "SPIN_VARIABLE_A_B");
    }
}
