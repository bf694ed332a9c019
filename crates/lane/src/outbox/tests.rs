use super::*;

const TOPIC: TopicId = TopicId(0);

fn outbox() -> Outbox {
    let name = Arc::from("rt-assignment");
    Outbox::new([OutputTopic { name, partitions: 6, record_bytes_max: 20 }])
}

fn records(outbox: &Outbox) -> Vec<(i32, String)> {
    let text = |bytes: Option<&[u8]>| match bytes {
        Some(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        None => "null".into(),
    };
    let describe = |record: OutboundRecord<'_>| {
        let headers: Vec<&str> = record.headers().map(|(name, _)| name).collect();
        let (key, value) = (text(record.key), text(record.value));
        (record.partition, format!("{key}={value} {}", headers.join(",")))
    };
    outbox.records().map(describe).collect()
}

#[test]
fn a_record_too_large_leaves_nothing_behind() {
    let mut outbox = outbox();
    outbox.record(TOPIC).key(b"a").header("h", b"1").value(|b| b.extend(b"one")).unwrap();
    let large = outbox.record(TOPIC).key(b"b").header("h", b"2").value(|b| b.extend([0; 20]));
    assert_eq!(large, Err(TooLarge { bytes: 23, bytes_max: 20 }));
    outbox.record(TOPIC).key(b"c").partition(4).tombstone().unwrap();
    let partition_of_a = kafka::partition_of(b"a", 6);
    let expected = vec![(partition_of_a, "a=one h".to_owned()), (4, "c=null ".to_owned())];
    assert_eq!(records(&outbox), expected);
    assert_eq!(outbox.arena.len(), 6);
    assert_eq!(outbox.headers.len(), 1);
    let counts = |outbox: &Outbox| outbox.counts().map(|(_, n)| n).collect::<Vec<_>>();
    assert_eq!(counts(&outbox), [2]);
    outbox.clear();
    assert_eq!(counts(&outbox), [0]);
}

#[test]
fn what_is_laid_out_in_batches_is_counted_and_leaves_nothing_in_the_arena() {
    let mut outbox = outbox();
    for _ in 0..2 {
        outbox.begin(Layout::Batches, 1);
        outbox.record(TOPIC).key(b"a").header("h", b"1").value(|b| b.extend(b"one")).unwrap();
        let large = outbox.record(TOPIC).key(b"b").value(|b| b.extend([0; 20]));
        assert_eq!(large, Err(TooLarge { bytes: 21, bytes_max: 20 }));
        outbox.record(TOPIC).partition(4).tombstone().unwrap();
        assert_eq!((outbox.len(), outbox.arena.len()), (2, 0));
        assert_eq!(outbox.counts().map(|(_, n)| n).collect::<Vec<_>>(), [2]);
        assert!(outbox.batches().is_some());
    }
    outbox.begin(Layout::Arena, 2);
    assert!(outbox.is_empty() && outbox.batches().is_none());
}

#[test]
fn a_record_that_is_given_up_leaves_nothing_behind() {
    let mut outbox = outbox();
    drop(outbox.record(TOPIC).key(b"a").header("h", b"1"));
    assert_eq!((outbox.len(), outbox.arena.len(), outbox.headers.len()), (0, 0, 0));
}
