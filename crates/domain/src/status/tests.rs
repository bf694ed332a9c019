use super::*;

/// One line of the table of statuses.
#[track_caller]
fn check(status: Status, word: &str, labels: [&str; 2], rest_name: &str, rank: u8) {
    assert_eq!(status.as_str(), word);
    assert_eq!(Status::from_word(word), Some(status));
    assert_eq!([status.label(Language::En), status.label(Language::Fr)], labels);
    assert_eq!(status.rest_name(), rest_name);
    assert_eq!(status.rank_with("undefined"), rank);
}

#[test]
fn every_status_has_the_words_and_the_rank_it_was_given() {
    check(Status::Pending, "PENDING", ["Pending", "En attente"], "pending", 1);
    check(Status::Paused, "PAUSED", ["Paused", "En pause"], "paused", 2);
    let labels = ["Pending delivery", "En attente de diffusion"];
    check(Status::PendingDelivery, "PENDING_DELIVERY", labels, "processing", 3);
    check(Status::Expired, "EXPIRED", ["Event expired", "Événement expiré"], "tooOld", 4);
    check(Status::Cancelled, "CANCELLED", ["Cancelled", "Annulé"], "cancelled", 4);
    let labels = ["Event not supported", "Événement non pris en charge"];
    check(Status::NotSupported, "NOT_SUPPORTED", labels, "routingFailed", 4);
    let labels = ["Ignored by the delivery", "Ignoré par la diffusion"];
    check(Status::Ignored, "IGNORED", labels, "ignored", 6);
    check(Status::Sent, "SENT", ["Sent", "Envoyé"], "processed", 7);
    let labels = ["Delivery error", "Erreur de diffusion"];
    check(Status::DeliveryError, "DELIVERY_ERROR", labels, "deliveryFailed", 8);
}

#[test]
fn a_delivery_error_for_want_of_a_receipt_ranks_below_what_a_service_says() {
    assert_eq!(Status::DeliveryError.rank_with("no_receipt"), 5);
    assert_eq!(Status::Sent.rank_with("no_receipt"), 7);
}

#[test]
fn an_unknown_word_is_no_status() {
    assert_eq!(Status::from_word("pending"), None);
}
