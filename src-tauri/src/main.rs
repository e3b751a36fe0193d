//! The window's program; everything it does is in the library.
#![forbid(unsafe_code)]
// A console window beside the app would be noise on Windows.
#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

use std::process::ExitCode;

fn main() -> ExitCode {
    weir_desktop::shell::run()
}
