//! The `chatly` command line. Everything is in [`chatly_host::cli`].

use std::process::ExitCode;

/// Many small allocations from many threads: every request makes an instance's host state.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    chatly_host::cli::main()
}
