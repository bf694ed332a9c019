use domain::{SourcePosition, Timestamp};

use super::POSITION;
use crate::{event_id_of_position, event_id_of_text};

#[test]
fn the_id_of_a_position_never_changes() {
    assert_eq!(event_id_of_position(&POSITION).as_str(), "9b388f0b-2280-5f8d-94c1-be117647cca5");
    let other = SourcePosition { timestamp: Timestamp::from_millis(-1), offset: 0, ..POSITION };
    assert_eq!(event_id_of_position(&other).as_str(), "cb91ac42-a616-52e7-b95a-202c6a9fd56f");
}

#[test]
fn an_id_is_kept_or_replaced_by_its_uuid() {
    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let id = event_id_of_text(text);
        assert_eq!(id.as_ref().map(domain::EventId::as_str), expected);
    }
    check("", None);
    check("a", Some("a"));
    check("Überweisung 7", Some("Überweisung 7"));
    check(&"x".repeat(255), Some(&"x".repeat(255)));
    check(&"é".repeat(127), Some(&"é".repeat(127)));
    check(&"x".repeat(256), Some("113a842a-6a94-537c-9359-3ed656faab37"));
    check(&"é".repeat(128), Some("be2090c5-0cd7-5839-8855-b0115a199451"));
    check("a\nb", Some("df46de12-82f8-5a61-be29-fbca4d7b9497"));
    check("\u{85}", Some("f0821d7b-dd54-5e4a-b317-e03423ed7b94"));
}
