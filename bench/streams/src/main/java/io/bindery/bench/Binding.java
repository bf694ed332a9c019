package io.bindery.bench;

import io.bindery.bench.Catalogue.Template;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.Stores;

/**
 * What rt-event-consumer does, less its checks: an assignment and a fact for each event that has a template,
 * else a fact alone. It looks at neither the address nor the variables in {@code ctx}.
 */
final class Binding implements Processor<byte[], byte[], byte[], byte[]> {
    private static final String ASSIGNMENTS = "assignments";
    private static final String FACTS = "facts";
    private static final Outgoing ASSIGNMENT =
            new Outgoing("/bindery/rt-event-consumer", "io.bindery.assignment.v1");
    private static final Outgoing FACT = new Outgoing("/bindery/rt-event-consumer", "io.bindery.fact.v1");
    private static final int LANE_RT = 1;
    private static final int LOST_LANGUAGE = 3;

    private final Catalogue catalogue;
    private final Message message = new Message();
    private final Message kind = new Message();
    private final Message inner = new Message();
    private ProcessorContext<byte[], byte[]> context;

    private Binding(Catalogue catalogue) {
        this.catalogue = catalogue;
    }

    static Topology topology(String prefix) {
        Catalogue catalogue = new Catalogue();
        Topology topology = new Topology();
        var store = Stores.keyValueStoreBuilder(
                        Stores.inMemoryKeyValueStore(Catalogue.STORE), Serdes.String(), Serdes.ByteArray())
                .withLoggingDisabled();
        topology.addGlobalStore(store, "template-source", new StringDeserializer(), new ByteArrayDeserializer(),
                prefix + "message-template", "loader", () -> new Catalogue.Loader(catalogue));
        var read = new ByteArrayDeserializer();
        var write = new ByteArraySerializer();
        topology.addSource("events", read, read, prefix + "rt-event");
        topology.addProcessor("binding", () -> new Binding(catalogue), "events");
        topology.addSink(ASSIGNMENTS, prefix + "rt-assignment", write, write, "binding");
        topology.addSink(FACTS, prefix + "event-journal", write, write, "binding");
        return topology;
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
        this.context = context;
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        try {
            answer(record, Event.read(record.value()));
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private void answer(Record<byte[], byte[]> record, Event event) throws IOException {
        long now = context.currentSystemTimeMs();
        Template[] candidates = catalogue.candidates(event.type, event.channel);
        Template winner = null;
        for (Template candidate : candidates) {
            if (candidate.language().equals(event.language)) {
                winner = candidate;
            }
        }
        if (winner != null) {
            byte[] assignment = assignment(event, winner, record.timestamp(), now);
            context.forward(
                    record.withValue(assignment).withHeaders(ASSIGNMENT.of(event.id + ":1")), ASSIGNMENTS);
        }
        byte[] fact = fact(event, winner, candidates, now);
        byte[] key = event.id.getBytes(StandardCharsets.UTF_8);
        context.forward(record.withKey(key).withValue(fact).withHeaders(FACT.of(event.id)), FACTS);
    }

    private byte[] assignment(Event event, Template template, long timestamp, long now) throws IOException {
        message.begin(1024 + 3 * event.value.length);
        message.text(1, event.id + ":1");
        message.text(2, event.id);
        message.number(3, 1);
        message.text(4, event.type);
        message.text(5, event.externalId);
        message.text(6, event.origin);
        message.text(7, event.tenant);
        message.bytes(8, template.idBytes(), 0, template.idBytes().length);
        message.number(9, template.version());
        message.text(10, template.language());
        message.number(11, catalogue.revision());
        message.text(12, event.channel);
        message.text(13, event.address());
        message.time(17, now);
        message.bytes(18, event.value, event.ctxOffset, event.ctxLength);
        RecordMetadata metadata = context.recordMetadata().orElseThrow();
        kind.begin(512);
        kind.text(1, metadata.topic());
        kind.number(2, metadata.partition());
        kind.number(3, metadata.offset());
        kind.time(4, timestamp);
        message.message(19, kind);
        return message.take();
    }

    private byte[] fact(Event event, Template winner, Template[] candidates, long now) throws IOException {
        message.begin(1024 + 3 * event.value.length + 300 * candidates.length);
        message.text(1, event.id);
        message.number(2, 1);
        message.time(3, now);
        message.text(4, event.type);
        message.text(5, event.externalId);
        message.text(6, event.tenant);
        message.number(7, LANE_RT);
        kind.begin(512 + 300 * candidates.length);
        if (winner == null) {
            kind.text(1, "no_template");
            message.message(12, kind);
            return message.take();
        }
        kind.bytes(1, winner.idBytes(), 0, winner.idBytes().length);
        kind.number(2, winner.version());
        kind.text(3, event.channel);
        kind.number(4, catalogue.revision());
        for (Template candidate : candidates) {
            if (candidate != winner) {
                inner.begin(300);
                inner.bytes(1, candidate.idBytes(), 0, candidate.idBytes().length);
                inner.number(2, LOST_LANGUAGE);
                kind.message(5, inner);
            }
        }
        message.message(11, kind);
        return message.take();
    }
}
