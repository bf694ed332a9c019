use std::process::ExitCode;

use service::ServiceFlags;

use crate::{StatusSync, StatusSyncSettings};

/// All of the binary's `main` but its flags.
pub fn main(flags: &ServiceFlags) -> ExitCode {
    let defaults = StatusSyncSettings::new("");
    service::run("status-sync", &defaults, flags, |settings, context| {
        let status_sync = StatusSync::new(settings);
        for (name, status) in status_sync.lanes() {
            context.watch_lane(&name, status);
        }
        status_sync.run(context.stop())
    })
}
