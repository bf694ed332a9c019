use std::time::Duration;

use axum::http::Uri;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is told to others beside logs and metrics.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetrySettings {
    /// Where spans go.
    pub otlp: OtlpSettings,
}

/// Where spans go: OTLP over HTTP with protobuf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OtlpSettings {
    /// The receiver, such as `http://collector:4318`; without a path, spans go to `/v1/traces`. Absent:
    /// no spans are made. Only `http`: a collector beside the service adds TLS. Wrong: spans are
    /// lost, counted in `bindery_spans_total` and nothing else happens.
    pub endpoint: Option<String>,
    /// How long one export may take, in ms, its retries included; also what spans may add to the time
    /// of leaving. Too short: what a slow receiver would have taken is lost.
    pub timeout_ms: u64,
    /// Most spans that wait to be exported. Full: further ones are dropped and counted, and no lane
    /// ever waits. One takes about 1 KB.
    pub queue_spans: usize,
}

impl Default for OtlpSettings {
    fn default() -> Self {
        Self { endpoint: None, timeout_ms: 3_000, queue_spans: 8_192 }
    }
}

impl TelemetrySettings {
    /// Refuses what cannot work.
    ///
    /// # Errors
    /// One sentence that names the setting.
    pub fn validate(&self) -> Result<(), String> {
        self.otlp.url()?;
        if !(100..=10_000).contains(&self.otlp.timeout_ms) {
            return Err("`telemetry.otlp.timeout_ms` has to be 100 to 10000".into());
        }
        if !(1..=1_000_000).contains(&self.otlp.queue_spans) {
            return Err("`telemetry.otlp.queue_spans` has to be 1 to 1000000".into());
        }
        Ok(())
    }
}

impl OtlpSettings {
    /// The whole address that spans are posted to, if they are.
    pub(super) fn url(&self) -> Result<Option<String>, String> {
        let Some(endpoint) = &self.endpoint else { return Ok(None) };
        let refused = |why| format!("`telemetry.otlp.endpoint` is `{endpoint}`; {why}");
        let uri: Uri = endpoint
            .parse()
            .map_err(|_| refused("give an address such as `http://collector:4318`"))?;
        if uri.scheme_str() != Some("http") || uri.host().is_none() {
            return Err(refused("it has to begin with `http://` and name a host"));
        }
        Ok(Some(match uri.path() {
            "" | "/" => format!("{}/v1/traces", endpoint.trim_end_matches('/')),
            _ => endpoint.clone(),
        }))
    }

    pub(super) const fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An endpoint in; where spans are posted to, or a part of what is said against it, out.
    #[track_caller]
    fn check(endpoint: &str, expected: &str) {
        let otlp = OtlpSettings { endpoint: Some(endpoint.to_owned()), ..OtlpSettings::default() };
        match otlp.url() {
            Ok(url) => assert_eq!(url.as_deref(), Some(expected)),
            Err(sentence) => assert!(sentence.contains(expected), "{sentence}"),
        }
    }

    #[test]
    fn an_endpoint_without_a_path_gets_that_of_traces() {
        check("http://collector:4318", "http://collector:4318/v1/traces");
        check("http://collector:4318/", "http://collector:4318/v1/traces");
        check("http://collector/otlp/traces", "http://collector/otlp/traces");
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        check("collector:4318", "has to begin with `http://`");
        check("https://collector:4318", "has to begin with `http://`");
        check("http://", "give an address");
    }

    #[test]
    fn limits_are_refused_by_name() {
        let otlp = OtlpSettings { queue_spans: 0, ..OtlpSettings::default() };
        let refused = TelemetrySettings { otlp }.validate().unwrap_err();
        assert!(refused.contains("telemetry.otlp.queue_spans"), "{refused}");
        assert_eq!(TelemetrySettings::default().validate(), Ok(()));
    }
}
