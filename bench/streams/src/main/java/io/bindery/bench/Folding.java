package io.bindery.bench;

import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.processor.api.ContextualFixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** What status-sync's folding lane does: the facts of an event come to one status, in a KTable. */
final class Folding {
    private Folding() {}

    static Topology topology(String prefix, boolean inMemory) {
        Serde<Status> status = Status.serde();
        Materialized<String, Status, KeyValueStore<Bytes, byte[]>> table = inMemory
                ? Materialized.as(Stores.inMemoryKeyValueStore("statuses"))
                : Materialized.as(Stores.persistentKeyValueStore("statuses"));
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(prefix + "event-journal", Consumed.with(Serdes.String(), Serdes.ByteArray()))
                .groupByKey()
                .aggregate(Status::new, (id, fact, folded) -> folded.apply(fact),
                        table.withKeySerde(Serdes.String()).withValueSerde(status))
                .toStream()
                .processValues(Described::new)
                .to(prefix + "event-status", Produced.with(Serdes.String(), status));
        return builder.build();
    }

    /** Writes the headers that Bindery writes. */
    private static final class Described extends ContextualFixedKeyProcessor<String, Status, Status> {
        private static final Outgoing STATUS =
                new Outgoing("/bindery/status-sync", "io.bindery.event-status.v1");

        @Override
        public void process(FixedKeyRecord<String, Status> record) {
            context().forward(record.withHeaders(STATUS.of(record.key())));
        }
    }
}
