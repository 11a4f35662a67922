//! A whole application in this process, with the guest `tests/guests/probe` as its components.

// `cfg(test)` tells clippy that these are tests; it does not see that of an integration test.
#[cfg(test)]
mod background;
#[cfg(test)]
mod calls;
#[cfg(test)]
mod host;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod process;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod start;
#[cfg(test)]
mod stop;
#[cfg(test)]
mod streams;
