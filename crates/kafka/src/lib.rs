//! Kafka's own words and the plain clients around the lane: settings, topics, readers, a sender.
