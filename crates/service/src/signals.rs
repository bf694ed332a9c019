use std::io;
use std::thread;

use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

use crate::exit::{Exit, say};
use crate::shutdown::Shutdown;

/// Requests `shutdown` on the first SIGTERM or SIGINT, with `exit` as the code to end with once drained;
/// the second one leaves the process at once, with 128 and the signal's number as a shell would say.
///
/// # Errors
/// When the system refuses to deliver signals or to start a thread.
pub fn stop_on_signals(program: &'static str, shutdown: Shutdown, exit: Exit) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let (mut terminate, mut interrupt) = {
        let _inside = runtime.enter();
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
    };
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async move {
            loop {
                // No priority between the two: both mean the same.
                let (name, code) = tokio::select! {
                    _ = terminate.recv() => ("SIGTERM", 143),
                    _ = interrupt.recv() => ("SIGINT", 130),
                };
                if shutdown.is_requested() {
                    say(&format!("{program}: {name} while draining, leaving at once"));
                    std::process::exit(code);
                }
                info!(signal = name, "stopping");
                shutdown.request(exit);
            }
        });
    })?;
    Ok(())
}
