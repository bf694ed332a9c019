#!/bin/sh
# From the root of the repository. Needs Java 17 or later and Maven.
set -e
mvn -q -B -f tests/clients/java compile
