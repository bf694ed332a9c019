package io.bindery.bench;

import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.header.internals.RecordHeaders;

/** The headers that Bindery writes: CloudEvents in binary mode. */
final class Outgoing {
    private static final Header CONTENT_TYPE = header("content-type", "application/protobuf");
    private static final Header SPEC_VERSION = header("ce_specversion", "1.0");

    private final Header source;
    private final Header kind;

    Outgoing(String source, String kind) {
        this.source = header("ce_source", source);
        this.kind = header("ce_type", kind);
    }

    Headers of(String id) {
        return new RecordHeaders(new Header[] {CONTENT_TYPE, SPEC_VERSION, header("ce_id", id), source, kind});
    }

    private static Header header(String name, String value) {
        return new RecordHeader(name, value.getBytes(StandardCharsets.UTF_8));
    }
}
