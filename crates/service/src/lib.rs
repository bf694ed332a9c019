//! What every binary shares: configuration, telemetry, health, shutdown.
