use std::time::{Duration, Instant};

use kafka::{ClientSettings, NextOffset, ReadError, Reader, TopicSpec, Topics};
use testkit::cluster;

/// Far beyond what any of it takes.
const LIMIT: Duration = Duration::from_secs(60);

fn read_to_end(topic: &str) -> Result<usize, ReadError> {
    let client = ClientSettings::new(cluster().bootstrap_servers());
    let reader = Reader::open(&client, topic, &[(0, NextOffset::START)])?;
    let mut n_records = 0;
    reader.read_to_end(LIMIT, |_| n_records += 1)?;
    Ok(n_records)
}

#[test]
fn a_topic_just_created_is_read_at_once() {
    let client = ClientSettings::new(cluster().bootstrap_servers());
    for number in 0..10 {
        let name = cluster().topic(&format!("just-created-{number}"));
        let spec = TopicSpec { name: name.clone(), ..Topics::default().dead_letter };
        kafka::apply(&client, &[spec]).expect("the topic can be created");
        assert_eq!(read_to_end(&name).expect("it can be read"), 0);
    }
}

#[test]
fn a_topic_that_is_not_there_is_told_long_before_the_time_is_over() {
    let asked = Instant::now();
    let name = cluster().topic("never-created");
    let error = read_to_end(&name).expect_err("there is nothing to read");
    assert!(matches!(&error, ReadError::UnknownTopic(topic) if *topic == name), "{error}");
    assert!(asked.elapsed() < LIMIT / 2, "{:?}", asked.elapsed());
}
