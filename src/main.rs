//! The `habeas` binary: hands its arguments to the library and ends with the code that comes back.

use std::process::ExitCode;

fn main() -> ExitCode {
    habeas_data::cli::main(std::env::args_os()).into()
}
