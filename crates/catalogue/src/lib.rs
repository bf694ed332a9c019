//! Follows the topic of templates and publishes immutable snapshots of the catalogue.
