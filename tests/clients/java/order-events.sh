#!/bin/sh
# Flags for a quick start and few words.
exec java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
    -cp 'target/clients/java/classes:target/clients/java/libs/*' OrderEvents
