import io.bindery.v1.Assignment;
import io.bindery.v1.DeliveryLog;
import io.bindery.v1.Outcome;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Sends the assignments of the channel {@code email} and reports each to {@code delivery-log}. */
public class OrderMails {
    static final Set<String> DENYLIST = Set.of("nobody@example.com");
    static final Path OUTBOX = Path.of(System.getenv().getOrDefault("OUTBOX", "outbox"));

    /** Stands for your gateway. The id makes that it sends once, however often it is asked to. */
    static void send(Assignment assignment) throws IOException {
        String id = URLEncoder.encode(assignment.getAssignmentId(), StandardCharsets.UTF_8);
        String message = assignment.getAddress() + " " + assignment.getTemplateId() + " "
                + assignment.getCtx().toStringUtf8();
        try {
            Files.writeString(OUTBOX.resolve(id), message, StandardOpenOption.CREATE_NEW);
        } catch (FileAlreadyExistsException sentBefore) {
            // Nothing to do.
        }
    }

    /** What became of it. */
    static DeliveryLog.Builder handle(Assignment assignment) throws IOException {
        var log = DeliveryLog.newBuilder().setAssignmentId(assignment.getAssignmentId());
        if (assignment.hasExpiration()
                && assignment.getExpiration().getSeconds() < Instant.now().getEpochSecond()) {
            return log.setOutcome(Outcome.OUTCOME_IGNORED).setReason("expired");
        }
        if (DENYLIST.contains(assignment.getAddress())) {
            return log.setOutcome(Outcome.OUTCOME_IGNORED).setReason("denylisted");
        }
        send(assignment);
        return log.setOutcome(Outcome.OUTCOME_SENT);
    }

    public static void main(String[] args) throws Exception {
        Files.createDirectories(OUTBOX);
        String servers = System.getenv("KAFKA_BOOTSTRAP_SERVERS");
        var consumer = new KafkaConsumer<>(
                Map.of(
                        "bootstrap.servers", servers,
                        "group.id", "order-mails",
                        "auto.offset.reset", "earliest",
                        "enable.auto.commit", false,
                        // Without it, what was rolled back is sent too.
                        "isolation.level", "read_committed"),
                new StringDeserializer(), new ByteArrayDeserializer());
        // Reports and offsets in one transaction: every assignment is reported exactly once.
        var producer = new KafkaProducer<>(
                Map.<String, Object>of(
                        "bootstrap.servers", servers,
                        "transactional.id", "order-mails-" + System.getenv().getOrDefault("INSTANCE", "0")),
                new StringSerializer(), new ByteArraySerializer());
        var main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            consumer.wakeup();
            try {
                main.join();
            } catch (InterruptedException leaveNow) {
                // The process ends all the same.
            }
        }));
        producer.initTransactions();
        consumer.subscribe(List.of("rt-assignment"));
        try (producer; consumer) {
            while (true) {
                var records = consumer.poll(Duration.ofSeconds(1));
                if (records.isEmpty()) {
                    continue;
                }
                producer.beginTransaction();
                var next = new HashMap<TopicPartition, OffsetAndMetadata>();
                for (var record : records) {
                    next.put(
                            new TopicPartition(record.topic(), record.partition()),
                            new OffsetAndMetadata(record.offset() + 1));
                    Assignment assignment = Assignment.parseFrom(record.value());
                    if (!assignment.getChannel().equals("email")) {
                        continue;
                    }
                    byte[] log = handle(assignment).setProvider("example").build().toByteArray();
                    var report = new ProducerRecord<>("delivery-log", assignment.getEventId(), log);
                    report.headers().add(
                            "content-type", "application/protobuf".getBytes(StandardCharsets.UTF_8));
                    // With these the event's trace goes on, where it has one.
                    for (String name : List.of("traceparent", "tracestate")) {
                        for (var header : record.headers().headers(name)) {
                            report.headers().add(header);
                        }
                    }
                    producer.send(report);
                }
                producer.sendOffsetsToTransaction(next, consumer.groupMetadata());
                producer.commitTransaction();
            }
        } catch (WakeupException asked) {
            // Asked to stop, between two transactions.
        }
    }
}
