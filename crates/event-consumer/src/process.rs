use std::process::ExitCode;

use service::ServiceFlags;

use crate::{EventConsumer, EventConsumerSettings, Side};

/// All of a binary's `main` but its flags.
pub fn main(side: Side, flags: &ServiceFlags) -> ExitCode {
    let defaults = EventConsumerSettings::new(side, "");
    service::run(side.name(), &defaults, flags, |settings, context| {
        EventConsumer::new(side, settings).observed(context).run(context.stop())
    })
}
