//! `docs/channels.md` says what the channels say of themselves.

use std::path::Path;

/// What encloses the generated part.
const START: &str = "<!-- generated: BLESS=1 cargo test -p chatly-channels -->\n";
const END: &str = "<!-- end of what is generated -->";

#[test]
fn the_table_is_what_the_channels_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/channels.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = text.split_once(START).unwrap();
    let (table, tail) = rest.split_once(END).unwrap();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(
            &path,
            [head, START, &chatly_channels::table(), END, tail].concat(),
        )
        .unwrap();
    } else {
        assert_eq!(table, chatly_channels::table(), "BLESS=1 rewrites it");
    }
}
