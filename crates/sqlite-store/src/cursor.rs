//! Cursors: where a page ended, opaque to callers and checked on the way back.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::Error;

/// Rows of a page at most, the contract's number.
const MAX_LIMIT: u32 = 200;

/// One page of a list; `cursor` none starts at the beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Rows, 1–200.
    pub limit: u32,
}

impl Page {
    /// A page's size, checked.
    pub(crate) fn size(&self) -> Result<u32, Error> {
        if (1..=MAX_LIMIT).contains(&self.limit) {
            Ok(self.limit)
        } else {
            Err(Error::Invalid("limit is 1 to 200"))
        }
    }

    /// The position that `encode` made for this list.
    pub(crate) fn position(&self, list: char) -> Result<Option<(u64, u64)>, Error> {
        self.cursor
            .as_deref()
            .map(|cursor| decode(list, cursor))
            .transpose()
    }
}

/// A cursor of `list` after the row with this position.
pub(crate) fn encode(list: char, position: (u64, u64)) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(format!("{list}{}.{}", position.0, position.1))
}

fn decode(list: char, cursor: &str) -> Result<(u64, u64), Error> {
    let parse = || {
        let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let (first, second) = text.strip_prefix(list)?.split_once('.')?;
        let position = (first.parse().ok()?, second.parse().ok()?);
        // One position has one cursor: `+1` and `01` are not ours.
        (encode(list, position) == cursor).then_some(position)
    };
    parse().ok_or(Error::InvalidCursor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cursor_of_another_list_or_of_nobody_is_refused() {
        for (name, cursor) in [
            ("another list", encode('m', (1, 2))),
            ("empty", String::new()),
            ("no base64", "%%%".into()),
            ("plus sign", BASE64_URL_SAFE_NO_PAD.encode("c+1.2")),
            ("cut", encode('c', (1, 2)).chars().take(3).collect()),
        ] {
            let page = Page {
                cursor: Some(cursor),
                limit: 1,
            };
            assert_eq!(page.position('c'), Err(Error::InvalidCursor), "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_position_comes_back(a: u64, b: u64) {
            let page = Page { cursor: Some(encode('c', (a, b))), limit: 1 };
            prop_assert_eq!(page.position('c'), Ok(Some((a, b))));
        }

        #[test]
        fn any_text_is_a_cursor_or_an_error(text in ".*") {
            let _ = Page { cursor: Some(text), limit: 1 }.position('c');
        }
    }
}
