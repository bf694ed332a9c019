use std::process::ExitCode;

use service::ServiceFlags;

use crate::{StatusSync, StatusSyncSettings};

/// All of the binary's `main` but its flags.
pub fn main(flags: &ServiceFlags) -> ExitCode {
    let defaults = StatusSyncSettings::new("");
    service::run("status-sync", &defaults, flags, |settings, context| {
        StatusSync::new(settings).observed(context).run(context.stop())
    })
}
