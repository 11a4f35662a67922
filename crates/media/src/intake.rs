//! A medium while it comes: counted, hashed, looked at and cut into parts, never held as a whole.
//!
//! The sender controls every byte and what is said of them. What is over the limit is refused at the
//! first byte too many, and what is of no type that is taken in as soon as its start is there.

use sha2::{Digest, Sha256};

use crate::kind::{SNIFFED_BYTES, Types, sniff};
use crate::layout::{Head, PART_BYTES};

/// Why a medium is not taken in. Holds nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// More bytes than allowed: the most that are.
    #[error("too_large: more than {0} bytes")]
    TooLarge(u64),
    /// A type that is not taken in.
    #[error("type_refused: {0}")]
    Type(&'static str),
    /// Not the bytes that the platform promised.
    #[error("digest_mismatch: the bytes are not those that the platform announced")]
    Digest,
    /// Nothing came.
    #[error("empty: no byte came")]
    Empty,
}

impl Fault {
    /// Whether another try cannot help: the bytes are what they are. A wrong digest may be a broken
    /// transfer.
    pub fn is_final(&self) -> bool {
        matches!(self, Fault::TooLarge(_) | Fault::Type(_))
    }
}

/// A part that is complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Counted from 0.
    pub index: u32,
    /// [`PART_BYTES`], the last part fewer.
    pub bytes: Vec<u8>,
}

/// A medium that is coming in.
pub struct Intake {
    max_bytes: u64,
    types: Types,
    sha256: Option<String>,
    digest: Sha256,
    bytes: u64,
    parts: u32,
    kind: Option<&'static str>,
    part: Vec<u8>,
}

impl Intake {
    /// Takes at most `max_bytes` of one of these types, and only what has this digest, if one is
    /// known, in hex.
    pub fn new(max_bytes: u64, types: Types, sha256: Option<&str>) -> Self {
        Self {
            max_bytes,
            types,
            sha256: sha256.map(str::to_ascii_lowercase),
            digest: Sha256::new(),
            bytes: 0,
            parts: 0,
            kind: None,
            part: Vec::new(),
        }
    }

    /// Refuses what is announced to be too large, before any of it is read.
    ///
    /// # Errors
    /// [`Fault::TooLarge`].
    pub fn announce(&self, bytes: Option<u64>) -> Result<(), Fault> {
        match bytes {
            Some(bytes) if bytes > self.max_bytes => Err(Fault::TooLarge(self.max_bytes)),
            _ => Ok(()),
        }
    }

    /// Takes what came; the parts that it completes.
    ///
    /// # Errors
    /// [`Fault::TooLarge`] and [`Fault::Type`].
    pub fn push(&mut self, mut chunk: &[u8]) -> Result<Vec<Part>, Fault> {
        self.bytes = self.bytes.saturating_add(chunk.len() as u64);
        self.announce(Some(self.bytes))?;
        self.digest.update(chunk);
        let mut parts = Vec::new();
        while !chunk.is_empty() {
            let room = PART_BYTES.saturating_sub(self.part.len());
            let (now, later) = chunk.split_at(room.min(chunk.len()));
            self.part.extend_from_slice(now);
            chunk = later;
            if self.kind.is_none() && self.part.len() >= SNIFFED_BYTES {
                self.look()?;
            }
            if self.part.len() >= PART_BYTES {
                parts.push(self.cut());
            }
        }
        Ok(parts)
    }

    /// All of it came; the last part, if there is one more, and what is known of the whole.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn finish(mut self) -> Result<(Option<Part>, Head), Fault> {
        if self.bytes == 0 {
            return Err(Fault::Empty);
        }
        let mime_type = match self.kind {
            Some(kind) => kind,
            None => self.look()?,
        };
        let last = (!self.part.is_empty()).then(|| self.cut());
        let sha256 = chatly_signature::hex(&self.digest.finalize());
        if self.sha256.is_some_and(|wanted| wanted != sha256) {
            return Err(Fault::Digest);
        }
        let head = Head {
            mime_type: mime_type.to_owned(),
            bytes: self.bytes,
            sha256,
            parts: self.parts,
        };
        Ok((last, head))
    }

    fn look(&mut self) -> Result<&'static str, Fault> {
        let kind = sniff(&self.part);
        self.kind = Some(kind);
        match self.types.allow(kind) {
            true => Ok(kind),
            false => Err(Fault::Type(kind)),
        }
    }

    fn cut(&mut self) -> Part {
        let index = self.parts;
        self.parts += 1;
        Part {
            index,
            bytes: std::mem::take(&mut self.part),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

    fn png(bytes: usize) -> Vec<u8> {
        let mut png = PNG.to_vec();
        png.resize(bytes.max(PNG.len()), 7);
        png
    }

    fn take(bytes: &[u8], max_bytes: u64, sha256: Option<&str>) -> Result<Head, Fault> {
        let mut intake = Intake::new(max_bytes, Types::read(""), sha256);
        intake.push(bytes)?;
        intake.finish().map(|(_, head)| head)
    }

    #[test]
    fn what_is_wrong_is_refused() {
        let small = png(20);
        let sha256 = chatly_signature::sha256_hex(&[&small]);
        let upper = sha256.to_uppercase();
        let other = chatly_signature::sha256_hex(&[b"x"]);
        let page = b"<!DOCTYPE html><script>alert(1)</script>";
        for (name, bytes, max_bytes, sha256, want) in [
            ("fits", small.as_slice(), 20, None, Ok("image/png")),
            ("one too many", &small, 19, None, Err(Fault::TooLarge(19))),
            ("right digest", &small, 20, Some(&sha256), Ok("image/png")),
            ("in capitals", &small, 20, Some(&upper), Ok("image/png")),
            ("other digest", &small, 20, Some(&other), Err(Fault::Digest)),
            ("a page", page, 99, None, Err(Fault::Type("text/html"))),
            ("nothing", b"", 99, None, Err(Fault::Empty)),
        ] {
            let got = take(bytes, max_bytes, sha256.map(String::as_str));
            assert_eq!(
                got.map(|head| head.mime_type),
                want.map(str::to_owned),
                "{name}"
            );
        }
    }

    #[test]
    fn a_wrong_type_is_refused_before_all_of_it_is_there() {
        let mut intake = Intake::new(u64::MAX, Types::read(""), None);
        let mut archive = b"PK\x03\x04".to_vec();
        archive.resize(SNIFFED_BYTES - 1, 0);
        assert_eq!(intake.push(&archive), Ok(vec![]));
        assert_eq!(intake.push(b"x"), Err(Fault::Type("application/zip")));
    }

    #[test]
    fn what_is_announced_is_held_against_the_limit() {
        let intake = Intake::new(10, Types::read(""), None);
        for (bytes, want) in [
            (None, Ok(())),
            (Some(10), Ok(())),
            (Some(11), Err(Fault::TooLarge(10))),
        ] {
            assert_eq!(intake.announce(bytes), want);
        }
    }

    proptest! {
        #[test]
        fn parts_are_the_bytes_however_they_come(
            bytes in prop_oneof![20..2_000usize, PART_BYTES - 3..PART_BYTES + 3, 2 * PART_BYTES - 3..2 * PART_BYTES + 3],
            chunk in 1..PART_BYTES * 3,
        ) {
            let whole = png(bytes);
            let mut intake = Intake::new(u64::MAX, Types::read(""), None);
            let mut parts = vec![];
            for chunk in whole.chunks(chunk) {
                parts.extend(intake.push(chunk).unwrap());
            }
            let (last, head) = intake.finish().unwrap();
            parts.extend(last);
            prop_assert_eq!(head.parts as usize, parts.len());
            prop_assert_eq!(head.parts as usize, whole.len().div_ceil(PART_BYTES));
            prop_assert_eq!(head.bytes as usize, whole.len());
            prop_assert_eq!(head.sha256, chatly_signature::sha256_hex(&[&whole]));
            for (at, part) in parts.iter().enumerate() {
                prop_assert_eq!(part.index as usize, at);
            }
            let joined: Vec<u8> = parts.into_iter().flat_map(|part| part.bytes).collect();
            prop_assert_eq!(joined, whole);
        }
    }
}
