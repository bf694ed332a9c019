package io.bindery.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;

/** What binding needs of one event; {@code ctx} stays where it was read. */
final class Event {
    private static final JsonFactory JSON = new JsonFactory();

    String id;
    String type;
    String channel;
    String email;
    String mobilePhone;
    String registrationToken;
    String externalId;
    String origin;
    String tenant;
    String language;
    byte[] value;
    int ctxOffset;
    int ctxLength;

    /** Reads JSON where the value starts with a brace, else protobuf. */
    static Event read(byte[] value) throws IOException {
        Event event = new Event();
        event.value = value;
        if (value.length > 0 && value[0] == '{') {
            event.readJson();
        } else {
            event.readProtobuf();
        }
        return event;
    }

    /** The address of the channel, as Bindery chooses it. */
    String address() {
        return switch (channel) {
            case "email" -> email;
            case "sms", "whatsapp", "voice" -> mobilePhone;
            case "ios", "android", "webpush", "line" -> registrationToken;
            default -> externalId;
        };
    }

    private void readProtobuf() throws IOException {
        CodedInputStream in = CodedInputStream.newInstance(value);
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            switch (WireFormat.getTagFieldNumber(tag)) {
                case 1 -> id = in.readStringRequireUtf8();
                case 2 -> type = in.readStringRequireUtf8();
                case 3 -> channel = in.readStringRequireUtf8();
                case 4 -> email = in.readStringRequireUtf8();
                case 5 -> mobilePhone = in.readStringRequireUtf8();
                case 6 -> registrationToken = in.readStringRequireUtf8();
                case 8 -> externalId = in.readStringRequireUtf8();
                case 9 -> origin = in.readStringRequireUtf8();
                case 10 -> tenant = in.readStringRequireUtf8();
                case 11 -> language = in.readStringRequireUtf8();
                case 17 -> {
                    ctxLength = in.readRawVarint32();
                    ctxOffset = in.getTotalBytesRead();
                    in.skipRawBytes(ctxLength);
                }
                default -> in.skipField(tag);
            }
        }
    }

    private void readJson() throws IOException {
        try (JsonParser in = JSON.createParser(value)) {
            in.nextToken();
            for (String name = in.nextFieldName(); name != null; name = in.nextFieldName()) {
                switch (name) {
                    case "id" -> id = in.nextTextValue();
                    case "type" -> type = in.nextTextValue();
                    case "channel" -> channel = in.nextTextValue();
                    case "email" -> email = in.nextTextValue();
                    case "mobilePhone" -> mobilePhone = in.nextTextValue();
                    case "registrationToken" -> registrationToken = in.nextTextValue();
                    case "externalId" -> externalId = in.nextTextValue();
                    case "origin" -> origin = in.nextTextValue();
                    case "tenant" -> tenant = in.nextTextValue();
                    case "language" -> language = in.nextTextValue();
                    case "ctx" -> {
                        in.nextToken();
                        ctxOffset = (int) in.currentTokenLocation().getByteOffset();
                        in.skipChildren();
                        ctxLength = (int) in.currentLocation().getByteOffset() - ctxOffset;
                    }
                    default -> {
                        in.nextToken();
                        in.skipChildren();
                    }
                }
            }
            if (in.currentToken() != JsonToken.END_OBJECT) {
                throw new IOException("not an object");
            }
        }
    }
}
