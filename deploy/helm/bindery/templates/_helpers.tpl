{{/* The release in names: at most 40 characters, so that the longest object's name fits in 63. */}}
{{- define "bindery.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What never changes over an object's life: selectors. Takes {root, component}. */}}
{{- define "bindery.selector" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{/* Labels of any object. Takes {root, component}. */}}
{{- define "bindery.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{ include "bindery.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: bindery
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "bindery.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository (default .Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "bindery.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "bindery.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "bindery.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "bindery.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Every topic as it is to be, by its key: files/topics.json, topicDefaults, topics. */}}
{{- define "bindery.topics" -}}
{{- $defaults := .Values.topicDefaults -}}
{{- $topics := .Files.Get "files/topics.json" | fromJson -}}
{{- range $key, $change := .Values.topics -}}
{{- if not (hasKey $topics $key) -}}
{{- fail (printf "topics: there is no topic `%s`; there are %s" $key (keys $topics | sortAlpha | join ", ")) -}}
{{- end -}}
{{- end -}}
{{- range $key, $topic := $topics -}}
{{- if ne (int $defaults.replication) -1 -}}
{{- $_ := set $topic "replication" (int $defaults.replication) -}}
{{- end -}}
{{- $_ := set $topic "config" (merge (dict) $defaults.config $topic.config) -}}
{{- $_ := set $topics $key (mergeOverwrite $topic (deepCopy (get $.Values.topics $key | default dict))) -}}
{{- end -}}
{{- if ne (int $topics.event_journal.partitions) (int $topics.event_status.partitions) -}}
{{- fail "topics: event_journal and event_status have to have the same number of partitions" -}}
{{- end -}}
{{- $topics | toJson -}}
{{- end -}}

{{/*
A map as TOML: what is single first, then the tables. Takes {path, map}. Helm's own `toToml` would write
every whole number as a float, which the services refuse.
*/}}
{{- define "bindery.toml" -}}
{{- $path := .path -}}
{{- $map := .map -}}
{{- range $key := keys $map | sortAlpha -}}
{{- $value := get $map $key -}}
{{- if and (kindIs "float64" $value) (eq (float64 (int64 $value)) $value) }}
{{ include "bindery.tomlKey" $key }} = {{ int64 $value }}
{{- else if not (kindIs "map" $value) }}
{{ include "bindery.tomlKey" $key }} = {{ toJson $value }}
{{- end }}
{{- end }}
{{- range $key := keys $map | sortAlpha -}}
{{- $value := get $map $key -}}
{{- if and (kindIs "map" $value) $value }}
{{- $inner := append $path (include "bindery.tomlKey" $key) }}
[{{ join "." $inner }}]
{{- include "bindery.toml" (dict "path" $inner "map" $value) }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "bindery.tomlKey" -}}
{{- if regexMatch "^[A-Za-z0-9_-]+$" . -}}{{ . }}{{- else -}}{{ toJson . }}{{- end -}}
{{- end -}}

{{/* What is the same for every client: the sections `kafka` and `topics`. */}}
{{- define "bindery.clusterConfig" -}}
{{- $bootstrap := required "kafka.bootstrapServers is required: host:port of one or more brokers" .Values.kafka.bootstrapServers -}}
{{- $properties := deepCopy .Values.kafka.properties -}}
{{- if .Values.strimzi.users.enabled -}}
{{- $tls := dict
    "security.protocol" "ssl"
    "ssl.ca.location" "/etc/bindery/cluster-ca/ca.crt"
    "ssl.certificate.location" "/etc/bindery/tls/user.crt"
    "ssl.key.location" "/etc/bindery/tls/user.key" -}}
{{- $properties = merge $properties $tls -}}
{{- end -}}
{{- $kafka := dict "bootstrap_servers" $bootstrap "properties" $properties -}}
{{- dict "kafka" $kafka "topics" (include "bindery.topics" . | fromJson) | toJson -}}
{{- end -}}

{{/* Environment variables with the secrets of the Kafka client. */}}
{{- define "bindery.secretEnv" -}}
{{- $secret := .Values.kafka.existingSecret -}}
{{- range $property, $key := .Values.kafka.secretProperties }}
- name: BINDERY_KAFKA__PROPERTIES__{{ $property | upper | replace "." "_" }}
  valueFrom:
    secretKeyRef:
      name: {{ required "kafka.existingSecret is required by kafka.secretProperties" $secret }}
      key: {{ $key }}
{{- end }}
{{- end -}}

{{/* Volumes and mounts of certificates. Takes {root, user}: the KafkaUser's name. */}}
{{- define "bindery.tlsVolumes" -}}
{{- $root := .root -}}
{{- if $root.Values.strimzi.users.enabled }}
- name: tls
  secret:
    secretName: {{ .user }}
    items:
      - {key: user.crt, path: user.crt}
      - {key: user.key, path: user.key}
- name: cluster-ca
  secret:
    secretName: {{ required "strimzi.cluster is required by strimzi.users" $root.Values.strimzi.cluster }}-cluster-ca-cert
    items:
      - {key: ca.crt, path: ca.crt}
{{- else if $root.Values.kafka.tlsSecret }}
- name: tls
  secret:
    secretName: {{ $root.Values.kafka.tlsSecret }}
{{- end }}
{{- end -}}

{{- define "bindery.tlsMounts" -}}
{{- if or .Values.strimzi.users.enabled .Values.kafka.tlsSecret }}
- {name: tls, mountPath: /etc/bindery/tls, readOnly: true}
{{- end }}
{{- if .Values.strimzi.users.enabled }}
- {name: cluster-ca, mountPath: /etc/bindery/cluster-ca, readOnly: true}
{{- end }}
{{- end -}}

{{/*
What one service is, as JSON: its settings, the groups whose lag counts and the topics they read. Takes
{root, name}.
*/}}
{{- define "bindery.service" -}}
{{- $root := .root -}}
{{- $own := get $root.Values.services .name -}}
{{- $topics := include "bindery.topics" $root | fromJson -}}
{{- $config := mergeOverwrite (dict) (deepCopy $root.Values.config) (deepCopy $own.config) -}}
{{- $group := default .name $config.group -}}
{{- $reads := list -}}
{{- if eq .name "status-sync" -}}
{{- $_ := set $config "collect_lanes" $own.lanes.collect -}}
{{- $_ := set $config "fold_lanes" $own.lanes.fold -}}
{{- $_ := set $config "announce_lanes" $own.lanes.announce -}}
{{- $_ := set $config "state_directory" "/var/lib/bindery" -}}
{{- $reads = list
    (dict "group" (printf "%s-collect" $group) "topic" $topics.delivery_log "lanes" $own.lanes.collect)
    (dict "group" (printf "%s-fold" $group) "topic" $topics.event_journal "lanes" $own.lanes.fold) -}}
{{- else -}}
{{- $_ := set $config "lanes" $own.lanes -}}
{{- $intake := ternary $topics.rt_event $topics.batch_event (eq .name "rt-event-consumer") -}}
{{- $reads = list (dict "group" $group "topic" $intake "lanes" $own.lanes) -}}
{{- end -}}
{{- $_ := set $config "health" (dict "listen" (printf "0.0.0.0:%d" (int $root.Values.healthPort))) -}}
{{- $most := ternary $own.autoscaling.maxReplicas $own.replicas $own.autoscaling.enabled -}}
{{- range $reads -}}
{{- if gt (mul (int $most) (int .lanes)) (int .topic.partitions) -}}
{{- fail (printf "services.%s: %d pods with %d lanes each are more than the %d partitions of %s: the rest would idle" $.name (int $most) (int .lanes) (int .topic.partitions) .topic.name) -}}
{{- end -}}
{{- end -}}
{{- $drain := dig "shutdown" "drain_seconds" 30 $config -}}
{{- if le (int $root.Values.defaults.terminationGracePeriodSeconds) (int $drain) -}}
{{- fail (printf "defaults.terminationGracePeriodSeconds (%d) has to be longer than shutdown.drain_seconds (%d) of %s" (int $root.Values.defaults.terminationGracePeriodSeconds) (int $drain) .name) -}}
{{- end -}}
{{- dict "config" $config "group" $group "reads" $reads | toJson -}}
{{- end -}}
