#!/bin/sh
# From the root of the repository. Needs Go 1.26 or later, and Debian's packages `protobuf-compiler`
# and `libprotobuf-dev`.
set -e
mkdir -p target/clients/go
cp -R tests/clients/go/* target/clients/go/
(cd target/clients/go && go build -o bin/ google.golang.org/protobuf/cmd/protoc-gen-go)
(cd proto && PATH=../target/clients/go/bin:$PATH \
    protoc --go_out=../target/clients/go bindery/v1/*.proto)
(cd target/clients/go && go build -o bin/ ./order-events ./order-mails)
