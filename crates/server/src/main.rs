//! The program `gateward`.

use std::process::ExitCode;

fn main() -> ExitCode {
    gateward_server::main()
}
