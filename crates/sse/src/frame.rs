//! The wire format.
//!
//! 1. A field ends at CR, LF or both (WHATWG HTML, section 9.2.6), so nothing that holds one of
//!    them is written as it is: data is split into several `data` lines, which the client joins
//!    again with LF; a name loses them.
//! 2. Every frame ends with an empty line, so that each is complete by itself.

use std::fmt::Write;

/// An event with its id. `data` is one line, as JSON is; one with line breaks keeps them as LF.
pub fn event(seq: u64, kind: &str, data: &str) -> String {
    let mut frame = String::with_capacity(data.len() + kind.len() + 48);
    // Writing to a String cannot fail.
    let _ = writeln!(frame, "id: {seq}");
    if !kind.is_empty() {
        frame.push_str("event: ");
        frame.extend(kind.chars().filter(|c| !matches!(c, '\r' | '\n')));
        frame.push('\n');
    }
    for line in lines(data) {
        frame.push_str("data: ");
        frame.push_str(line);
        frame.push('\n');
    }
    frame.push('\n');
    frame
}

/// A comment, which clients skip.
pub fn comment(text: &str) -> String {
    let mut frame = String::new();
    for line in lines(text) {
        frame.push_str(": ");
        frame.push_str(line);
        frame.push('\n');
    }
    frame.push('\n');
    frame
}

/// How long a client waits before it connects again.
pub fn retry(millis: u32) -> String {
    format!("retry: {millis}\n\n")
}

/// The lines of a text, by the line ends that clients know.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.find(['\r', '\n']) else {
            rest = None;
            return Some(text);
        };
        let (line, after) = text.split_at(end);
        rest = after
            .strip_prefix("\r\n")
            .or_else(|| after.strip_prefix(['\r', '\n']));
        Some(line)
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A client, after section 9.2.6: the dispatched events as (id, kind, data).
    pub(crate) fn read(stream: &str) -> Vec<(String, String, String)> {
        let (mut events, mut id, mut kind, mut data) =
            (Vec::new(), String::new(), String::new(), Vec::new());
        for line in stream.replace("\r\n", "\n").replace('\r', "\n").split('\n') {
            if line.is_empty() {
                if !data.is_empty() {
                    events.push((id.clone(), std::mem::take(&mut kind), data.join("\n")));
                }
                kind.clear();
                data.clear();
                continue;
            }
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
            match field {
                "id" => id = value,
                "event" => kind = value,
                "data" => data.push(value),
                _ => {}
            }
        }
        events
    }

    #[test]
    fn frames_are_written_as_documented() {
        for (name, frame, want) in [
            (
                "event",
                event(7, "message.created", r#"{"a":1}"#),
                "id: 7\nevent: message.created\ndata: {\"a\":1}\n\n",
            ),
            ("no kind", event(0, "", "x"), "id: 0\ndata: x\n\n"),
            (
                "lines",
                event(1, "k", "a\nb\r\nc\rd"),
                "id: 1\nevent: k\ndata: a\ndata: b\ndata: c\ndata: d\n\n",
            ),
            (
                "injection",
                event(1, "k\nid: 9", "x"),
                "id: 1\nevent: kid: 9\ndata: x\n\n",
            ),
            ("comment", comment("hello"), ": hello\n\n"),
            (
                "comment of lines",
                comment("a\ndata: b"),
                ": a\n: data: b\n\n",
            ),
            ("retry", retry(2000), "retry: 2000\n\n"),
        ] {
            assert_eq!(frame, want, "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_client_reads_back_one_event_whatever_is_in_it(seq: u64, kind in ".{1,20}", data in "(?s).{0,60}", note in "(?s).{0,20}") {
            let stream = format!("{}{}{}", comment(&note), event(seq, &kind, &data), retry(1));
            let data = data.replace("\r\n", "\n").replace('\r', "\n");
            let kind: String = kind.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
            prop_assert_eq!(read(&stream), vec![(seq.to_string(), kind, data)]);
        }
    }
}
