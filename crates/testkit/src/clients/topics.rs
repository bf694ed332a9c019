use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;

use super::{DEADLINE, Isolation, client, consumer, partitions};

/// A topic to create: name, number of partitions, configuration.
pub type NewTopicSpec<'a> = (&'a str, i32, &'a [(&'a str, &'a str)]);

/// Creates topics with as many replicas as the cluster gives by itself, and returns when the broker serves
/// all of their partitions.
///
/// # Panics
///
/// When one is refused, also because it exists.
#[track_caller]
pub fn create_topics(bootstrap: &str, topics: &[NewTopicSpec<'_>]) {
    let admin: AdminClient<DefaultClientContext> =
        client(bootstrap).create().expect("the settings above are valid");
    let wanted: Vec<NewTopic<'_>> = topics
        .iter()
        .map(|&(name, partitions, configuration)| {
            let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(-1));
            configuration.iter().fold(topic, |topic, (key, value)| topic.set(key, value))
        })
        .collect();
    let options = AdminOptions::new()
        .request_timeout(Some(DEADLINE))
        .operation_timeout(Some(Duration::from_secs(30)));
    let results = block_on(admin.create_topics(&wanted, &options))
        .unwrap_or_else(|error| panic!("cannot create topics at {bootstrap}: {error}"));
    for result in results {
        if let Err((name, code)) = result {
            panic!("cannot create topic `{name}`: {code}");
        }
    }
    let consumer = consumer(bootstrap, "testkit", Isolation::ReadUncommitted);
    for &(name, count, _) in topics {
        let there = partitions(&consumer, name).len();
        assert_eq!(i32::try_from(there), Ok(count), "partitions of `{name}`");
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime without drivers needs nothing from the system")
        .block_on(future)
}
