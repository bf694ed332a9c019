//! The broker's thread: it accepts connections, and it keeps time.

use std::cell::RefCell;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::LocalSet;

use crate::node::{GroupTiming, Node};
use crate::{BrokerConfig, BrokerError, Faults, connection, upkeep};

/// The state, as the tasks of the one thread share it.
pub(crate) type Shared = Rc<RefCell<Node>>;

/// A handle on the thread.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), BrokerError>>>,
    /// Removed when the handle goes, after the thread has ended.
    _temporary: Option<tempfile::TempDir>,
}

impl Server {
    pub(crate) fn start(config: BrokerConfig, faults: Faults) -> Result<Server, BrokerError> {
        let refused = |source| BrokerError::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).map_err(refused)?;
        listener.set_nonblocking(true).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let (directory, temporary) = data_directory(config.data_dir)?;
        let timing = GroupTiming {
            heartbeat_interval: config.consumer_heartbeat_interval,
            session_timeout: config.consumer_session_timeout,
        };
        let transaction_version = config.transaction_version;
        let advertised = config.advertise.unwrap_or(address);
        let (stop, stopped) = oneshot::channel();
        let (ready, is_ready) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("dev-broker".to_owned())
            .spawn(move || {
                let unusable = |source| BrokerError::Storage {
                    directory: directory.display().to_string(),
                    source,
                };
                let opened = Node::open(
                    &directory,
                    advertised,
                    timing,
                    transaction_version,
                    upkeep::now_ms(),
                );
                let node = match opened {
                    Ok(node) => node,
                    Err(source) => {
                        drop(ready.send(Err(unusable(source))));
                        return Ok(());
                    }
                };
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .map_err(BrokerError::Thread)?;
                let shared: Shared = Rc::new(RefCell::new(node));
                let tasks = LocalSet::new();
                tasks.block_on(
                    &runtime,
                    serve(listener, Rc::clone(&shared), faults, ready, stopped),
                )?;
                drop(tasks);
                // Bounded even while a compaction is still busy.
                runtime.shutdown_timeout(Duration::from_secs(1));
                shared.borrow().flush().map_err(unusable)
            })
            .map_err(BrokerError::Thread)?;
        let mut server =
            Server { address, stop: Some(stop), thread: Some(thread), _temporary: temporary };
        match is_ready.recv() {
            Ok(Ok(())) => Ok(server),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(server.stop().err().unwrap_or(BrokerError::Died)),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends the thread; once it has ended, there is nothing to do.
    pub(crate) fn stop(&mut self) -> Result<(), BrokerError> {
        drop(self.stop.take());
        match self.thread.take() {
            Some(thread) => thread.join().unwrap_or(Err(BrokerError::Died)),
            None => Ok(()),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            tracing::error!(%error, "the broker did not stop cleanly");
        }
    }
}

fn data_directory(
    given: Option<PathBuf>,
) -> Result<(PathBuf, Option<tempfile::TempDir>), BrokerError> {
    if let Some(directory) = given {
        return Ok((directory, None));
    }
    let temporary = tempfile::Builder::new().prefix("dev-broker-").tempdir().map_err(|source| {
        BrokerError::Storage { directory: std::env::temp_dir().display().to_string(), source }
    })?;
    Ok((temporary.path().to_owned(), Some(temporary)))
}

/// Accepts connections until told to stop.
async fn serve(
    listener: TcpListener,
    shared: Shared,
    faults: Faults,
    ready: mpsc::Sender<Result<(), BrokerError>>,
    mut stopped: oneshot::Receiver<()>,
) -> Result<(), BrokerError> {
    let listener = tokio::net::TcpListener::from_std(listener).map_err(BrokerError::Thread)?;
    tokio::task::spawn_local(upkeep::run(Rc::clone(&shared)));
    tokio::task::spawn_local(upkeep::trim(Rc::clone(&shared)));
    drop(ready.send(Ok(())));
    loop {
        // Stopping comes first, or a flood of connections could hold it up.
        tokio::select! {
            biased;
            _ = &mut stopped => return Ok(()),
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let connection = connection::serve(stream, peer, Rc::clone(&shared), faults.clone());
                    tokio::task::spawn_local(connection);
                }
                Err(error) => {
                    // Out of file handles, most likely. Some connection has to close first.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
}
