// Command order-mails sends the assignments of the channel email and reports each to delivery-log.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/proto"

	binderyv1 "example.com/order-mails/bindery/v1"
)

var denylist = map[string]bool{"nobody@example.com": true}

// deliveryLog is what became of an assignment, in the JSON form.
type deliveryLog struct {
	AssignmentID string    `json:"assignmentId"`
	Outcome      string    `json:"outcome"`
	Reason       string    `json:"reason,omitempty"`
	OccurredAt   time.Time `json:"occurredAt"`
	Provider     string    `json:"provider"`
}

// send stands for your gateway. The id makes that it sends once, however often it is asked to.
func send(outbox string, a *binderyv1.Assignment) error {
	name := filepath.Join(outbox, url.QueryEscape(a.AssignmentId))
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = file.WriteString(a.Address + " " + a.TemplateId + " " + string(a.Ctx))
	return errors.Join(err, file.Close())
}

// handle says what became of it, as outcome and, where there is something to explain, reason.
func handle(outbox string, a *binderyv1.Assignment) (outcome, reason string, err error) {
	if a.Expiration != nil && a.Expiration.AsTime().Before(time.Now()) {
		return "ignored", "expired", nil
	}
	if denylist[a.Address] {
		return "ignored", "denylisted", nil
	}
	return "sent", "", send(outbox, a)
}

// headers of a report: how it is written, and with what the event's trace goes on, where it has one.
func headers(assignment *kgo.Record) []kgo.RecordHeader {
	headers := []kgo.RecordHeader{{Key: "content-type", Value: []byte("application/json")}}
	for _, header := range assignment.Headers {
		if header.Key == "traceparent" || header.Key == "tracestate" {
			headers = append(headers, header)
		}
	}
	return headers
}

func main() {
	outbox := os.Getenv("OUTBOX")
	if outbox == "" {
		outbox = "outbox"
	}
	if err := os.MkdirAll(outbox, 0o755); err != nil {
		log.Fatal(err)
	}
	running, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()

	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(os.Getenv("KAFKA_BOOTSTRAP_SERVERS"), ",")...),
		kgo.ConsumerGroup("order-mails"),
		kgo.ConsumeTopics("rt-assignment"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
		// Without it, what was rolled back is sent too.
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
	)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	for running.Err() == nil {
		fetches := client.PollFetches(running)
		fetches.EachError(func(topic string, partition int32, err error) {
			if running.Err() == nil {
				log.Fatalf("%s/%d: %v", topic, partition, err)
			}
		})
		var reports []*kgo.Record
		fetches.EachRecord(func(record *kgo.Record) {
			var assignment binderyv1.Assignment
			if err := proto.Unmarshal(record.Value, &assignment); err != nil {
				log.Fatal(err)
			}
			if assignment.Channel != "email" {
				return
			}
			outcome, reason, err := handle(outbox, &assignment)
			if err != nil {
				log.Fatal(err)
			}
			value, err := json.Marshal(deliveryLog{
				AssignmentID: assignment.AssignmentId,
				Outcome:      outcome,
				Reason:       reason,
				OccurredAt:   time.Now().UTC(),
				Provider:     "example",
			})
			if err != nil {
				log.Fatal(err)
			}
			reports = append(reports, &kgo.Record{
				Topic:   "delivery-log",
				Key:     []byte(assignment.EventId),
				Value:   value,
				Headers: headers(record),
			})
		})
		// First the reports, then the offsets: nothing is left unreported.
		if err := client.ProduceSync(context.Background(), reports...).FirstErr(); err != nil {
			log.Fatal(err)
		}
		if err := client.CommitUncommittedOffsets(context.Background()); err != nil {
			log.Fatal(err)
		}
	}
}
