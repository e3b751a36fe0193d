//! The window itself.

use std::process::ExitCode;

use tauri::{AppHandle, Manager, Url, WebviewWindowBuilder};
use tauri_plugin_window_state::StateFlags;

use crate::downloads;

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
    WebviewWindowBuilder::from_config(app, &config)?
        .on_navigation(stays)
        .on_download(|webview, event| downloads::handle(&webview, event))
        .build()?;
    Ok(())
}

/// The window shows the console and nothing else; a blob is a file on its way out.
fn stays(url: &Url) -> bool {
    matches!(url.scheme(), "tauri" | "blob")
        || url.host_str() == Some("tauri.localhost")
        || (cfg!(dev) && url.host_str() == Some("127.0.0.1"))
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
