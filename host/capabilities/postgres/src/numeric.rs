//! `numeric`: decimal numbers as text, exactly as long as they are.
//!
//! The binary form (PostgreSQL's `numeric_send`) is a count of groups of four digits, the power
//! of 10 000 of the first, a sign, the digits to show after the point, and the groups.

use std::error::Error;
use std::fmt::Write as _;

use bytes::{Buf as _, BufMut as _, BytesMut};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const NEGATIVE_INFINITY: u16 = 0xF000;

/// The longest text of a parameter, in digits: what `numeric` holds before the point.
const MAX_DIGITS: usize = 131_072;

/// A number, as PostgreSQL would print it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numeric {
    sign: u16,
    /// The power of 10 000 of the first group.
    weight: i16,
    /// Digits after the point.
    scale: u16,
    groups: Vec<u16>,
}

/// Why a text is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invalid {
    /// Nothing, or no digit.
    Empty,
    /// Something else than digits, a sign in front and one point.
    Character,
    /// More digits than `numeric` holds.
    Long,
}

impl std::fmt::Display for Invalid {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Empty => "Invalid decimal: empty",
            Self::Character => "Invalid decimal: unknown character",
            Self::Long => "Number has more digits than can be represented.",
        })
    }
}

impl Error for Invalid {}

impl Numeric {
    /// How long its text is, at most.
    pub fn length(&self) -> usize {
        let groups = usize::try_from(self.weight).map_or(1, |weight| weight + 1);
        // A sign and a point.
        groups * 4 + usize::from(self.scale) + 2
    }
}

impl std::str::FromStr for Numeric {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => (NEGATIVE, digits),
            None => (0, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let count = whole.len() + fraction.len();
        if count == 0 {
            return Err(Invalid::Empty);
        }
        let mut both = whole.bytes().chain(fraction.bytes());
        if !both.all(|byte| byte.is_ascii_digit()) {
            return Err(Invalid::Character);
        }
        let scale = u16::try_from(fraction.len()).map_err(|_| Invalid::Long)?;
        // 14 bits, of which PostgreSQL's documents promise 16 383.
        if count > MAX_DIGITS || scale > 0x3FFF {
            return Err(Invalid::Long);
        }
        let whole = whole.trim_start_matches('0');
        let ahead = whole.len().div_ceil(4);
        let padded = format!(
            "{}{whole}{fraction}{}",
            "0".repeat(ahead * 4 - whole.len()),
            "0".repeat(fraction.len().div_ceil(4) * 4 - fraction.len())
        );
        let group = |four: &[u8]| {
            let add = |sum, digit: &u8| sum * 10 + u16::from(digit - b'0');
            four.iter().fold(0, add)
        };
        let mut groups: Vec<u16> = padded.as_bytes().chunks(4).map(group).collect();
        let leading = groups.iter().take_while(|group| **group == 0).count();
        groups.drain(..leading);
        while groups.last() == Some(&0) {
            groups.pop();
        }
        let first = i64::try_from(ahead).unwrap_or(0) - 1 - i64::try_from(leading).unwrap_or(0);
        let (sign, weight) = match groups.is_empty() {
            true => (0, 0),
            false => (sign, i16::try_from(first).map_err(|_| Invalid::Long)?),
        };
        Ok(Self {
            sign,
            weight,
            scale,
            groups,
        })
    }
}

impl std::fmt::Display for Numeric {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.sign {
            NAN => return formatter.write_str("NaN"),
            INFINITY => return formatter.write_str("Infinity"),
            NEGATIVE_INFINITY => return formatter.write_str("-Infinity"),
            NEGATIVE => formatter.write_char('-')?,
            _ => {}
        }
        let group = |power: i32| {
            let at = i32::from(self.weight) - power;
            let at = usize::try_from(at).ok();
            at.and_then(|at| self.groups.get(at)).copied().unwrap_or(0)
        };
        let highest = i32::from(self.weight).max(0);
        write!(formatter, "{}", group(highest))?;
        for power in (0..highest).rev() {
            write!(formatter, "{:04}", group(power))?;
        }
        let scale = usize::from(self.scale);
        if scale == 0 {
            return Ok(());
        }
        let mut fraction = String::with_capacity(scale + 4);
        let mut power = -1;
        while fraction.len() < scale {
            write!(fraction, "{:04}", group(power))?;
            power -= 1;
        }
        fraction.truncate(scale);
        write!(formatter, ".{fraction}")
    }
}

impl<'a> FromSql<'a> for Numeric {
    fn from_sql(_: &Type, mut raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let count = usize::from(raw.try_get_u16()?);
        let weight = raw.try_get_i16()?;
        let sign = raw.try_get_u16()?;
        let scale = raw.try_get_u16()?;
        if raw.len() != count * 2 {
            return Err("invalid message size".into());
        }
        let group = |pair: &[u8]| pair.iter().fold(0, |sum, byte| sum << 8 | u16::from(*byte));
        let groups: Vec<u16> = raw.chunks(2).map(group).collect();
        let known = matches!(sign, 0 | NEGATIVE | NAN | INFINITY | NEGATIVE_INFINITY);
        if !known || groups.iter().any(|group| *group > 9999) {
            return Err("invalid numeric".into());
        }
        Ok(Self {
            sign,
            weight,
            scale,
            groups,
        })
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::NUMERIC
    }
}

impl ToSql for Numeric {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.put_u16(u16::try_from(self.groups.len())?);
        out.put_i16(self.weight);
        out.put_u16(self.sign);
        out.put_u16(self.scale);
        for group in &self.groups {
            out.put_u16(*group);
        }
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::NUMERIC
    }

    to_sql_checked!();
}
