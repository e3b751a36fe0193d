//! The private channel of whoever owns a data folder: the same operations for other programs of the same user on this machine.
//! Its address and secret stand in a note beside the data that only this user can read.

use std::io;
use std::path::{Path, PathBuf};

use tokio::net::TcpListener;
use weir_api::App;
use weir_engine::owner::{self, OwnerFile};

use crate::auth::{Auth, Secret};
use crate::limits::Limits;
use crate::routes::{self, Host, guarded_patiently};
use crate::server::Server;

/// An open private channel.
pub struct PrivateChannel {
    server: Server,
    data_dir: PathBuf,
}

impl PrivateChannel {
    /// Listens on a free port of this machine and leaves the note.
    pub async fn open(app: App) -> io::Result<Self> {
        let secret = Secret::new().map_err(io::Error::other)?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let data_dir = app.engine.data_dir().to_owned();
        let auth = Auth::Owner(secret.clone());
        let server = Server::within(Limits::private(), None, listener, |running| {
            guarded_patiently(routes::private(Host::shared(app, auth, running)))
        })?;
        let note = OwnerFile {
            address: server.address().to_string(),
            secret: secret.reveal().to_owned(),
            pid: std::process::id(),
        };
        write(&data_dir, note).await?;
        Ok(PrivateChannel { server, data_dir })
    }

    /// Takes the note away and lets requests under way end.
    pub async fn close(self) {
        if let Err(error) = owner::remove(&self.data_dir) {
            tracing::warn!(%error, "the owner's note could not be removed");
        }
        self.server.stop().await;
    }
}

async fn write(data_dir: &Path, note: OwnerFile) -> io::Result<()> {
    let data_dir = data_dir.to_owned();
    tokio::task::spawn_blocking(move || owner::write(&data_dir, &note)).await.map_err(io::Error::other)?
}
