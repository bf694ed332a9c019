package io.bindery.bench;

import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;

/**
 * Runs one job until it is killed. Arguments, each {@code name=value}: {@code job} (bind, fold), {@code mode}
 * (tuned, defaults), {@code bootstrap}, {@code prefix} of the topics, {@code application}, {@code state} (a
 * folder), {@code commit-ms}, {@code threads}.
 */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        Map<String, String> given = new HashMap<>();
        for (String argument : arguments) {
            int equals = argument.indexOf('=');
            given.put(argument.substring(0, equals), argument.substring(equals + 1));
        }
        boolean tuned = given.get("mode").equals("tuned");
        Topology topology = switch (given.get("job")) {
            case "bind" -> Binding.topology(given.get("prefix"));
            case "fold" -> Folding.topology(given.get("prefix"), tuned);
            default -> throw new IllegalArgumentException("no such job: " + given.get("job"));
        };
        Properties properties = required(given);
        if (tuned) {
            tune(properties, Integer.parseInt(given.get("commit-ms")));
        }
        KafkaStreams streams = new KafkaStreams(topology, properties);
        streams.setUncaughtExceptionHandler(failure -> {
            failure.printStackTrace();
            Runtime.getRuntime().halt(1);
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
    }

    /** What has to be said in any case; exactly once is what Bindery promises. */
    private static Properties required(Map<String, String> given) {
        Properties properties = new Properties();
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, given.get("application"));
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, given.get("bootstrap"));
        properties.put(StreamsConfig.STATE_DIR_CONFIG, given.get("state"));
        properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, Integer.parseInt(given.get("commit-ms")));
        properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, Integer.parseInt(given.get("threads")));
        properties.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        return properties;
    }

    /** What was found to be fastest: large batches and fetches, frequent polls, short back-offs. */
    private static void tune(Properties properties, int commitMs) {
        properties.put(StreamsConfig.POLL_MS_CONFIG, 5);
        properties.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 1000);
        properties.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 64L << 20);
        properties.put(StreamsConfig.ENABLE_METRICS_PUSH_CONFIG, false);
        properties.put(StreamsConfig.consumerPrefix("max.poll.records"), 5000);
        properties.put(StreamsConfig.consumerPrefix("fetch.max.wait.ms"), 50);
        properties.put(StreamsConfig.producerPrefix("linger.ms"), Math.min(5, commitMs / 2));
        properties.put(StreamsConfig.producerPrefix("batch.size"), 256 << 10);
        properties.put(StreamsConfig.producerPrefix("buffer.memory"), 64L << 20);
        properties.put(StreamsConfig.producerPrefix("retry.backoff.ms"), 2);
        properties.put(StreamsConfig.producerPrefix("retry.backoff.max.ms"), 2);
    }
}
