//! The window itself.

use std::process::ExitCode;

use tauri::{AppHandle, Manager, WebviewWindowBuilder};
use tauri_plugin_window_state::StateFlags;

const WINDOW: &str = "main";

/// Opens the window and stays until it is closed.
pub fn run() -> ExitCode {
    let app = tauri::Builder::default()
        .plugin(tauri_plugin_single_instance::init(|app, _, _| show(app)))
        .plugin(
            tauri_plugin_window_state::Builder::default()
                .with_state_flags(StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED)
                .build(),
        )
        .invoke_handler(tauri::generate_handler![rpc])
        .setup(|app| {
            open_window(app.handle())?;
            Ok(())
        })
        .build(tauri::generate_context!());
    match app {
        Ok(app) => ExitCode::from(u8::try_from(app.run_return(|_, _| {})).unwrap_or(1)),
        Err(error) => {
            eprintln!("Weir could not start: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tauri::command]
async fn rpc(op: String, request: String) -> Result<String, String> {
    Err(format!("{op} {request}"))
}

fn open_window(app: &AppHandle) -> tauri::Result<()> {
    let config = app.config().app.windows.iter().find(|w| w.label == WINDOW).cloned().unwrap_or_default();
    WebviewWindowBuilder::from_config(app, &config)?.build()?;
    Ok(())
}

/// A second start brings the first window to the front.
fn show(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(WINDOW) {
        for step in [window.unminimize(), window.show(), window.set_focus()] {
            if let Err(error) = step {
                tracing::warn!(%error, "the window could not be raised");
            }
        }
    }
}
