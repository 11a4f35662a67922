//! `fermyon:spin/sqlite@2.0.0` over [`State`].

use wasmtime::component::{Linker, Resource};

use super::bindings::spin::sqlite::sqlite::HostConnection as Present;
use super::{Data, Error, Handle, QueryResult, State, Value};
use bindings::fermyon::spin::sqlite;

pub(super) mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "chatly:sqlite-capability/spin2",
        imports: { default: async | trappable },
        with: { "fermyon:spin/sqlite.connection": super::super::Handle },
    });
}

pub(super) fn link<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: fn(&mut T) -> &mut State,
) -> wasmtime::Result<()> {
    sqlite::add_to_linker::<T, Data>(linker, get)
}

impl From<Error> for sqlite::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::NoSuchDatabase => Self::NoSuchDatabase,
            Error::AccessDenied => Self::AccessDenied,
            Error::InvalidConnection => Self::InvalidConnection,
            Error::DatabaseFull => Self::DatabaseFull,
            Error::Io(text) => Self::Io(text),
        }
    }
}

impl From<Value> for sqlite::Value {
    fn from(value: Value) -> Self {
        match value {
            Value::Integer(integer) => Self::Integer(integer),
            Value::Real(real) => Self::Real(real),
            Value::Text(text) => Self::Text(text),
            Value::Blob(blob) => Self::Blob(blob),
            Value::Null => Self::Null,
        }
    }
}

impl From<sqlite::Value> for Value {
    fn from(value: sqlite::Value) -> Self {
        match value {
            sqlite::Value::Integer(integer) => Self::Integer(integer),
            sqlite::Value::Real(real) => Self::Real(real),
            sqlite::Value::Text(text) => Self::Text(text),
            sqlite::Value::Blob(blob) => Self::Blob(blob),
            sqlite::Value::Null => Self::Null,
        }
    }
}

impl From<QueryResult> for sqlite::QueryResult {
    fn from(result: QueryResult) -> Self {
        let rows = result.rows.into_iter();
        Self {
            columns: result.columns,
            rows: rows
                .map(|row| sqlite::RowResult {
                    values: row.values.into_iter().map(Into::into).collect(),
                })
                .collect(),
        }
    }
}

impl sqlite::Host for State {}

impl sqlite::HostConnection for State {
    async fn open(
        &mut self,
        label: String,
    ) -> wasmtime::Result<Result<Resource<Handle>, sqlite::Error>> {
        Ok(Present::open(self, label).await?.map_err(Into::into))
    }

    async fn execute(
        &mut self,
        connection: Resource<Handle>,
        sql: String,
        parameters: Vec<sqlite::Value>,
    ) -> wasmtime::Result<Result<sqlite::QueryResult, sqlite::Error>> {
        let parameters = parameters.into_iter().map(Into::into).collect();
        let result = Present::execute(self, connection, sql, parameters).await?;
        Ok(result.map(Into::into).map_err(Into::into))
    }

    async fn drop(&mut self, connection: Resource<Handle>) -> wasmtime::Result<()> {
        Present::drop(self, connection).await
    }
}
