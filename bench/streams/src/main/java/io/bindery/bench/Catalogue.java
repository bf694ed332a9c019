package io.bindery.bench;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** All templates on the heap, by event type and channel; the thread of the global store keeps it up to date. */
final class Catalogue {
    /** A template as binding sees it. */
    record Template(String id, byte[] idBytes, String eventType, String channel, String language, int version) {}

    static final String STORE = "templates";

    private final ConcurrentHashMap<String, Template[]> byTypeAndChannel = new ConcurrentHashMap<>();
    private volatile long revision;

    /** Every template of an event type and channel; none: an empty array. */
    Template[] candidates(String eventType, String channel) {
        Template[] candidates = byTypeAndChannel.get(eventType + '|' + channel);
        return candidates == null ? NONE : candidates;
    }

    /** The offset after the last record read. */
    long revision() {
        return revision;
    }

    private static final Template[] NONE = new Template[0];

    private void put(Template template) {
        byTypeAndChannel.merge(template.eventType + '|' + template.channel, new Template[] {template}, (old, one) -> {
            for (int i = 0; i < old.length; i++) {
                if (old[i].id.equals(template.id)) {
                    Template[] replaced = old.clone();
                    replaced[i] = template;
                    return replaced;
                }
            }
            Template[] longer = Arrays.copyOf(old, old.length + 1);
            longer[old.length] = template;
            return longer;
        });
    }

    private static Template read(byte[] value) throws IOException {
        String id = "";
        String eventType = "";
        String channel = "";
        String language = "";
        int version = 0;
        CodedInputStream in = CodedInputStream.newInstance(value);
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            switch (WireFormat.getTagFieldNumber(tag)) {
                case 1 -> id = in.readStringRequireUtf8();
                case 2 -> eventType = in.readStringRequireUtf8();
                case 3 -> channel = in.readStringRequireUtf8();
                case 4 -> language = in.readStringRequireUtf8();
                case 7 -> version = in.readUInt32();
                default -> in.skipField(tag);
            }
        }
        return new Template(id, id.getBytes(StandardCharsets.UTF_8), eventType, channel, language, version);
    }

    /** Takes in the records of {@code message-template}, also while they are restored. */
    static final class Loader implements Processor<String, byte[], Void, Void> {
        private final Catalogue catalogue;
        private KeyValueStore<String, byte[]> store;
        private ProcessorContext<Void, Void> context;

        Loader(Catalogue catalogue) {
            this.catalogue = catalogue;
        }

        @Override
        public void init(ProcessorContext<Void, Void> context) {
            this.context = context;
            store = context.getStateStore(STORE);
        }

        @Override
        public void process(Record<String, byte[]> record) {
            store.put(record.key(), record.value());
            try {
                if (record.value() != null) {
                    catalogue.put(read(record.value()));
                }
            } catch (IOException malformed) {
                throw new UncheckedIOException("template `" + record.key() + "` is malformed", malformed);
            }
            context.recordMetadata().ifPresent(metadata -> catalogue.revision = metadata.offset() + 1);
        }
    }
}
