//! A whole application in this process, with the guest `tests/guests/probe` as its components.

mod background;
mod calls;
mod host;
mod limits;
mod requests;
mod start;
mod stop;
mod streams;
