//! Ranges: two bounds, each a value that is part of the range or not, or none.
//!
//! The server gives integer ranges their usual form (`[1,5]` becomes `[1,6)`), and refuses a
//! lower bound above the upper one. An empty range has no bounds here, as on Spin: the WIT has no
//! other way to say it.

use std::error::Error;

use bytes::BytesMut;
use postgres_protocol::types::{self as protocol, RangeBound};
use tokio_postgres::types::{FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};

use super::RangeBoundKind;

/// A bound, as in the WIT.
pub type Bound<T> = Option<(T, RangeBoundKind)>;

/// The lower and the upper bound, as in the WIT.
#[derive(Debug, Clone, PartialEq)]
pub struct Range<T>(pub Bound<T>, pub Bound<T>);

impl<T> Range<T> {
    /// The same with other values.
    pub fn try_map<U, E>(self, mut to: impl FnMut(T) -> Result<U, E>) -> Result<Range<U>, E> {
        let mut bound = |bound: Bound<T>| {
            bound
                .map(|(value, kind)| Ok((to(value)?, kind)))
                .transpose()
        };
        Ok(Range(bound(self.0)?, bound(self.1)?))
    }
}

fn element(ty: &Type) -> Option<&Type> {
    match ty.kind() {
        Kind::Range(element) => Some(element),
        _ => None,
    }
}

impl<'a, T: FromSql<'a>> FromSql<'a> for Range<T> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let element = element(ty).ok_or("not a range")?;
        let read = |bound| {
            let (raw, kind) = match bound {
                RangeBound::Unbounded => return Ok(None),
                RangeBound::Inclusive(raw) => (raw, RangeBoundKind::Inclusive),
                RangeBound::Exclusive(raw) => (raw, RangeBoundKind::Exclusive),
            };
            let value = T::from_sql_nullable(element, raw)?;
            Ok::<_, Box<dyn Error + Sync + Send>>(Some((value, kind)))
        };
        match protocol::range_from_sql(raw)? {
            protocol::Range::Empty => Ok(Self(None, None)),
            protocol::Range::Nonempty(lower, upper) => Ok(Self(read(lower)?, read(upper)?)),
        }
    }

    fn accepts(ty: &Type) -> bool {
        element(ty).is_some_and(T::accepts)
    }
}

impl<T: ToSql> ToSql for Range<T> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let element = element(ty).ok_or("not a range")?;
        let write = |bound: &Bound<T>, out: &mut BytesMut| {
            let Some((value, kind)) = bound else {
                return Ok(RangeBound::Unbounded);
            };
            let null = match value.to_sql(element, out)? {
                IsNull::Yes => postgres_protocol::IsNull::Yes,
                IsNull::No => postgres_protocol::IsNull::No,
            };
            Ok(match kind {
                RangeBoundKind::Inclusive => RangeBound::Inclusive(null),
                RangeBoundKind::Exclusive => RangeBound::Exclusive(null),
            })
        };
        protocol::range_to_sql(|out| write(&self.0, out), |out| write(&self.1, out), out)?;
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        element(ty).is_some_and(T::accepts)
    }

    to_sql_checked!();
}
