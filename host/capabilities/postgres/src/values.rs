//! Values between the WIT and the driver.
//!
//! A parameter must have the type that the server expects at its place: the driver compares, and
//! nothing is converted silently. A column of a type without a value of its own is `unsupported`.

use std::error::Error as Cause;

use bytes::{Buf as _, BufMut as _, BytesMut};
use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, Timelike as _, Utc};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use super::failure::{self, with_causes};
use super::numeric::Numeric;
use super::range::Range;
use super::rows;
use super::{Column, DbDataType, DbValue, Error, Interval, MAX_RESULT_BYTES, ParameterValue};

/// A parameter in the form that the driver takes.
pub type Parameter = Box<dyn ToSql + Sync + Send>;

/// All parameters, or what is wrong with the first bad one.
pub fn parameters(values: Vec<ParameterValue>) -> Result<Vec<Parameter>, String> {
    values.into_iter().map(parameter).collect()
}

fn parameter(value: ParameterValue) -> Result<Parameter, String> {
    Ok(match value {
        ParameterValue::Boolean(value) => Box::new(value),
        ParameterValue::Int8(value) => Box::new(value),
        ParameterValue::Int16(value) => Box::new(value),
        ParameterValue::Int32(value) => Box::new(value),
        ParameterValue::Int64(value) => Box::new(value),
        ParameterValue::Floating32(value) => Box::new(value),
        ParameterValue::Floating64(value) => Box::new(value),
        ParameterValue::Str(value) => Box::new(value),
        ParameterValue::Binary(value) => Box::new(value),
        ParameterValue::Date((year, month, day)) => Box::new(date(year, month, day)?),
        ParameterValue::Time((hour, minute, second, nanosecond)) => {
            Box::new(time(hour, minute, second, nanosecond)?)
        }
        ParameterValue::Datetime((year, month, day, hour, minute, second, nanosecond)) => {
            let date = date(year, month, day)?;
            let time = time(hour, minute, second, nanosecond)?;
            Box::new(NaiveDateTime::new(date, time))
        }
        ParameterValue::Timestamp(seconds) => {
            let instant = DateTime::<Utc>::from_timestamp(seconds, 0);
            Box::new(instant.ok_or_else(|| format!("invalid epoch timestamp {seconds}"))?)
        }
        ParameterValue::Uuid(text) => {
            let uuid = Uuid::parse_str(&text);
            Box::new(uuid.map_err(|why| with_causes(format!("invalid UUID {text}"), Some(&why)))?)
        }
        ParameterValue::Jsonb(text) => Box::new(json(&text)?),
        ParameterValue::Decimal(text) => Box::new(number(&text)?),
        ParameterValue::RangeInt32((lower, upper)) => Box::new(Range(lower, upper)),
        ParameterValue::RangeInt64((lower, upper)) => Box::new(Range(lower, upper)),
        ParameterValue::RangeDecimal((lower, upper)) => {
            Box::new(Range(lower, upper).try_map(|text| number(&text))?)
        }
        ParameterValue::ArrayInt32(values) => Box::new(values),
        ParameterValue::ArrayInt64(values) => Box::new(values),
        ParameterValue::ArrayDecimal(values) => {
            let number = |text: Option<String>| text.as_deref().map(number).transpose();
            Box::new(
                values
                    .into_iter()
                    .map(number)
                    .collect::<Result<Vec<_>, _>>()?,
            )
        }
        ParameterValue::ArrayStr(values) => Box::new(values),
        ParameterValue::Interval(value) => Box::new(Span(value)),
        ParameterValue::DbNull => Box::new(Null),
    })
}

fn date(year: i32, month: u8, day: u8) -> Result<NaiveDate, String> {
    let date = NaiveDate::from_ymd_opt(year, month.into(), day.into());
    date.ok_or_else(|| format!("invalid date y={year}, m={month}, d={day}"))
}

fn time(hour: u8, minute: u8, second: u8, nanosecond: u32) -> Result<NaiveTime, String> {
    let time = NaiveTime::from_hms_nano_opt(hour.into(), minute.into(), second.into(), nanosecond);
    time.ok_or_else(|| format!("invalid time {hour}:{minute}:{second}:{nanosecond}"))
}

fn json(text: &[u8]) -> Result<serde_json::Value, String> {
    serde_json::from_slice(text).map_err(|why| {
        let text = String::from_utf8_lossy(text);
        with_causes(format!("invalid JSON {text}"), Some(&why))
    })
}

fn number(text: &str) -> Result<Numeric, String> {
    let number = text.parse::<Numeric>();
    number.map_err(|why| with_causes(format!("invalid decimal {text}"), Some(&why)))
}

/// The columns of a row.
pub fn columns(row: &Row) -> Vec<Column> {
    let columns = row.columns().iter();
    columns
        .map(|column| Column {
            name: column.name().to_owned(),
            data_type: data_type(column.type_()),
        })
        .collect()
}

fn data_type(ty: &Type) -> DbDataType {
    match *ty {
        Type::BOOL => DbDataType::Boolean,
        Type::BYTEA => DbDataType::Binary,
        Type::FLOAT4 => DbDataType::Floating32,
        Type::FLOAT8 => DbDataType::Floating64,
        Type::INT2 => DbDataType::Int16,
        Type::INT4 => DbDataType::Int32,
        Type::INT8 => DbDataType::Int64,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => DbDataType::Str,
        Type::TIMESTAMP | Type::TIMESTAMPTZ => DbDataType::Datetime,
        Type::DATE => DbDataType::Date,
        Type::TIME => DbDataType::Time,
        Type::UUID => DbDataType::Uuid,
        Type::JSONB => DbDataType::Jsonb,
        Type::NUMERIC => DbDataType::Decimal,
        Type::INT4_RANGE => DbDataType::RangeInt32,
        Type::INT8_RANGE => DbDataType::RangeInt64,
        Type::NUM_RANGE => DbDataType::RangeDecimal,
        Type::INT4_ARRAY => DbDataType::ArrayInt32,
        Type::INT8_ARRAY => DbDataType::ArrayInt64,
        Type::NUMERIC_ARRAY => DbDataType::ArrayDecimal,
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY => DbDataType::ArrayStr,
        Type::INTERVAL => DbDataType::Interval,
        _ => DbDataType::Other(ty.name().to_owned()),
    }
}

/// The values of a row.
///
/// # Errors
///
/// [`Error::QueryFailed`] for a value that has no place in the WIT, such as an infinite date or an
/// array with more than one dimension, and for a row over [`MAX_RESULT_BYTES`].
pub fn row(row: &Row) -> Result<Vec<DbValue>, Error> {
    let mut values = Vec::with_capacity(row.len());
    let mut bytes = 0;
    for (at, column) in row.columns().iter().enumerate() {
        let value = value(row, at, column.type_()).map_err(|error| failure::unreadable(&error))?;
        bytes += rows::value_bytes(&value);
        if bytes > MAX_RESULT_BYTES {
            return Err(failure::too_large());
        }
        values.push(value);
    }
    Ok(values)
}

fn value(row: &Row, at: usize, ty: &Type) -> Result<DbValue, tokio_postgres::Error> {
    match *ty {
        Type::BOOL => read(row, at, DbValue::Boolean),
        Type::BYTEA => read(row, at, DbValue::Binary),
        Type::FLOAT4 => read(row, at, DbValue::Floating32),
        Type::FLOAT8 => read(row, at, DbValue::Floating64),
        Type::INT2 => read(row, at, DbValue::Int16),
        Type::INT4 => read(row, at, DbValue::Int32),
        Type::INT8 => read(row, at, DbValue::Int64),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => read(row, at, DbValue::Str),
        Type::TIMESTAMP => read(row, at, datetime),
        Type::TIMESTAMPTZ => read(row, at, |instant: DateTime<Utc>| {
            datetime(instant.naive_utc())
        }),
        Type::DATE => read(row, at, |date: NaiveDate| {
            DbValue::Date((date.year(), small(date.month()), small(date.day())))
        }),
        Type::TIME => read(row, at, |time: NaiveTime| {
            let (hour, minute) = (small(time.hour()), small(time.minute()));
            DbValue::Time((hour, minute, small(time.second()), time.nanosecond()))
        }),
        Type::UUID => read(row, at, |uuid: Uuid| DbValue::Uuid(uuid.to_string())),
        Type::JSONB => read(row, at, |json: serde_json::Value| {
            DbValue::Jsonb(json.to_string().into_bytes())
        }),
        Type::NUMERIC => read(row, at, |number: Numeric| {
            DbValue::Decimal(number.to_string())
        }),
        Type::INT4_RANGE => read(row, at, |Range(lower, upper)| {
            DbValue::RangeInt32((lower, upper))
        }),
        Type::INT8_RANGE => read(row, at, |Range(lower, upper)| {
            DbValue::RangeInt64((lower, upper))
        }),
        Type::NUM_RANGE => read(row, at, |Range(lower, upper): Range<Numeric>| {
            let bound = |bound: Option<(Numeric, _)>| bound.map(|(n, kind)| (n.to_string(), kind));
            DbValue::RangeDecimal((bound(lower), bound(upper)))
        }),
        Type::INT4_ARRAY => read(row, at, |Array(values)| DbValue::ArrayInt32(values)),
        Type::INT8_ARRAY => read(row, at, |Array(values)| DbValue::ArrayInt64(values)),
        Type::NUMERIC_ARRAY => read(row, at, |Numbers(values)| DbValue::ArrayDecimal(values)),
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY => {
            read(row, at, |Array(values)| DbValue::ArrayStr(values))
        }
        Type::INTERVAL => read(row, at, |Span(value)| DbValue::Interval(value)),
        _ => read(row, at, |Raw(bytes)| DbValue::Unsupported(bytes)),
    }
}

/// A value by the driver's reading of it.
fn read<'a, T: FromSql<'a>>(
    row: &'a Row,
    at: usize,
    to: impl FnOnce(T) -> DbValue,
) -> Result<DbValue, tokio_postgres::Error> {
    let value = row.try_get::<_, Option<T>>(at)?;
    Ok(value.map_or(DbValue::DbNull, to))
}

fn datetime(instant: NaiveDateTime) -> DbValue {
    DbValue::Datetime((
        instant.year(),
        small(instant.month()),
        small(instant.day()),
        small(instant.hour()),
        small(instant.minute()),
        small(instant.second()),
        instant.nanosecond(),
    ))
}

/// A month, day, hour, minute or second.
fn small(part: u32) -> u8 {
    u8::try_from(part).unwrap_or(u8::MAX)
}

/// NULL for whatever type the server expects.
#[derive(Debug)]
struct Null;

impl ToSql for Null {
    fn to_sql(&self, _: &Type, _: &mut BytesMut) -> Result<IsNull, Box<dyn Cause + Sync + Send>> {
        Ok(IsNull::Yes)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// The binary form of whatever type.
struct Raw(Vec<u8>);

impl<'a> FromSql<'a> for Raw {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Cause + Sync + Send>> {
        Ok(Self(raw.to_vec()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// `interval`: microseconds, days and months, in this order.
#[derive(Debug)]
struct Span(Interval);

impl<'a> FromSql<'a> for Span {
    fn from_sql(_: &Type, mut raw: &'a [u8]) -> Result<Self, Box<dyn Cause + Sync + Send>> {
        Ok(Self(Interval {
            micros: raw.try_get_i64()?,
            days: raw.try_get_i32()?,
            months: raw.try_get_i32()?,
        }))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::INTERVAL
    }
}

impl ToSql for Span {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Cause + Sync + Send>> {
        out.put_i64(self.0.micros);
        out.put_i32(self.0.days);
        out.put_i32(self.0.months);
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::INTERVAL
    }

    to_sql_checked!();
}

/// An array, unless it would take more room here than a result may have: on the wire an element
/// can have as few as four bytes.
struct Array<T>(Vec<Option<T>>);

impl<'a, T: FromSql<'a>> FromSql<'a> for Array<T> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Cause + Sync + Send>> {
        // Dimensions, flags, type; then the elements of the first dimension, and its bounds.
        let elements = raw.get(12..16).map_or(0, |mut four| four.get_u32());
        let elements = usize::try_from(elements).unwrap_or(usize::MAX);
        fits(elements.saturating_mul(size_of::<Option<T>>()))?;
        Vec::from_sql(ty, raw).map(Self)
    }

    fn accepts(ty: &Type) -> bool {
        <Vec<Option<T>> as FromSql>::accepts(ty)
    }
}

/// An array of numbers as texts. A number of a few bytes can have 131 072 digits.
struct Numbers(Vec<Option<String>>);

impl<'a> FromSql<'a> for Numbers {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Cause + Sync + Send>> {
        let Array(numbers) = Array::<Numeric>::from_sql(ty, raw)?;
        fits(numbers.iter().flatten().map(Numeric::length).sum())?;
        let print = |number: Option<Numeric>| number.map(|number| number.to_string());
        Ok(Self(numbers.into_iter().map(print).collect()))
    }

    fn accepts(ty: &Type) -> bool {
        <Array<Numeric> as FromSql>::accepts(ty)
    }
}

fn fits(bytes: usize) -> Result<(), String> {
    match bytes > MAX_RESULT_BYTES {
        true => Err(format!("array exceeds limit of {MAX_RESULT_BYTES} bytes")),
        false => Ok(()),
    }
}
