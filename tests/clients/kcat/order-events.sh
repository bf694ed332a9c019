#!/bin/sh
# Publishes `order.shipped` for each line `ORDER EMAIL` of standard input.
while read -r order email; do
    printf '%s\t' "$order" # the key: what happens to one order stays in order
    jq -nc --arg order "$order" --arg email "$email" '{
        id: "order-shipped-\($order)", type: "order.shipped", email: $email, language: "en-GB",
        ctx: {
            customer: { firstName: "Ada" },
            order: { number: $order },
            parcel: { carrier: "Acme Post", trackingUrl: "https://example.com/\($order)" }
        }
    }'
done |
    kcat -P -b "$KAFKA_BOOTSTRAP_SERVERS" -t rt-event -K '\t' -H content-type=application/json \
        -X acks=all -X enable.idempotence=true
