"""Publishes `order.shipped` for each line `ORDER EMAIL` of standard input."""

import json
import os
import sys

from confluent_kafka import Producer

# Idempotence: acknowledged by all in-sync replicas; a retry neither repeats nor reorders.
producer = Producer({
    "bootstrap.servers": os.environ["KAFKA_BOOTSTRAP_SERVERS"],
    "enable.idempotence": True,
})
lost = []


def delivered(error, record):
    if error is not None:
        lost.append(f"{record.key().decode()} was not published: {error}")


for line in sys.stdin:
    order, email = line.split()
    event = {
        "id": f"order-shipped-{order}",  # the same when this event is published again
        "type": "order.shipped",
        "email": email,
        "language": "en-GB",
        "externalId": order,
        "ctx": {
            "customer": {"firstName": "Ada"},
            "order": {"number": order},
            "parcel": {"carrier": "Acme Post", "trackingUrl": f"https://example.com/{order}"},
        },
    }
    producer.produce(
        "rt-event",
        key=order,
        value=json.dumps(event),
        headers={"content-type": "application/json"},
        on_delivery=delivered,
    )
    producer.poll(0)  # calls `delivered` for what has been answered

producer.flush()
sys.exit("\n".join(lost) or None)
