//! The v4 addresses that a v6 address stands for.
//!
//! A router or the kernel may deliver a packet for such a v6 address to the v4 one, so a rule about
//! v4 addresses has to hold for both.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Every v4 address that `address` may be translated to:
///
/// - the last 32 bits, where it is v4-mapped (`::ffff:0:0/96`), v4-compatible (`::/96`, RFC 4291),
///   v4-translated (`::ffff:0:0:0/96`, RFC 7915) or of NAT64 (`64:ff9b::/48`, of which RFC 6052
///   uses a /96);
/// - all places that RFC 6052 knows, in the local NAT64 networks (`64:ff9b:1::/48`, RFC 8215), as
///   nobody else knows how long a network's prefix is;
/// - the bits after the prefix of 6to4 (`2002::/16`, RFC 3056);
/// - server and client of Teredo (`2001::/32`, RFC 4380).
pub fn embedded(address: Ipv6Addr) -> impl Iterator<Item = Ipv4Addr> {
    let bits = address.to_bits();
    let [first, second, third, ..] = address.segments();
    let last = at(bits, 96);
    let nat64 = first == 0x64 && second == 0xff9b;
    let in_last = (nat64 && third <= 1) || matches!(bits >> 32, 0 | 0xffff | 0xffff_0000);
    // Bits 64 to 71 are always zero there.
    let around = |prefix: u32| {
        let before = 64 - prefix;
        let high = (bits >> 64) & ((1 << before) - 1);
        let low = (bits >> (56 - (32 - before))) & ((1 << (32 - before)) - 1);
        v4((high << (32 - before)) | low)
    };
    let local = nat64 && third == 1;
    let teredo = first == 0x2001 && second == 0;
    [
        (in_last, last),
        (local, around(48)),
        (local, around(56)),
        (local, around(64)),
        (first == 0x2002, at(bits, 16)),
        (teredo, at(bits, 32)),
        (teredo, Ipv4Addr::from_bits(!last.to_bits())),
    ]
    .into_iter()
    .filter_map(|(is, address)| is.then_some(address))
}

/// The 32 bits that begin at bit `start`, from 0 to 96.
fn at(bits: u128, start: u32) -> Ipv4Addr {
    v4(bits >> (96 - start))
}

/// The last 32 bits.
fn v4(bits: u128) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::try_from(bits & 0xffff_ffff).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_where_its_rfc_puts_it() {
        // Those of 192.0.2.33 are the examples of RFC 6052, with the prefix of RFC 8215.
        for (address, want) in [
            ("2001:4860:4860::8888", vec![]),
            ("fe80::c000:221", vec![]),
            ("::ffff:192.0.2.33", vec!["192.0.2.33"]),
            ("::192.0.2.33", vec!["192.0.2.33"]),
            ("::ffff:0:192.0.2.33", vec!["192.0.2.33"]),
            ("64:ff9b::192.0.2.33", vec!["192.0.2.33"]),
            ("64:ff9b:2::192.0.2.33", vec![]),
            ("2002:c000:221::1", vec!["192.0.2.33"]),
            (
                "2001:0:c000:221::3fff:fdde",
                vec!["192.0.2.33", "192.0.2.33"],
            ),
            ("2001:1:c000:221::3fff:fdde", vec![]),
            (
                "64:ff9b:1:c000:2:2100::",
                vec!["0.0.0.0", "192.0.2.33", "0.2.33.0", "2.33.0.0"],
            ),
            (
                "64:ff9b:1:aac0:0:221::",
                vec!["0.0.0.0", "170.192.0.2", "192.0.2.33", "0.2.33.0"],
            ),
            (
                "64:ff9b:1:aabb:c0:2:2100::",
                vec!["33.0.0.0", "170.187.192.0", "187.192.0.2", "192.0.2.33"],
            ),
            (
                "64:ff9b:1::192.0.2.33",
                vec!["192.0.2.33", "0.0.0.0", "0.0.0.0", "0.0.0.192"],
            ),
        ] {
            let got: Vec<String> = embedded(address.parse().unwrap())
                .map(|address| address.to_string())
                .collect();
            assert_eq!(got, want, "{address}");
        }
    }
}
