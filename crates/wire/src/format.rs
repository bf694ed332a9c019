use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a value is written; in a configuration `protobuf` or `json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Protobuf, as `proto/bindery/v1` has it.
    #[default]
    Protobuf,
    /// The proto3 JSON form, with `ctx` as the object itself and enum values by their short names.
    Json,
}

impl Format {
    /// The value of the header `content-type`.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/protobuf",
            Self::Json => "application/json",
        }
    }
}
