# syntax=docker/dockerfile:1

# One image for everything that runs: which binary is up to whoever starts it.
#
#   docker build --build-arg REVISION="$(git rev-parse HEAD)" --tag bindery .
#   docker run --rm bindery rt-event-consumer --help

# The version that rust-toolchain.toml names; that file stays outside, or rustup would download it again.
FROM rust:1.95.0-bookworm AS build
ENV CARGO_TERM_COLOR=never CARGO_INCREMENTAL=0
WORKDIR /src
COPY . .
# Both caches outlive a change of the sources: only what changed is compiled again. What is in them is
# not in the layer, hence the install out of them in the same step.
RUN --mount=type=cache,id=bindery-registry,target=/usr/local/cargo/registry \
    --mount=type=cache,id=bindery-target,target=/src/target \
    cargo build --release --locked \
        --bin rt-event-consumer --bin batch-event-consumer --bin status-sync --bin bindery \
        --bin delivery-service \
    && install -D --strip --target-directory=/out \
        target/release/rt-event-consumer target/release/batch-event-consumer \
        target/release/status-sync target/release/bindery target/release/delivery-service

FROM debian:bookworm-slim
# Without a pin: a rebuild is how security updates of these two come in.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libssl3 \
    && rm -rf /var/lib/apt/lists/* \
    && install --directory --owner=65532 --group=65532 /var/lib/bindery
COPY --from=build /out/ /usr/local/bin/
COPY examples/templates/ /usr/share/bindery/templates/
COPY LICENSE /usr/share/doc/bindery/LICENSE

ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="bindery" \
      org.opencontainers.image.description="Binds business events to message templates, exactly once, on Apache Kafka." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# A number, so that an orchestrator can see that it is not root.
USER 65532:65532
WORKDIR /var/empty
# Every binary drains on SIGTERM in bounded time.
STOPSIGNAL SIGTERM
CMD ["bindery", "--help"]
