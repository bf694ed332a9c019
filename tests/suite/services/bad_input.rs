use domain::{FactKind, Hold, Template, TemplateState};
use event_consumer::Side;
use lane::ProducerClient;
use testkit::{OwnedRecord, cluster};

use super::installation::{Installation, fact_in, headers, is_decision, template};

type Header = (&'static str, &'static [u8]);

const JSON: Header = ("content-type", b"application/json");
const PROTOBUF: Header = ("content-type", b"application/protobuf");

/// With what is around it, nearly as large as a topic takes by default.
const A_MEGABYTE: usize = 1_048_000;

/// A record as it is produced, and the decision it has to come to.
struct Case {
    name: &'static str,
    value: Option<Vec<u8>>,
    headers: Vec<Header>,
    expected: &'static str,
}

fn case(name: &'static str, value: &str, headers: &[Header], expected: &'static str) -> Case {
    let value = Some(value.as_bytes().to_vec());
    Case { name, value, headers: headers.to_vec(), expected }
}

fn cases() -> Vec<Case> {
    let good =
        r#"{"type":"order.shipped","email":"ada@example.com","ctx":{"order":{"number":"1"}}}"#;
    let large = |bytes: usize| {
        let padding = "x".repeat(bytes);
        format!(
            r#"{{"type":"order.shipped","email":"ada@example.com","ctx":{{"order":{{"number":"1"}},"padding":"{padding}"}}}}"#
        )
    };
    vec![
        case("good", good, &[JSON], "bound"),
        case("good without content type", good, &[], "bound"),
        Case { name: "null", value: None, headers: vec![], expected: "undecodable" },
        case("empty", "", &[JSON], "undecodable"),
        case("malformed", "{\"type\":", &[JSON], "undecodable"),
        case("not an object", "[1,2]", &[JSON], "undecodable"),
        case("wrongly typed", r#"{"type":5}"#, &[JSON], "undecodable"),
        case("no type", r#"{"email":"ada@example.com"}"#, &[JSON], "undecodable"),
        case("json as protobuf", good, &[PROTOBUF], "undecodable"),
        case("unknown content type", good, &[("content-type", b"text/plain")], "undecodable"),
        case("no address", r#"{"type":"order.shipped"}"#, &[JSON], "address_missing"),
        case(
            "bad address",
            r#"{"type":"order.shipped","email":"a\r\nb@c"}"#,
            &[JSON],
            "address_invalid",
        ),
        case("no template", r#"{"type":"order.shiped","email":"a@b.c"}"#, &[JSON], "no_template"),
        case(
            "no variable",
            r#"{"type":"order.shipped","email":"a@b.c","ctx":{}}"#,
            &[JSON],
            "variable_missing",
        ),
        case(
            "ctx no object",
            r#"{"type":"order.shipped","email":"a@b.c","ctx":7}"#,
            &[JSON],
            "ctx_invalid",
        ),
        case(
            "expired",
            r#"{"type":"order.shipped","email":"a@b.c","expiration":"2020-01-01T00:00:00Z"}"#,
            &[JSON],
            "expired",
        ),
        case(
            "scheduled",
            r#"{"type":"order.shipped","email":"a@b.c","scheduled":"2199-01-01T00:00:00Z"}"#,
            &[JSON],
            "scheduled",
        ),
        case(
            "paused",
            r#"{"type":"order.returned","email":"a@b.c","ctx":{"order":{"number":"1"}}}"#,
            &[JSON],
            "paused",
        ),
        case("half a megabyte", &large(500_000), &[JSON], "bound"),
        case("as large as the topic takes", &large(A_MEGABYTE), &[JSON], "too_large"),
        case("malformed and large", &large(900_000)[1..], &[JSON], "undecodable"),
        case("malformed, no room for more", &large(A_MEGABYTE)[1..], &[JSON], "undecodable"),
        case("a header that is no text", good, &[JSON, ("\u{fffd}", b"\xff\xfe")], "bound"),
        case("good behind them all", good, &[JSON], "bound"),
    ]
}

/// The decision in a fact, as one word.
fn word(kind: &FactKind<'_>) -> &'static str {
    match kind {
        FactKind::Bound { .. } => "bound",
        FactKind::NotSupported(not_supported) => not_supported.reason.as_str(),
        FactKind::Held(hold) => word_of_hold(hold),
        FactKind::Expired => "expired",
        FactKind::Cancelled => "cancelled",
        FactKind::Duplicate { .. } => "duplicate",
        FactKind::Received
        | FactKind::Released
        | FactKind::CancelRequested
        | FactKind::Delivery { .. } => "no decision",
    }
}

/// What an event is held for, as one word.
fn word_of_hold(hold: &Hold<'_>) -> &'static str {
    match hold {
        Hold::Scheduled { .. } => "scheduled",
        Hold::Paused { template_id } if template_id == "order.returned-email" => "paused",
        Hold::Paused { .. } => "paused by another template",
    }
}

#[test]
fn bad_input_gets_its_reason_and_nothing_else_suffers() {
    let prefix = format!("{}bad-input-", cluster().prefix());
    let mut installation = Installation::without_topics(cluster().bootstrap_servers(), &prefix);
    let limit = ("max.message.bytes".to_owned(), "600000".to_owned());
    installation.topics.rt_assignment.config.extend([limit]);
    installation.create();
    installation.publish_garbage();
    let paused = Template { state: TemplateState::Paused, ..template("order.returned") };
    installation.publish(&paused);
    let cases = cases();
    let topic = &installation.topics.rt_event.name;
    for case in &cases {
        // One key for all: they are in one partition, in this order, and so are their answers.
        let record = ("one-key", case.value.clone(), case.headers.clone());
        testkit::produce(cluster().bootstrap_servers(), topic, [record]);
    }
    let _consumer = installation.start(Side::Rt, "0");
    installation.wait_for_decisions(cases.len());
    let mut decided: Vec<(i64, String)> = Vec::new();
    let journal = installation.read(&installation.topics.event_journal.name);
    let inputs = installation.read(topic);
    for record in &journal {
        let fact = fact_in(record);
        if is_decision(&fact.kind) {
            let input = inputs.iter().find(|input| {
                let position = domain::SourcePosition {
                    topic,
                    partition: input.partition,
                    offset: input.offset,
                    timestamp: domain::Timestamp::from_millis(input.timestamp_ms),
                };
                wire::event_id_of_position(&position) == fact.event_id
            });
            let input = input.expect("a fact of an event without an id names its position");
            decided.push((input.offset, word(&fact.kind).to_owned()));
        }
    }
    decided.sort_unstable();
    assert_eq!(decided.len(), cases.len());
    for (case, (_, decision)) in cases.iter().zip(&decided) {
        assert_eq!(decision, case.expected, "{}", case.name);
    }
    let count = |word: &str| cases.iter().filter(|case| case.expected == word).count();
    let dead_letters = installation.read(&installation.topics.dead_letter.name);
    assert_eq!(dead_letters.len(), count("undecodable"));
    for letter in &dead_letters {
        assert_eq!(letter.header_text("bindery-reason"), Some("undecodable"));
        let offset = letter.header_text("bindery-source-offset").expect("it says whence");
        let input = inputs.iter().find(|input| input.offset.to_string() == offset);
        let input = input.expect("it is one of the inputs");
        let has_room = input.value.as_ref().is_none_or(|value| value.len() < A_MEGABYTE);
        let as_read = if has_room { input.value.as_ref() } else { None };
        assert!(letter.value.as_ref() == as_read, "bytes as read of the one at {offset}");
    }
    let held_events = installation.read(&installation.topics.held_event.name);
    assert_eq!(held_events.len(), count("scheduled") + count("paused"));
    for record in &held_events {
        let held = wire::held_event::decode(record.value.as_deref(), headers(record));
        let held = held.expect("a held event can be decoded");
        assert_eq!(record.key_text(), held.event_id.as_str());
        let is_it = |(input, _): &(&OwnedRecord, &Case)| input.offset == held.source.offset;
        let (input, case) = inputs.iter().zip(&cases).find(is_it).expect("it is one of the inputs");
        assert_eq!(word_of_hold(&held.hold), case.expected, "{}", case.name);
        assert_eq!(Some(&*held.value), input.value.as_deref(), "bytes as read");
    }
    let assignments = installation.read(&installation.topics.rt_assignment.name);
    assert_eq!(assignments.len(), count("bound"));
    for record in &assignments {
        wire::assignment::decode(record.value.as_deref(), headers(record)).expect("it is one");
    }
}

#[test]
fn a_batch_that_unpacks_too_far_is_passed_over_with_its_reason_and_nothing_else_suffers() {
    let servers = cluster().bootstrap_servers();
    let prefix = format!("{}bomb-", cluster().prefix());
    let installation = Installation::on(servers, &prefix);
    let topic = &installation.topics.rt_event.name;
    let event = |padding: &str| {
        let text = format!(
            r#"{{"type":"order.shipped","email":"ada@example.com","ctx":{{"order":{{"number":"1"}},"padding":"{padding}"}}}}"#
        );
        [("one-key", text, [JSON])]
    };
    testkit::produce(servers, topic, event(""));
    // A few kilobytes on their way.
    testkit::produce_compressed(servers, topic, "zstd", event(&"x".repeat(20 << 20)));
    testkit::produce_compressed(servers, topic, "lz4", event("small"));
    testkit::produce(servers, topic, event(""));
    let mut settings = installation.settings(Side::Rt, "0");
    settings.lane.client = ProducerClient::Native;
    settings.lane.unpacked_bytes_max = 1 << 20;
    let _consumer = installation.start_as(Side::Rt, &settings);
    installation.wait_for_decisions(4);
    let journal = installation.read(&installation.topics.event_journal.name);
    let decisions = journal.iter().map(fact_in).filter(|fact| is_decision(&fact.kind));
    let mut words: Vec<_> = decisions.map(|fact| word(&fact.kind)).collect();
    words.sort_unstable();
    assert_eq!(words, ["bound", "bound", "bound", "undecodable"]);
    let letters = installation.read(&installation.topics.dead_letter.name);
    let [letter] = letters.as_slice() else { panic!("one dead letter, not {}", letters.len()) };
    assert_eq!(letter.header_text("bindery-reason"), Some("undecodable"));
    assert_eq!(letter.header_text("bindery-source-offset"), Some("1"));
    let detail = "offsets 1 to 1 were passed over: the batch unpacks to more than 1048576 bytes";
    assert_eq!(letter.header_text("bindery-detail"), Some(detail));
    let bytes = letter.value.as_ref().expect("its bytes are kept").len();
    assert!(bytes < 100_000, "as they were fetched: {bytes}");
    assert_eq!(installation.read(&installation.topics.rt_assignment.name).len(), 3);
}
