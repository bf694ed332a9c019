#!/bin/sh
# Reports every assignment of the channel `email` as sent, to try the line out. It sends nothing,
# and reads the JSON form: the consumer has to run with `--set formats.assignment=json`.
kcat -b "$KAFKA_BOOTSTRAP_SERVERS" -G order-mails -u -q -f '%s\n' \
    -X auto.offset.reset=earliest -X isolation.level=read_committed rt-assignment |
    jq -cR --unbuffered 'fromjson? | select(.channel == "email") | {
        assignmentId,
        occurredAt: (now | todate),
        provider: "example"
    } + if .address == "nobody@example.com"
        then { outcome: "ignored", reason: "denylisted" }
        else { outcome: "sent" } end' |
    while read -r log; do
        # One at a time: of an open pipe, kcat holds the last lines back.
        printf '%s\n' "$log" |
            kcat -P -b "$KAFKA_BOOTSTRAP_SERVERS" -t delivery-log -H content-type=application/json \
                -X acks=all -X enable.idempotence=true
    done
