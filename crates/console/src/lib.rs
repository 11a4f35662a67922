//! The console: the files of the page and how they are sent, and the delivery that its test message
//! becomes.
//!
//! 1. [`page`] holds the whole page, so that nothing is read, built or fetched to show it.
//! 2. [`test_message`] makes a delivery like the platform's; whoever calls sends it to the real
//!    webhook.
//!
//! It checks no key, reads no clock and sends nothing.
#![deny(missing_docs)]

pub mod page;
pub mod test_message;
