//! `spin:postgres@3.0.0` over [`State`]: fewer types, and errors in words only.

use tracing::instrument;
use wasmtime::component::{Linker, Resource};

use super::{Data, Opened, QueryError, State, spin4};
use bindings::spin::postgres3_0_0::postgres::{
    self, Column, DbDataType, DbValue, Error, ParameterValue, RowSet,
};

pub(super) mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "chatly:postgres-capability/spin3",
        imports: { default: async | trappable },
        with: { "spin:postgres/postgres.connection": crate::Opened },
    });
}

pub(super) fn link<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: fn(&mut T) -> &mut State,
) -> wasmtime::Result<()> {
    postgres::add_to_linker::<T, Data>(linker, get)
}

impl From<spin4::Error> for Error {
    fn from(error: spin4::Error) -> Self {
        match error {
            spin4::Error::ConnectionFailed(text) => Self::ConnectionFailed(text),
            spin4::Error::BadParameter(text) => Self::BadParameter(text),
            spin4::Error::QueryFailed(QueryError::Text(text)) => Self::QueryFailed(text),
            spin4::Error::QueryFailed(QueryError::DbError(error)) => {
                Self::QueryFailed(error.as_text)
            }
            spin4::Error::ValueConversionFailed(text) => Self::ValueConversionFailed(text),
            spin4::Error::Other(text) => Self::Other(text),
        }
    }
}

impl From<ParameterValue> for spin4::ParameterValue {
    fn from(value: ParameterValue) -> Self {
        match value {
            ParameterValue::Boolean(value) => Self::Boolean(value),
            ParameterValue::Int8(value) => Self::Int8(value),
            ParameterValue::Int16(value) => Self::Int16(value),
            ParameterValue::Int32(value) => Self::Int32(value),
            ParameterValue::Int64(value) => Self::Int64(value),
            ParameterValue::Floating32(value) => Self::Floating32(value),
            ParameterValue::Floating64(value) => Self::Floating64(value),
            ParameterValue::Str(value) => Self::Str(value),
            ParameterValue::Binary(value) => Self::Binary(value),
            ParameterValue::Date(value) => Self::Date(value),
            ParameterValue::Time(value) => Self::Time(value),
            ParameterValue::Datetime(value) => Self::Datetime(value),
            ParameterValue::Timestamp(value) => Self::Timestamp(value),
            ParameterValue::DbNull => Self::DbNull,
        }
    }
}

impl From<spin4::DbValue> for DbValue {
    fn from(value: spin4::DbValue) -> Self {
        match value {
            spin4::DbValue::Boolean(value) => Self::Boolean(value),
            spin4::DbValue::Int8(value) => Self::Int8(value),
            spin4::DbValue::Int16(value) => Self::Int16(value),
            spin4::DbValue::Int32(value) => Self::Int32(value),
            spin4::DbValue::Int64(value) => Self::Int64(value),
            spin4::DbValue::Floating32(value) => Self::Floating32(value),
            spin4::DbValue::Floating64(value) => Self::Floating64(value),
            spin4::DbValue::Str(value) => Self::Str(value),
            spin4::DbValue::Binary(value) => Self::Binary(value),
            spin4::DbValue::Date(value) => Self::Date(value),
            spin4::DbValue::Time(value) => Self::Time(value),
            spin4::DbValue::Datetime(value) => Self::Datetime(value),
            spin4::DbValue::Timestamp(value) => Self::Timestamp(value),
            spin4::DbValue::DbNull => Self::DbNull,
            _ => Self::Unsupported,
        }
    }
}

impl From<spin4::DbDataType> for DbDataType {
    fn from(value: spin4::DbDataType) -> Self {
        match value {
            spin4::DbDataType::Boolean => Self::Boolean,
            spin4::DbDataType::Int8 => Self::Int8,
            spin4::DbDataType::Int16 => Self::Int16,
            spin4::DbDataType::Int32 => Self::Int32,
            spin4::DbDataType::Int64 => Self::Int64,
            spin4::DbDataType::Floating32 => Self::Floating32,
            spin4::DbDataType::Floating64 => Self::Floating64,
            spin4::DbDataType::Str => Self::Str,
            spin4::DbDataType::Binary => Self::Binary,
            spin4::DbDataType::Date => Self::Date,
            spin4::DbDataType::Time => Self::Time,
            spin4::DbDataType::Datetime => Self::Datetime,
            spin4::DbDataType::Timestamp => Self::Timestamp,
            _ => Self::Other,
        }
    }
}

impl From<spin4::RowSet> for RowSet {
    fn from(result: spin4::RowSet) -> Self {
        let column = |column: spin4::Column| Column {
            name: column.name,
            data_type: column.data_type.into(),
        };
        let row = |row: Vec<spin4::DbValue>| row.into_iter().map(Into::into).collect();
        Self {
            columns: result.columns.into_iter().map(column).collect(),
            rows: result.rows.into_iter().map(row).collect(),
        }
    }
}

/// What a call returns: a trap, or the guest's result.
type Answer<R> = wasmtime::Result<Result<R, Error>>;

fn newer(parameters: Vec<ParameterValue>) -> Vec<spin4::ParameterValue> {
    parameters.into_iter().map(Into::into).collect()
}

impl postgres::Host for State {}

impl postgres::HostConnection for State {
    async fn open(&mut self, address: String) -> Answer<Resource<Opened>> {
        Ok(State::open(self, address, None).await?.map_err(Into::into))
    }

    #[instrument(name = "spin_outbound_pg.query", level = "debug", skip_all, fields(otel.kind = "client", db.system.name = "postgresql"))]
    async fn query(
        &mut self,
        connection: Resource<Opened>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Answer<RowSet> {
        let parameters = newer(parameters);
        let (opened, _hold) = match self.begin(&connection, &statement, &parameters)? {
            Ok(begun) => begun,
            Err(full) => return Ok(Err(full.into())),
        };
        let result = opened.connection.query(statement, parameters).await;
        Ok(result.map(Into::into).map_err(Into::into))
    }

    #[instrument(name = "spin_outbound_pg.execute", level = "debug", skip_all, fields(otel.kind = "client", db.system.name = "postgresql"))]
    async fn execute(
        &mut self,
        connection: Resource<Opened>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Answer<u64> {
        let parameters = newer(parameters);
        let (opened, _hold) = match self.begin(&connection, &statement, &parameters)? {
            Ok(begun) => begun,
            Err(full) => return Ok(Err(full.into())),
        };
        let done = opened.connection.execute(statement, parameters).await;
        Ok(done.map_err(Into::into))
    }

    async fn drop(&mut self, connection: Resource<Opened>) -> wasmtime::Result<()> {
        self.close(connection)
    }
}
