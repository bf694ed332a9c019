# The vocabulary of commands; CI runs `.ci/run`, which is made of the same.

# Format everything.
fmt:
    cargo fmt --all

# What must be clean before a commit.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# All tests on the embedded broker.
test *args:
    ./test {{args}}

# All that must hold, on both brokers.
test-slow:
    .ci/run

# Apache Kafka on this machine; prints its address.
up:
    cargo xtask kafka up

# And gone again, with its data.
down:
    cargo xtask kafka down

# Measurements on Apache Kafka, such as `just bench drain --streams tuned`; see docs/PERFORMANCE.md.
bench *args:
    cargo run --release -p xtask -- bench {{args}}
