//! Keeps a body within bounds without holding all of it first.

/// The largest body that is taken: 3 MiB. Meta sends at most 3 MB; no other channel sends more.
pub const MAX_BODY_BYTES: usize = 3 * 1024 * 1024;

/// The body is larger than [`MAX_BODY_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge;

/// Counts a body while it is read.
#[derive(Debug, Default)]
pub struct Size {
    read: usize,
}

impl Size {
    /// Starts from what `content-length` declares; the sender controls it, so a body is refused for
    /// too large a number, and a small one is not believed.
    pub fn declared(content_length: Option<&[u8]>) -> Result<Self, TooLarge> {
        let text = content_length
            .and_then(|value| std::str::from_utf8(value).ok())
            .unwrap_or_default();
        let digits = text.trim();
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        // A number too long to parse is a number too large.
        let fits = digits
            .parse::<usize>()
            .is_ok_and(|length| length <= MAX_BODY_BYTES);
        if is_number && !fits {
            Err(TooLarge)
        } else {
            Ok(Size::default())
        }
    }

    /// Counts a piece that arrived.
    pub fn add(&mut self, bytes: usize) -> Result<(), TooLarge> {
        self.read = self.read.saturating_add(bytes);
        if self.read > MAX_BODY_BYTES {
            Err(TooLarge)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declared_length_over_the_limit_is_refused_before_reading() {
        for (name, declared, fits) in [
            ("none", None, true),
            ("zero", Some("0"), true),
            ("the limit", Some("3145728"), true),
            ("one more", Some("3145729"), false),
            ("spaces", Some(" 3145729 "), false),
            ("beyond 64 bits", Some("99999999999999999999999"), false),
            ("no number", Some("many"), true),
            ("negative", Some("-1"), true),
            ("blank", Some(""), true),
        ] {
            assert_eq!(
                Size::declared(declared.map(str::as_bytes)).is_ok(),
                fits,
                "{name}"
            );
        }
    }

    #[test]
    fn what_arrives_counts_whatever_was_declared() {
        for (name, pieces, fits) in [
            ("at once", &[MAX_BODY_BYTES][..], true),
            ("one too many", &[MAX_BODY_BYTES, 1], false),
            ("pieces", &[1, MAX_BODY_BYTES - 1], true),
            ("no end", &[usize::MAX, usize::MAX], false),
        ] {
            let mut size = Size::declared(Some(b"1")).unwrap();
            assert_eq!(
                pieces.iter().all(|bytes| size.add(*bytes).is_ok()),
                fits,
                "{name}"
            );
        }
    }
}
