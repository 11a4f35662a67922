//! Ways of writing that a hostile sender, or just anybody, may choose; and words that must stay.

use super::*;

fn redacted(text: &str) -> String {
    one(text, None).text
}

#[test]
fn however_it_is_written_it_is_taken() {
    for (text, secret) in [
        ("4111111111111111 €", "4111111111111111"),
        ("USD 4155552671", "4155552671"),
        ("4111\n1111\n1111\n1111", "1111"),
        ("4111,1111,1111,1111", "1111"),
        ("4111_1111_1111_1111", "1111"),
        ("4111 -- 1111 -- 1111 -- 1111", "1111"),
        ("4111·1111·1111·1111, 12/27", "1111"),
        ("06,12,34,56,78", "34,56"),
        ("0151 -- 234 -- 56789", "234"),
        ("529,982,247-25", "982"),
        ("AB-12-34-56-C", "12-34"),
        ("DE89,3704,0044,0532,0130,00", "3704"),
        ("DE89\n3704\n0044\n0532\n0130\n00", "3704"),
        ("josé arroba ejemplo punto com", "josé"),
        ("müller (at) firma (punkt) de", "müller"),
        ("ana @ example . com", "ana"),
        ("ana -at- example -dot- com", "ana"),
        ("a n a @ g m a i l . c o m", "g m a i l"),
        ("ana@gmail,com", "gmail"),
        ("ana%40example.com", "ana"),
        ("\"ana b\"@example.com", "ana b"),
        ("write to ana@firma please", "ana@firma"),
        ("jane at example.com", "jane"),
        ("15070649C103", "070649"),
        ("65 070649 C 103", "070649"),
        ("1 85 05 2A 123 456 33", "123 456"),
        ("B12345674", "2345674"),
        ("D.N.I. 12345678A", "12345678"),
        ("BIC: DEUTDEFF", "DEUTDEFF"),
        (
            "numéro d\u{2019}identité, carte d\u{2019}identité 880692310285",
            "880692310285",
        ),
        ("my password is sunshine", "sunshine"),
        ("password: \"sunny day\"", "sunny"),
        ("pwd=hunter", "hunter"),
        ("my code is 482913", "482913"),
        ("bearer: abcdefghijkl", "abcdefghijkl"),
        ("https://a.example/x?access=hello", "hello"),
        ("https://hooks.slack.com/services/T0/B0/abc", "abc"),
        ("⁴¹¹¹¹¹¹¹¹¹¹¹¹¹¹¹", "¹¹¹"),
        ("⓪⑥①②③④⑤⑥⑦⑧", "③④⑤"),
        ("௪௧௧௧௧௧௧௧௧௧௧௧௧௧௧௧", "௧௧௧"),
        ("4\u{34f}111111111111111", "111111"),
        ("4\u{301}1\u{301}11111111111111", "111111"),
    ] {
        let got = redacted(text);
        assert!(!got.contains(secret), "{text}: {got}");
    }
}

#[test]
fn what_is_nobodys_stays() {
    for text in [
        "ein 2000er Modell",
        "nie 2 Pakete 3 Wochen",
        "rib eye 2500 g",
        "a tan 2024 jacket",
        "budget 250 000 000",
        "sizes 38 40 42 44 46",
        "100 200 300",
        "I looked at amazon.com",
        "1.250,00 € or $ 45 000",
        "open 10:00-12:00 on 24.11.2026",
        "at 2026-11-24 10:30, for 2 at 15 each",
        "my password is wrong",
        "meet at home. point taken",
        "12 of A, 30 of B, 45 of C",
    ] {
        assert_eq!(redacted(text), text);
    }
}

#[test]
fn a_long_text_of_digits_is_read_in_one_go() {
    let text = "12.11.2026 4111 1111 1111 1111, ".repeat(2_000);
    assert!(!redacted(&text).contains("4111"));
}
