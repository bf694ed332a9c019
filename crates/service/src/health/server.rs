use std::io;
use std::net::{SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};
use std::time::SystemTime;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::oneshot;

use super::{Answer, Health};
use crate::metrics::Metrics;

/// Serves `/live`, `/ready`, `/startup` and `/metrics` on a port and a thread of their own, so that
/// they answer whatever the lanes do. Dropping it stops it.
pub struct HealthServer {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone)]
struct Asked {
    health: Health,
    metrics: Metrics,
}

impl HealthServer {
    /// Listens at `address` and answers from now on.
    ///
    /// # Errors
    /// When the address is taken or not ours.
    pub fn start(address: SocketAddr, health: Health, metrics: Metrics) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let routes = routes(Asked { health, metrics });
        let thread = thread::Builder::new().name("health".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
                    return;
                };
                let server = axum::serve(listener, routes);
                // Connections that are open do not keep the process from leaving.
                tokio::select! {
                    biased;
                    _ = stopped => {}
                    _ = server.into_future() => {}
                }
            });
        })?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for HealthServer {
    fn drop(&mut self) {
        // Dropping the sender is the request.
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed.
            let _ = thread.join();
        }
    }
}

fn routes(asked: Asked) -> Router {
    Router::new()
        .route(
            "/live",
            get(async |State(asked): State<Asked>| answer(&asked.health.live(now_ms()))),
        )
        .route("/ready", get(async |State(asked): State<Asked>| answer(&asked.health.ready())))
        .route("/startup", get(async |State(asked): State<Asked>| answer(&asked.health.started())))
        .route("/metrics", get(async |State(asked): State<Asked>| metrics(&asked.metrics)))
        .with_state(asked)
}

fn answer(answer: &Answer) -> Response {
    let status = if answer.is_yes() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = serde_json::to_string(answer).expect("strings are always JSON");
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn metrics(metrics: &Metrics) -> Response {
    match metrics.text(now_ms()) {
        Ok(text) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

#[expect(clippy::disallowed_methods, reason = "whoever asks for the health asks for it now")]
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
