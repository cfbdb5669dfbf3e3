//! TLS in front of the server: a certificate that can be read anew while it runs, and a listener
//! on which slow or broken handshakes hold nobody up.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

/// Longest a handshake may take.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);

/// Handshakes at a time; whoever comes then waits.
const HANDSHAKES_MAX: usize = 256;

/// Rest after the system could not accept, for lack of file descriptors most likely.
const REST: Duration = Duration::from_millis(200);

/// A certificate and its key. Clones change together.
#[derive(Clone, Debug)]
pub struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    config: Arc<RwLock<Arc<ServerConfig>>>,
}

impl Certificate {
    /// Reads a chain and its key, both PEM.
    pub fn read(chain: &Path, key: &Path) -> io::Result<Self> {
        let config = Arc::new(RwLock::new(config(chain, key)?));
        Ok(Self { chain: chain.to_owned(), key: key.to_owned(), config })
    }

    /// Reads both files again. Where that fails, what was read before stays.
    pub fn reload(&self) -> io::Result<()> {
        let fresh = config(&self.chain, &self.key)?;
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    fn acceptor(&self) -> TlsAcceptor {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

fn config(chain: &Path, key: &Path) -> io::Result<Arc<ServerConfig>> {
    let in_file = |path: &Path, e: &dyn std::fmt::Display| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{}: {e}", path.display()))
    };
    let certificates = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| in_file(chain, &e))?;
    if certificates.is_empty() {
        return Err(in_file(chain, &"no certificate in it"));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|e| in_file(key, &e))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(certificates, secret)
        .map_err(|e| in_file(chain, &e))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Streams whose handshake is done.
pub(super) struct TlsListener {
    local: SocketAddr,
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    accepting: JoinHandle<()>,
}

impl TlsListener {
    pub(super) fn new(listener: TcpListener, certificate: Certificate) -> io::Result<Self> {
        let local = listener.local_addr()?;
        let (done, ready) = mpsc::channel(HANDSHAKES_MAX);
        let accepting = tokio::spawn(accept(listener, certificate, done));
        Ok(Self { local, ready, accepting })
    }
}

impl Drop for TlsListener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(ready) => ready,
            // The task that sends ends with this listener and not before.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }
}

async fn accept(
    listener: TcpListener,
    certificate: Certificate,
    done: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let slots = Arc::new(Semaphore::new(HANDSHAKES_MAX));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        let Ok((stream, from)) = listener.accept().await else {
            tokio::time::sleep(REST).await;
            continue;
        };
        // As of streams without TLS.
        let _ = stream.set_nodelay(true);
        let (handshake, done) = (certificate.acceptor().accept(stream), done.clone());
        tokio::spawn(async move {
            // Who does not finish is nobody we know.
            if let Ok(Ok(stream)) = timeout(HANDSHAKE_TIME_MAX, handshake).await {
                let _ = done.send((stream, from)).await;
            }
            drop(slot);
        });
    }
}
