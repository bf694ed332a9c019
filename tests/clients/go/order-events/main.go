// Command order-events publishes order.shipped for each line "ORDER EMAIL" of standard input.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/proto"

	binderyv1 "example.com/order-mails/bindery/v1"
)

func main() {
	// franz-go is idempotent by itself: acknowledged by all in-sync replicas, and a retry neither
	// repeats nor reorders.
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(os.Getenv("KAFKA_BOOTSTRAP_SERVERS"), ",")...),
		kgo.DefaultProduceTopic("rt-event"),
	)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		order, email, _ := strings.Cut(lines.Text(), " ")
		event, err := proto.Marshal(&binderyv1.Event{
			Id:         "order-shipped-" + order, // the same when it is published again
			Type:       "order.shipped",
			Email:      email,
			Language:   "en-GB",
			ExternalId: order,
			Ctx: fmt.Appendf(nil, `{"customer":{"firstName":"Ada"},"order":{"number":%q},`+
				`"parcel":{"carrier":"Acme Post","trackingUrl":"https://example.com/%s"}}`, order, order),
		})
		if err != nil {
			log.Fatal(err)
		}
		record := &kgo.Record{
			Key:     []byte(order),
			Value:   event,
			Headers: []kgo.RecordHeader{{Key: "content-type", Value: []byte("application/protobuf")}},
		}
		client.Produce(context.Background(), record, func(_ *kgo.Record, err error) {
			if err != nil {
				log.Fatalf("%s was not published: %v", order, err)
			}
		})
	}
	if err := client.Flush(context.Background()); err != nil {
		log.Fatal(err)
	}
}
