//! What bytes are, as they show it themselves, and which of it is taken in.

/// Bytes from the start that are looked at: office files say what they are within a few KiB.
pub const SNIFFED_BYTES: usize = 8 << 10;

/// What is taken in unless the operator says otherwise: what people send each other, and nothing
/// that a double click runs. Archives are not among it.
pub const DEFAULT_TYPES: &str = "image/*,audio/*,video/*,text/plain,application/pdf,application/rtf,\
application/msword,application/x-ole-storage,application/vnd.ms-excel,application/vnd.ms-powerpoint,\
application/vnd.openxmlformats-officedocument.wordprocessingml.document,\
application/vnd.openxmlformats-officedocument.spreadsheetml.sheet,\
application/vnd.openxmlformats-officedocument.presentationml.presentation,\
application/vnd.oasis.opendocument.text,application/vnd.oasis.opendocument.spreadsheet,\
application/vnd.oasis.opendocument.presentation";

/// Which types are taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Types(Vec<String>);

impl Types {
    /// Reads a comma-separated list of `type/subtype` and `type/*`; a blank one is [`DEFAULT_TYPES`].
    pub fn read(list: &str) -> Self {
        let list = if list.trim().is_empty() {
            DEFAULT_TYPES
        } else {
            list
        };
        let words = list.split(',').map(|word| word.trim().to_ascii_lowercase());
        Self(words.filter(|word| !word.is_empty()).collect())
    }

    /// Whether a type is among them.
    pub fn allow(&self, mime_type: &str) -> bool {
        let family = mime_type.split('/').next().unwrap_or_default();
        self.0.iter().any(|word| match word.strip_suffix("/*") {
            Some(all) => all == family,
            None => word == mime_type,
        })
    }
}

const UNKNOWN: &str = "application/octet-stream";

/// The type that the first bytes of a file show; `application/octet-stream` when they show none.
pub fn sniff(start: &[u8]) -> &'static str {
    let start = start.get(..SNIFFED_BYTES).unwrap_or(start);
    if is_skippable(start) {
        return UNKNOWN;
    }
    match infer::get(start) {
        Some(found) => found.mime_type(),
        None if is_text(start) => "text/plain",
        None => UNKNOWN,
    }
}

/// A frame of Zstandard or LZ4 that readers skip. Its length is the sender's, and where a machine word
/// has 32 bits, the sum that `infer` makes of it can be 0, which then looks at one place for ever.
fn is_skippable(start: &[u8]) -> bool {
    matches!(start, [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..])
}

/// UTF-8 without control characters but those of lines and tabs. The last character may be cut.
fn is_text(start: &[u8]) -> bool {
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            let valid = start.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.is_empty()
        && !text
            .chars()
            .any(|it| it.is_control() && !matches!(it, '\n' | '\r' | '\t'))
}

/// Whether a browser may show a type in the page: pixels, sound and film hold no script. All others
/// are saved as files.
pub fn is_inline(mime_type: &str) -> bool {
    matches!(
        mime_type,
        "image/jpeg"
            | "image/png"
            | "image/gif"
            | "image/webp"
            | "image/avif"
            | "image/bmp"
            | "image/heif"
    ) || mime_type.starts_with("audio/")
        || mime_type.starts_with("video/")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

    #[test]
    fn bytes_say_what_they_are() {
        for (name, start, want) in [
            ("png", PNG, "image/png"),
            ("jpeg", b"\xff\xd8\xff\xe0\0\x10JFIF\0", "image/jpeg"),
            ("pdf", b"%PDF-1.7\n", "application/pdf"),
            ("ogg", b"OggS\0\x02\0\0\0\0\0\0\0\0", "audio/ogg"),
            ("mp4", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "video/mp4"),
            ("html", b"<!DOCTYPE html><script>", "text/html"),
            ("xml", b"<?xml version=\"1.0\"?><svg/>", "text/xml"),
            (
                "exe",
                b"MZ\x90\0",
                "application/vnd.microsoft.portable-executable",
            ),
            ("text", "Olá\r\n\tola".as_bytes(), "text/plain"),
            ("text cut in a character", b"abc\xf0\x9f", "text/plain"),
            ("control", b"abc\0def", "application/octet-stream"),
            ("no text", b"abc\xff\xfedef", "application/octet-stream"),
            ("nothing", b"", "application/octet-stream"),
            (
                "a frame that is skipped, of a length that overflows",
                b"\x50\x2a\x4d\x18\xf8\xff\xff\xff",
                "application/octet-stream",
            ),
            (
                "a frame that is skipped, before another",
                b"\x5f\x2a\x4d\x18\x00\x00\x00\x00\x28\xb5\x2f\xfd",
                "application/octet-stream",
            ),
        ] {
            assert_eq!(sniff(start), want, "{name}");
        }
    }

    #[test]
    fn a_list_names_types_and_families() {
        for (list, mime_type, want) in [
            ("", "image/png", true),
            ("", "audio/ogg", true),
            ("", "application/pdf", true),
            ("", "text/plain", true),
            ("", "text/html", false),
            ("", "text/xml", false),
            ("", "application/zip", false),
            ("", "application/octet-stream", false),
            ("", "application/vnd.microsoft.portable-executable", false),
            (" Image/PNG , application/zip", "image/png", true),
            ("image/png,application/zip", "application/zip", true),
            ("image/png", "image/jpeg", false),
            ("image/*", "imagery/png", false),
        ] {
            assert_eq!(
                Types::read(list).allow(mime_type),
                want,
                "{list}: {mime_type}"
            );
        }
    }

    #[test]
    fn what_can_hold_a_script_is_never_shown_in_a_page() {
        for mime_type in [
            "image/svg+xml",
            "text/html",
            "text/xml",
            "text/plain",
            "application/pdf",
        ] {
            assert!(!is_inline(mime_type), "{mime_type}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(start: Vec<u8>) {
            prop_assert!(sniff(&start).contains('/'));
        }
    }
}
