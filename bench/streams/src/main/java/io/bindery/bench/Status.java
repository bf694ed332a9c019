package io.bindery.bench;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** What the facts of one event come to; as bytes it is an {@code EventStatus}. */
final class Status {
    private static final int PENDING = 1;
    private static final int PENDING_DELIVERY = 3;
    private static final int NOT_SUPPORTED = 6;
    private static final int IGNORED = 7;
    private static final int SENT = 8;
    private static final int DELIVERY_ERROR = 9;
    /** By the numbers of the statuses; of two facts the one that weighs more is true. */
    private static final int[] RANK = {0, 1, 2, 3, 4, 4, 4, 6, 7, 8};

    private String eventId = "";
    private int status;
    private int attempt;
    private String reason = "";
    private String templateId = "";
    private int version;
    private String channel = "";
    private boolean assigned;
    private int lane;
    private String tenant = "";
    private String externalId = "";
    private String eventType = "";
    private long occurredAt;
    private boolean orphan = true;

    static Serde<Status> serde() {
        ThreadLocal<Message> messages = ThreadLocal.withInitial(Message::new);
        return Serdes.serdeFrom((topic, status) -> status == null ? null : status.write(messages.get()),
                (topic, bytes) -> bytes == null ? null : read(bytes));
    }

    /** Adds one fact. */
    Status apply(byte[] fact) {
        try {
            applyFact(fact);
            return this;
        } catch (IOException malformed) {
            throw new UncheckedIOException(malformed);
        }
    }

    private void applyFact(byte[] fact) throws IOException {
        int factAttempt = 0;
        int factStatus = 0;
        int kind = 0;
        long factOccurredAt = 0;
        CodedInputStream in = CodedInputStream.newInstance(fact);
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            int field = WireFormat.getTagFieldNumber(tag);
            switch (field) {
                case 1 -> eventId = in.readStringRequireUtf8();
                case 2 -> factAttempt = in.readUInt32();
                case 3 -> factOccurredAt = time(in);
                case 4 -> eventType = greater(eventType, in.readStringRequireUtf8());
                case 5 -> externalId = greater(externalId, in.readStringRequireUtf8());
                case 6 -> tenant = greater(tenant, in.readStringRequireUtf8());
                case 7 -> lane = Math.max(lane, in.readEnum());
                case 10, 11, 12, 19 -> {
                    kind = field;
                    int limit = in.pushLimit(in.readRawVarint32());
                    factStatus = status(kind, in);
                    in.popLimit(limit);
                }
                default -> in.skipField(tag);
            }
        }
        orphan &= kind == 19;
        if (weighsMore(factAttempt, factStatus, factOccurredAt)) {
            assigned &= attempt == factAttempt;
            attempt = factAttempt;
            status = factStatus;
            occurredAt = factOccurredAt;
        }
        assigned |= attempt == factAttempt && (kind == 11 || kind == 19);
    }

    private boolean weighsMore(int factAttempt, int factStatus, long factOccurredAt) {
        if (factAttempt != attempt) {
            return factAttempt > attempt;
        }
        if (RANK[factStatus] != RANK[status]) {
            return RANK[factStatus] > RANK[status];
        }
        return factOccurredAt > occurredAt;
    }

    private int status(int kind, CodedInputStream in) throws IOException {
        int outcome = 0;
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            int field = WireFormat.getTagFieldNumber(tag);
            if (kind == 11 && field == 1) {
                templateId = in.readStringRequireUtf8();
            } else if (kind == 11 && field == 2) {
                version = in.readUInt32();
            } else if (kind == 11 && field == 3) {
                channel = in.readStringRequireUtf8();
            } else if (kind == 19 && field == 1) {
                outcome = in.readEnum();
            } else {
                in.skipField(tag);
            }
        }
        return switch (kind) {
            case 10 -> PENDING;
            case 11 -> PENDING_DELIVERY;
            case 12 -> NOT_SUPPORTED;
            default -> switch (outcome) {
                case 3, 4 -> SENT;
                case 5 -> IGNORED;
                case 6, 7 -> DELIVERY_ERROR;
                default -> PENDING_DELIVERY;
            };
        };
    }

    private byte[] write(Message message) {
        try {
            message.begin(1024 + 3 * (eventId.length() * 2 + externalId.length() + eventType.length()
                    + templateId.length() + tenant.length()));
            message.text(1, eventId);
            message.number(2, status);
            message.number(3, attempt);
            message.text(4, reason);
            message.text(5, templateId);
            message.number(6, version);
            message.text(7, channel);
            message.text(8, assigned ? eventId + ':' + attempt : "");
            message.number(9, lane);
            message.text(10, tenant);
            message.text(11, externalId);
            message.text(12, eventType);
            message.time(13, occurredAt);
            message.number(14, orphan ? 1 : 0);
            return message.take();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private static Status read(byte[] bytes) {
        Status status = new Status();
        status.orphan = false;
        try {
            CodedInputStream in = CodedInputStream.newInstance(bytes);
            for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
                status.readField(tag, in);
            }
        } catch (IOException malformed) {
            throw new UncheckedIOException(malformed);
        }
        return status;
    }

    private void readField(int tag, CodedInputStream in) throws IOException {
        switch (WireFormat.getTagFieldNumber(tag)) {
            case 1 -> eventId = in.readStringRequireUtf8();
            case 2 -> status = in.readEnum();
            case 3 -> attempt = in.readUInt32();
            case 4 -> reason = in.readStringRequireUtf8();
            case 5 -> templateId = in.readStringRequireUtf8();
            case 6 -> version = in.readUInt32();
            case 7 -> channel = in.readStringRequireUtf8();
            case 8 -> {
                assigned = true;
                in.skipField(tag);
            }
            case 9 -> lane = in.readEnum();
            case 10 -> tenant = in.readStringRequireUtf8();
            case 11 -> externalId = in.readStringRequireUtf8();
            case 12 -> eventType = in.readStringRequireUtf8();
            case 13 -> occurredAt = time(in);
            case 14 -> orphan = in.readBool();
            default -> in.skipField(tag);
        }
    }

    private static long time(CodedInputStream in) throws IOException {
        long ms = 0;
        int limit = in.pushLimit(in.readRawVarint32());
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            switch (WireFormat.getTagFieldNumber(tag)) {
                case 1 -> ms += in.readInt64() * 1000;
                case 2 -> ms += in.readInt32() / 1_000_000;
                default -> in.skipField(tag);
            }
        }
        in.popLimit(limit);
        return ms;
    }

    private static String greater(String present, String other) {
        return present.compareTo(other) >= 0 ? present : other;
    }
}
