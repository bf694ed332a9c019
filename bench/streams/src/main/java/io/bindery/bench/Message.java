package io.bindery.bench;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.util.Arrays;

/** One protobuf message, written into a buffer that is used again for the next. */
final class Message {
    private byte[] buffer = new byte[4096];
    private CodedOutputStream out;

    /** Starts a new message of at most so many bytes. */
    Message begin(int bytesMax) {
        if (buffer.length < bytesMax) {
            buffer = new byte[2 * bytesMax];
        }
        out = CodedOutputStream.newInstance(buffer);
        return this;
    }

    /** What was written. */
    byte[] take() {
        return Arrays.copyOf(buffer, out.getTotalBytesWritten());
    }

    void text(int field, String text) throws IOException {
        if (text != null && !text.isEmpty()) {
            out.writeString(field, text);
        }
    }

    void number(int field, long number) throws IOException {
        if (number != 0) {
            out.writeUInt64(field, number);
        }
    }

    void bytes(int field, byte[] bytes, int offset, int length) throws IOException {
        if (length > 0) {
            out.writeTag(field, WireFormat.WIRETYPE_LENGTH_DELIMITED);
            out.writeUInt32NoTag(length);
            out.write(bytes, offset, length);
        }
    }

    void message(int field, Message inner) throws IOException {
        out.writeTag(field, WireFormat.WIRETYPE_LENGTH_DELIMITED);
        out.writeUInt32NoTag(inner.out.getTotalBytesWritten());
        out.write(inner.buffer, 0, inner.out.getTotalBytesWritten());
    }

    /** A {@code google.protobuf.Timestamp}. */
    void time(int field, long ms) throws IOException {
        long seconds = Math.floorDiv(ms, 1000L);
        int nanos = (int) Math.floorMod(ms, 1000L) * 1_000_000;
        int length = CodedOutputStream.computeInt64Size(1, seconds);
        length += nanos == 0 ? 0 : CodedOutputStream.computeInt32Size(2, nanos);
        out.writeTag(field, WireFormat.WIRETYPE_LENGTH_DELIMITED);
        out.writeUInt32NoTag(length);
        out.writeInt64(1, seconds);
        if (nanos != 0) {
            out.writeInt32(2, nanos);
        }
    }
}
