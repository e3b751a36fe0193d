//! TLS, 1.2 and newer, with the operator's own certificate.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{InconsistentKeys, ServerConfig};
use tokio_rustls::TlsAcceptor;

/// Largest file of a certificate or a key.
const MAX_FILE: u64 = 1 << 20;

/// A certificate and its key, and where they were read from.
pub struct Tls {
    cert: PathBuf,
    key: PathBuf,
    acceptor: RwLock<TlsAcceptor>,
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{path}: {reason}")]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The two do not belong together.
    #[error("the key in {key} does not belong to the certificate in {cert}")]
    Mismatch {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The two are of a kind that cannot be served with.
    #[error("the certificate in {cert} cannot be used with the key in {key}: {source}")]
    Unusable {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

impl Tls {
    /// Reads a certificate, with the chain behind it, and its key, both in PEM form.
    pub fn load(cert: &Path, key: &Path) -> Result<Self, TlsError> {
        let acceptor = RwLock::new(acceptor(cert, key)?);
        Ok(Tls { cert: cert.to_owned(), key: key.to_owned(), acceptor })
    }

    /// Reads the files again. Connections from now on see what is in them; if that cannot be used, what was read before stays.
    pub fn reload(&self) -> Result<(), TlsError> {
        let acceptor = acceptor(&self.cert, &self.key)?;
        *self.acceptor.write().unwrap_or_else(PoisonError::into_inner) = acceptor;
        Ok(())
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn acceptor(cert: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
    let form = |path: &Path, what: &str, error: PemError| TlsError::Form {
        path: path.to_owned(),
        reason: match error {
            PemError::NoItemsFound => format!("holds no {what} in PEM form"),
            error => format!("is not sound PEM: {error}"),
        },
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&read(cert)?)
        .collect::<Result<_, _>>()
        .and_then(|chain: Vec<_>| if chain.is_empty() { Err(PemError::NoItemsFound) } else { Ok(chain) })
        .map_err(|error| form(cert, "certificate", error))?;
    let secret =
        PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|error| form(key, "unencrypted private key", error))?;
    let unusable = |source: rustls::Error| {
        let (cert, key) = (cert.to_owned(), key.to_owned());
        match source {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => TlsError::Mismatch { cert, key },
            source => TlsError::Unusable { cert, key, source },
        }
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret))
        .map_err(unusable)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let failed = |source: io::Error| TlsError::Read { path: path.to_owned(), source };
    let mut text = Vec::new();
    let size = File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut text)).map_err(failed)?;
    if size as u64 > MAX_FILE {
        return Err(failed(io::Error::other("is too large to be a certificate or a key")));
    }
    Ok(text)
}
