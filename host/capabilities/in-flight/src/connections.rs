//! What one instance has open, and what its calls on it hold.

use std::marker::PhantomData;

use wasmtime::component::{Resource, ResourceTable};

use super::{Full, Hold, InFlight};

/// The open connections of one instance; `C` is cheap to clone and closed with its last clone.
pub struct Connections<C> {
    table: ResourceTable,
    in_flight: InFlight,
    kind: PhantomData<fn() -> C>,
}

/// There are as many connections as there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany;

impl<C: Clone + Send + 'static> Connections<C> {
    /// None, and at most `capacity` at once.
    pub fn new(capacity: usize) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(capacity);
        Self {
            table,
            in_flight: InFlight::default(),
            kind: PhantomData,
        }
    }

    /// Hands out `connection`.
    ///
    /// # Errors
    ///
    /// [`TooMany`], when there is no place.
    pub fn add(&mut self, connection: C) -> Result<Resource<C>, TooMany> {
        self.table.push(connection).map_err(|_full| TooMany)
    }

    /// The connection that `handle` stands for, without holding on to the instance.
    ///
    /// # Errors
    ///
    /// A trap when it stands for none.
    pub fn get(&self, handle: &Resource<C>) -> wasmtime::Result<C> {
        Ok(self.table.get(handle)?.clone())
    }

    /// The same for a call whose arguments have `bytes`, and its hold; [`Full`] when the calls of
    /// the instance hold too much.
    ///
    /// # Errors
    ///
    /// As [`Connections::get`].
    pub fn begin(
        &self,
        handle: &Resource<C>,
        bytes: usize,
    ) -> wasmtime::Result<Result<(C, Hold), Full>> {
        let connection = self.get(handle)?;
        Ok(self.in_flight.hold(bytes).map(|hold| (connection, hold)))
    }

    /// Takes `handle` back.
    ///
    /// # Errors
    ///
    /// A trap when it stands for nothing.
    pub fn close(&mut self, handle: Resource<C>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::MAX_BYTES;

    #[test]
    fn there_are_as_many_as_may_be_and_a_closed_one_makes_room() {
        let mut connections = Connections::new(2);
        let first = connections.add(Arc::new(1)).unwrap();
        let second = connections.add(Arc::new(2)).unwrap();
        assert_eq!(connections.add(Arc::new(3)).unwrap_err(), TooMany);
        connections.close(first).unwrap();
        assert_eq!(*connections.get(&second).unwrap(), 2);
        connections.add(Arc::new(3)).unwrap();
    }

    #[test]
    fn a_dead_handle_is_a_trap_for_every_call() {
        let mut connections = Connections::new(1);
        let handle = connections.add(Arc::new(1)).unwrap();
        let dead = || Resource::new_own(handle.rep());
        connections.close(dead()).unwrap();
        assert!(connections.get(&dead()).is_err());
        assert!(connections.begin(&dead(), 0).is_err());
        assert!(connections.close(dead()).is_err());
    }

    #[test]
    fn the_calls_of_all_connections_share_one_sum() {
        let mut connections = Connections::new(2);
        let one = connections.add(Arc::new(1)).unwrap();
        let two = connections.add(Arc::new(2)).unwrap();
        let (_, hold) = connections.begin(&one, MAX_BYTES).unwrap().unwrap();
        assert_eq!(connections.begin(&two, 0).unwrap().unwrap_err(), Full);
        drop(hold);
        assert_eq!(*connections.begin(&two, 0).unwrap().unwrap().0, 2);
    }
}
