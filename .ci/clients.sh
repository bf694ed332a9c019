# shellcheck shell=bash
# Sourced by .ci/run: producers and delivery services in other languages, the examples of the guides, and
# the AsyncAPI document. Uses `step`, `need_packages`, `need_go` and $target of .ci/run.

# need_clients: what the scripts `tests/clients/*/install.sh` want to find.
need_clients() {
    local missing=()
    command -v kcat >/dev/null || missing+=(kcat)
    command -v jq >/dev/null || missing+=(jq)
    command -v protoc >/dev/null || missing+=(protobuf-compiler)
    [ -e /usr/include/google/protobuf/timestamp.proto ] || missing+=(libprotobuf-dev)
    python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
    command -v npm >/dev/null || missing+=(nodejs npm)
    command -v javac >/dev/null || missing+=(default-jdk-headless)
    command -v mvn >/dev/null || missing+=(maven)
    { [ ${#missing[@]} -eq 0 ] || need_packages "${missing[@]}"; } && need_go
}

# shellcheck disable=SC2317 # called through `step`
clients_on_embedded() { cargo xtask clients; }
# shellcheck disable=SC2317
clients_on() { cargo xtask clients --installed --bootstrap-servers "$1"; }

# shellcheck disable=SC2317
asyncapi_valid() {
    mkdir -p "$target/asyncapi" && cp -R tests/asyncapi/. "$target/asyncapi" \
        && npm ci --prefix "$target/asyncapi" --ignore-scripts --silent --no-audit --no-fund \
        && node "$target/asyncapi/check.js" docs/asyncapi.yaml
}

clients_steps() {
    if ! need_clients; then
        step "clients on the embedded broker" false
        return
    fi
    step "AsyncAPI document" asyncapi_valid
    step "clients on the embedded broker" clients_on_embedded
}
