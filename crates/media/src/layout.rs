//! How a medium lies in a key-value store: parts of one size, and a head that is written last, so
//! that there is all of it or nothing.

use serde::{Deserialize, Serialize};

/// Bytes of a part, but for the last: what each store that Spin knows takes as one value (DynamoDB
/// takes 400 KB).
pub const PART_BYTES: usize = 256 << 10;

/// The longest path; ours are 39 bytes.
const MAX_PATH_BYTES: usize = 200;

/// What is known of a whole medium.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// As found in its bytes.
    pub mime_type: String,
    /// Its size.
    pub bytes: u64,
    /// Lower-case hex.
    pub sha256: String,
    /// How many parts there are.
    pub parts: u32,
}

/// The path of medium number `index` of the message with our id.
pub fn path(message_id: &str, index: u32) -> String {
    format!("{message_id}/{index}")
}

/// Whether a path is one: segments of `A-Z a-z 0-9 - _`, a slash between. It is part of keys and of
/// URLs, so it must not be able to say anything else.
pub fn is_path(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    path.len() <= MAX_PATH_BYTES
        && path
            .split('/')
            .all(|segment| !segment.is_empty() && segment.bytes().all(plain))
}

/// The key of a head. No part's key is one: a path holds no dot.
pub fn head_key(path: &str) -> String {
    format!("media/{path}")
}

/// The key of a part.
pub fn part_key(path: &str, index: u32) -> String {
    format!("media/{path}.{index}")
}

impl Head {
    /// As it is stored.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads what was stored; none for anything else.
    pub fn read(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_nothing_but_itself() {
        let long = "x".repeat(MAX_PATH_BYTES + 1);
        for (path, want) in [
            ("0197a1b2-0000-7000-8000-000000000000/0", true),
            ("a_b/C/9", true),
            ("", false),
            ("/a", false),
            ("a/", false),
            ("a//b", false),
            ("..", false),
            ("a/../b", false),
            ("a.0", false),
            ("a%2e", false),
            ("a b", false),
            ("a?b", false),
            ("ä", false),
            (&long, false),
        ] {
            assert_eq!(is_path(path), want, "{path}");
        }
    }

    #[test]
    fn a_head_is_read_as_it_was_written() {
        let head = Head {
            mime_type: "image/png".into(),
            bytes: 7,
            sha256: "ab".into(),
            parts: 1,
        };
        assert_eq!(Head::read(&head.to_json()), Some(head));
        assert_eq!(Head::read(b"{}"), None);
    }
}
