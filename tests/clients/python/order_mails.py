"""Sends the assignments of the channel `email` and reports each to `delivery-log`."""

import json
import os
import signal
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import quote

from confluent_kafka import Consumer, KafkaException, Producer

from bindery.v1.assignment_pb2 import Assignment

DENYLIST = {"nobody@example.com"}
servers = os.environ["KAFKA_BOOTSTRAP_SERVERS"]
outbox = Path(os.environ.get("OUTBOX", "outbox"))
outbox.mkdir(parents=True, exist_ok=True)
running = True


def send(assignment):
    """Stands for your gateway. The id makes that it sends once, however often it is asked to."""
    try:
        with open(outbox / quote(assignment.assignment_id, safe=""), "x") as message:
            message.write(f"{assignment.address} {assignment.template_id} {assignment.ctx.decode()}")
    except FileExistsError:
        pass


def handle(assignment):
    """What became of it, as `outcome` and, where there is something to explain, `reason`."""
    now = datetime.now(timezone.utc)
    if assignment.HasField("expiration") and assignment.expiration.ToDatetime(timezone.utc) < now:
        return {"outcome": "ignored", "reason": "expired"}
    if assignment.address in DENYLIST:
        return {"outcome": "ignored", "reason": "denylisted"}
    send(assignment)
    return {"outcome": "sent"}


def trace(record):
    """The headers with which the event's trace goes on, where it has one."""
    return [header for header in record.headers() or [] if header[0] in ("traceparent", "tracestate")]


def reported(error, _record):
    if error is not None:
        raise KafkaException(error)


def stop(*_):
    global running
    running = False


signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGINT, stop)
producer = Producer({"bootstrap.servers": servers, "enable.idempotence": True})
consumer = Consumer({
    "bootstrap.servers": servers,
    "group.id": "order-mails",
    "auto.offset.reset": "earliest",
    "enable.auto.commit": False,
    "isolation.level": "read_committed",  # without it, what was rolled back is sent too
})
consumer.subscribe(["rt-assignment"])
while running:
    records = consumer.consume(100, timeout=0.5)
    for record in records:
        if record.error():
            raise KafkaException(record.error())
        assignment = Assignment.FromString(record.value())
        if assignment.channel != "email":
            continue
        log = {
            "assignmentId": assignment.assignment_id,
            **handle(assignment),
            "occurredAt": datetime.now(timezone.utc).isoformat(),
            "provider": "example",
        }
        producer.produce(
            "delivery-log",
            key=assignment.event_id,
            value=json.dumps(log),
            headers=[("content-type", "application/json"), *trace(record)],
            on_delivery=reported,
        )
    if records:
        producer.flush()  # first the reports, then the offsets: nothing is left unreported
        consumer.commit(asynchronous=False)
consumer.close()
