//! The window itself.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use tauri::plugin::TauriPlugin;
use tauri::{AppHandle, Emitter, Manager, RunEvent, State, Url, WebviewWindowBuilder, Wry};
use tauri_plugin_window_state::StateFlags;
use tokio::sync::Notify;
use weir_engine::Topics;

use crate::weir::Weir;
use crate::{downloads, logs, notices};

const WINDOW: &str = "main";

/// Where the data lies, when it is not the user's data folder.
const DATA_DIR: &str = "WEIR_DATA_DIR";

/// The event that says what is stale: `{"topics": [...]}`.
const CHANGES: &str = "weir://changes";

/// How long the console may take to show itself.
const PATIENCE: Duration = Duration::from_secs(20);

/// Opens the window and stays until it is closed.
pub fn run() -> ExitCode {
    let chosen = std::env::var_os(DATA_DIR).map(PathBuf::from);
    let app = tauri::Builder::default()
        .plugin(single_instance(chosen.as_deref()))
        .plugin(
            tauri_plugin_window_state::Builder::default()
                .with_state_flags(StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED)
                .build(),
        )
        .invoke_handler(tauri::generate_handler![rpc, notify])
        .setup(move |app| Ok(begin(app.handle(), chosen)?))
        .build(tauri::generate_context!());
    match app {
        Ok(app) => {
            let status = app.run_return(|app, event| {
                if let RunEvent::Exit = event {
                    tauri::async_runtime::block_on(app.state::<Weir>().close());
                }
            });
            ExitCode::from(u8::try_from(status).unwrap_or(1))
        }
        Err(error) => {
            eprintln!("Weir could not start: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A second start brings the first window to the front. Windows on other data have other names on the bus.
fn single_instance(data_dir: Option<&Path>) -> TauriPlugin<Wry> {
    let builder = tauri_plugin_single_instance::Builder::new().callback(|app, _, _| {
        tracing::info!("started again: this window comes forward");
        raise(app);
    });
    match data_dir {
        Some(data_dir) => builder.dbus_id(bus_name(data_dir)).build(),
        None => builder.build(),
    }
}

/// Letters for every byte of the folder's name: a bus name has few characters to choose from.
fn bus_name(data_dir: &Path) -> String {
    let folder = std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.to_owned());
    let mut hash = std::hash::DefaultHasher::new();
    std::hash::Hash::hash(&folder, &mut hash);
    format!("dev.weir.desktop.data{:x}", std::hash::Hasher::finish(&hash))
}

fn begin(app: &AppHandle, chosen: Option<PathBuf>) -> tauri::Result<()> {
    let data_dir = match chosen {
        Some(chosen) => chosen,
        None => app.path().app_data_dir()?,
    };
    match logs::begin(&data_dir.join("logs")) {
        Ok(logs) => {
            app.manage(logs);
        }
        // The console will show what is wrong with the folder.
        Err(error) => eprintln!("there is no log: {}: {error}", data_dir.display()),
    }
    let console = app.clone();
    app.manage(Weir::new(data_dir, move |topics| tell_console(&console, topics)));
    app.manage(Shown::default());
    tauri::async_runtime::spawn(open_data(app.clone()));
    tauri::async_runtime::spawn(watch_for_a_blank_window(app.clone()));
    #[cfg(unix)]
    tauri::async_runtime::spawn(stop_when_told(app.clone()));
    open_window(app)
}

#[tauri::command]
async fn rpc(weir: State<'_, Weir>, shown: State<'_, Shown>, op: String, request: String) -> Result<String, String> {
    shown.0.notify_one();
    weir.rpc(&op, &request).await
}

#[tauri::command]
async fn notify(app: AppHandle, notice: notices::Notice) -> Result<(), String> {
    notices::show(app, notice).await
}

/// Told when the console asks for anything, which a blank window never does.
#[derive(Default)]
struct Shown(Notify);

/// Some graphics drivers leave the web view blank without a word; then this is the word.
async fn watch_for_a_blank_window(app: AppHandle) {
    if tokio::time::timeout(PATIENCE, app.state::<Shown>().0.notified()).await.is_err() {
        tracing::error!(
            "the window shows no console after {} s; where it stays blank, start Weir with WEBKIT_DISABLE_DMABUF_RENDERER=1",
            PATIENCE.as_secs()
        );
    }
}

/// Opens the data while the window is being drawn; the console asks again, and hears, when that fails.
async fn open_data(app: AppHandle) {
    app.state::<Weir>().open_now().await;
}

fn tell_console(app: &AppHandle, topics: Topics) {
    if let Err(error) = app.emit(CHANGES, serde_json::json!({ "topics": topics })) {
        tracing::warn!(%error, "the console was not told of a change");
    }
}

/// Being told to stop by the system closes the window as a person would.
#[cfg(unix)]
async fn stop_when_told(app: AppHandle) {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            app.exit(0);
        }
        (Err(error), _) | (_, Err(error)) => tracing::warn!(%error, "signals are not heard"),
    }
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

/// Brings the window forward.
pub(crate) fn raise(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(WINDOW) {
        for step in [window.unminimize(), window.show(), window.set_focus()] {
            if let Err(error) = step {
                tracing::warn!(%error, "the window could not be raised");
            }
        }
    }
}
