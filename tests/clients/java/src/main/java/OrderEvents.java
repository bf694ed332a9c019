import com.google.protobuf.ByteString;
import io.bindery.v1.Event;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Scanner;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Publishes {@code order.shipped} for each line {@code ORDER EMAIL} of standard input. */
public class OrderEvents {
    public static void main(String[] args) {
        // Idempotence: acknowledged by all in-sync replicas; a retry neither repeats nor reorders.
        Map<String, Object> settings = Map.of(
                "bootstrap.servers", System.getenv("KAFKA_BOOTSTRAP_SERVERS"),
                "enable.idempotence", true);
        try (var producer =
                        new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer());
                var lines = new Scanner(System.in)) {
            while (lines.hasNextLine()) {
                String[] line = lines.nextLine().split(" ");
                String order = line[0];
                String ctx = """
                        {"customer":{"firstName":"Ada"},"order":{"number":"%1$s"},
                         "parcel":{"carrier":"Acme Post","trackingUrl":"https://example.com/%1$s"}}"""
                        .formatted(order);
                Event event = Event.newBuilder()
                        .setId("order-shipped-" + order) // the same when it is published again
                        .setType("order.shipped")
                        .setEmail(line[1])
                        .setLanguage("en-GB")
                        .setExternalId(order)
                        .setCtx(ByteString.copyFromUtf8(ctx))
                        .build();
                var published = new ProducerRecord<>("rt-event", order, event.toByteArray());
                published.headers().add(
                        "content-type", "application/protobuf".getBytes(StandardCharsets.UTF_8));
                producer.send(published, (where, error) -> {
                    if (error != null) {
                        System.err.println(order + " was not published: " + error);
                    }
                });
            }
        } // closing waits for what is under way
    }
}
