{{- define "ack-upgrade-exporter.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Short enough that the ordinal of a pod and the suffix of a dashboard still fit into 63 characters. A service's name begins with a letter. */}}
{{- define "ack-upgrade-exporter.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if regexMatch "^[0-9]" .Release.Name -}}
{{- printf "%s-%s" .Chart.Name .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "ack-upgrade-exporter.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{- define "ack-upgrade-exporter.selectorLabels" -}}
app.kubernetes.io/name: {{ include "ack-upgrade-exporter.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/* By these a ServiceMonitor selects the service, and not the headless one. */}}
{{- define "ack-upgrade-exporter.serviceLabels" -}}
{{ include "ack-upgrade-exporter.selectorLabels" . }}
app.kubernetes.io/component: exporter
{{- end -}}

{{/* Labels as YAML: those of the chart win over those of the user, as selectors rely on them. */}}
{{- define "ack-upgrade-exporter.labels" -}}
{{- $labels := include "ack-upgrade-exporter.selectorLabels" . | fromYaml -}}
{{- $_ := set $labels "app.kubernetes.io/version" (.Chart.AppVersion | toString) -}}
{{- $_ := set $labels "app.kubernetes.io/component" "exporter" -}}
{{- $_ := set $labels "app.kubernetes.io/part-of" "ack-upgrade-exporter" -}}
{{- $_ := set $labels "app.kubernetes.io/managed-by" .Release.Service -}}
{{- $_ := set $labels "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") -}}
{{- if .Values.releaseLabel -}}
{{- $_ := set $labels "release" .Release.Name -}}
{{- end -}}
{{- merge $labels .Values.commonLabels | toYaml -}}
{{- end -}}

{{- define "ack-upgrade-exporter.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "ack-upgrade-exporter.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "ack-upgrade-exporter.image" -}}
{{- $registry := default .Values.image.registry .Values.global.imageRegistry -}}
{{- $repository := .Values.image.repository -}}
{{- if $registry -}}
{{- $repository = printf "%s/%s" (trimSuffix "/" $registry) $repository -}}
{{- end -}}
{{- if .Values.image.digest -}}
{{- with .Values.image.tag -}}
{{- $repository = printf "%s:%s" $repository . -}}
{{- end -}}
{{- printf "%s@%s" $repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* The file name of the configuration inside its volume. */}}
{{- define "ack-upgrade-exporter.configKey" -}}
{{- if .Values.configExistingSecret.name -}}
{{- .Values.configExistingSecret.key -}}
{{- else if .Values.configExistingConfigMap.name -}}
{{- .Values.configExistingConfigMap.key -}}
{{- else -}}
config.yaml
{{- end -}}
{{- end -}}

{{/* Whether the chart writes the configuration itself. */}}
{{- define "ack-upgrade-exporter.ownConfig" -}}
{{- if not (or .Values.configExistingSecret.name .Values.configExistingConfigMap.name) -}}true{{- end -}}
{{- end -}}

{{/* "/path" as a client has to ask for it: (list $ "/path"). */}}
{{- define "ack-upgrade-exporter.path" -}}
{{- $root := index . 0 -}}
{{- printf "%s%s" (trimSuffix "/" $root.Values.web.routePrefix) (index . 1) -}}
{{- end -}}

{{/* Relabelings as YAML, each with its action: what the API server fills in would be a difference to whoever compares. */}}
{{- define "ack-upgrade-exporter.relabelings" -}}
{{- $steps := list -}}
{{- range . -}}
{{- $steps = append $steps (merge (dict) . (dict "action" "replace")) -}}
{{- end -}}
{{- toYaml $steps -}}
{{- end -}}

{{- define "ack-upgrade-exporter.scheme" -}}
{{- ternary "https" "http" .Values.web.tls -}}
{{- end -}}

{{/* A probe of the kubelet: (list $ $probe "/-/healthy"). */}}
{{- define "ack-upgrade-exporter.probe" -}}
{{- $root := index . 0 -}}
{{- $probe := deepCopy (index . 1) -}}
{{- if not (or $probe.httpGet $probe.tcpSocket $probe.exec $probe.grpc) -}}
{{- $path := include "ack-upgrade-exporter.path" (list $root (index . 2)) -}}
{{- $scheme := include "ack-upgrade-exporter.scheme" $root | upper -}}
{{- $_ := set $probe "httpGet" (dict "path" $path "port" "http" "scheme" $scheme) -}}
{{- end -}}
{{- toYaml $probe -}}
{{- end -}}

{{/* The service that gives each pod of a StatefulSet a name. Not the other one made headless: a service cannot become so. */}}
{{- define "ack-upgrade-exporter.headless" -}}
{{- printf "%s-headless" (include "ack-upgrade-exporter.fullname" .) -}}
{{- end -}}

{{/* A duration such as 1m30s in milliseconds. */}}
{{- define "ack-upgrade-exporter.milliseconds" -}}
{{- $units := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 "d" 86400000 "w" 604800000 -}}
{{- $sum := 0 -}}
{{- range regexFindAll "[0-9]+(ms|[smhdw])" . -1 -}}
{{- $sum = add $sum (mul (regexFind "[0-9]+" . | int64) (get $units (regexFind "[a-z]+" .))) -}}
{{- end -}}
{{- $sum -}}
{{- end -}}

{{/* Refuses values that each pass the schema but do not go together. */}}
{{- define "ack-upgrade-exporter.check" -}}
{{- $v := .Values -}}
{{- if and $v.configExistingSecret.name $v.configExistingConfigMap.name -}}
{{- fail "configExistingSecret and configExistingConfigMap exclude each other" -}}
{{- end -}}
{{- if and (include "ack-upgrade-exporter.ownConfig" .) (not (dig "accounts" "" (default dict $v.config))) -}}
{{- fail "there is no account to watch: set config.accounts, configExistingSecret.name or configExistingConfigMap.name" -}}
{{- end -}}
{{- if and (not (include "ack-upgrade-exporter.ownConfig" .)) $v.config -}}
{{- fail "config would be ignored beside configExistingSecret or configExistingConfigMap: drop one of them (config: null, as {} does not clear the config of another values file)" -}}
{{- end -}}
{{- if and (eq $v.kind "Deployment") (gt (int $v.shards) 1) -}}
{{- fail "shards needs kind: StatefulSet, whose ordinals are the shards" -}}
{{- end -}}
{{- if and (eq $v.kind "StatefulSet") (gt (int $v.replicas) 1) -}}
{{- fail "a StatefulSet takes its number of pods from shards: leave replicas at 1" -}}
{{- end -}}
{{- if gt (int $v.shards) 1 -}}
{{- range $part := list "probe" "ingress" "route" -}}
{{- if (index $v $part).enabled -}}
{{- fail (printf "%s goes to one pod, and a shard knows its own clusters only: use it without shards" $part) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $scrapes := list -}}
{{- range $part := list "serviceMonitor" "probe" "scrapeConfig" "podMonitoring" -}}
{{- if (index $v $part).enabled -}}
{{- $scrapes = append $scrapes $part -}}
{{- end -}}
{{- end -}}
{{- if gt (len $scrapes) 1 -}}
{{- fail (printf "%s each query the same clusters, so that every alert would fire twice: enable one of them. Beside probe or scrapeConfig, selfMonitor scrapes the exporter's own metrics" (join " and " $scrapes)) -}}
{{- end -}}
{{- range $part := list "serviceMonitor" "probe" "scrapeConfig" "selfMonitor" "podMonitoring" -}}
{{- $scrape := index $v $part -}}
{{- if gt (include "ack-upgrade-exporter.milliseconds" $scrape.scrapeTimeout | int64) (include "ack-upgrade-exporter.milliseconds" $scrape.interval | int64) -}}
{{- fail (printf "%s.scrapeTimeout %s is longer than its interval %s" $part $scrape.scrapeTimeout $scrape.interval) -}}
{{- end -}}
{{- end -}}
{{- if and $v.podMonitoring.enabled (eq (include "ack-upgrade-exporter.clusterLabel" .) "cluster") -}}
{{- fail "podMonitoring: Google's collector sets a label cluster of its own: name another one in config.metrics.cluster_label, or in clusterLabel if the configuration is not the chart's" -}}
{{- end -}}
{{- if $v.rrsa.enabled -}}
{{- if and (eq $v.rrsa.mode "webhook") (not $v.rrsa.roleName) -}}
{{- fail "rrsa.mode webhook needs rrsa.roleName" -}}
{{- end -}}
{{- if and (eq $v.rrsa.mode "webhook") (not $v.serviceAccount.create) -}}
{{- fail "rrsa.mode webhook annotates the service account: set serviceAccount.create, or annotate your own and leave rrsa off" -}}
{{- end -}}
{{- if and (eq $v.rrsa.mode "projected") (not (and $v.rrsa.roleArn $v.rrsa.oidcProviderArn)) -}}
{{- fail "rrsa.mode projected needs rrsa.roleArn and rrsa.oidcProviderArn" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "ack-upgrade-exporter.ipFamilies" -}}
{{- if .Values.service.ipDualStack.enabled -}}
ipFamilies:
  {{- toYaml .Values.service.ipDualStack.ipFamilies | nindent 2 }}
ipFamilyPolicy: {{ .Values.service.ipDualStack.ipFamilyPolicy }}
{{- end -}}
{{- end -}}

{{/* The pod of either workload. */}}
{{- define "ack-upgrade-exporter.pod" -}}
{{- $labels := merge (include "ack-upgrade-exporter.labels" . | fromYaml) .Values.podLabels -}}
{{- $ownConfig := include "ack-upgrade-exporter.ownConfig" . -}}
metadata:
  {{- with .Values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  labels:
    {{- omit $labels "helm.sh/chart" | toYaml | nindent 4 }}
spec:
  serviceAccountName: {{ include "ack-upgrade-exporter.serviceAccountName" . | quote }}
  automountServiceAccountToken: {{ .Values.automountServiceAccountToken }}
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ int .Values.terminationGracePeriodSeconds }}
  {{- with .Values.podSecurityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with concat .Values.global.imagePullSecrets .Values.imagePullSecrets | uniq }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . | quote }}
  {{- end }}
  {{- with .Values.schedulerName }}
  schedulerName: {{ . | quote }}
  {{- end }}
  {{- with .Values.runtimeClassName }}
  runtimeClassName: {{ . | quote }}
  {{- end }}
  {{- if .Values.hostNetwork }}
  hostNetwork: true
  {{- end }}
  {{- if kindIs "bool" .Values.hostUsers }}
  hostUsers: {{ .Values.hostUsers }}
  {{- end }}
  {{- with default (ternary "ClusterFirstWithHostNet" "" .Values.hostNetwork) .Values.dnsPolicy }}
  dnsPolicy: {{ . }}
  {{- end }}
  {{- with .Values.dnsConfig }}
  dnsConfig:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.hostAliases }}
  hostAliases:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.extraInitContainers }}
  initContainers:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: exporter
      image: {{ include "ack-upgrade-exporter.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        - --config.file=/etc/ack-upgrade-exporter/config/{{ include "ack-upgrade-exporter.configKey" . }}
        - --config.auto-reload-interval={{ .Values.configReloadInterval }}
        {{- if eq .Values.kind "StatefulSet" }}
        - --shard.ordinal-from-hostname
        - --shard.total={{ int .Values.shards }}
        {{- end }}
        - --web.listen-address=:{{ int .Values.containerPort }}
        {{- if ne .Values.web.telemetryPath "/metrics" }}
        - --web.telemetry-path={{ .Values.web.telemetryPath }}
        {{- end }}
        {{- with .Values.web.routePrefix }}
        - --web.route-prefix={{ . }}
        {{- end }}
        {{- with .Values.web.externalUrl }}
        - --web.external-url={{ . }}
        {{- end }}
        {{- if .Values.web.enableLifecycle }}
        - --web.enable-lifecycle
        {{- end }}
        {{- if .Values.web.disableExporterMetrics }}
        - --web.disable-exporter-metrics
        {{- end }}
        {{- if ne (int .Values.web.maxRequests) 40 }}
        - --web.max-requests={{ int .Values.web.maxRequests }}
        {{- end }}
        {{- if .Values.web.configExistingSecret.name }}
        - --web.config.file=/etc/ack-upgrade-exporter/web/{{ .Values.web.configExistingSecret.key }}
        {{- end }}
        - --log.level={{ .Values.log.level }}
        - --log.format={{ .Values.log.format }}
        {{- with .Values.extraArgs }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- if or .Values.extraEnv (and .Values.rrsa.enabled (eq .Values.rrsa.mode "projected")) }}
      env:
        {{- if and .Values.rrsa.enabled (eq .Values.rrsa.mode "projected") }}
        - name: ALIBABA_CLOUD_ROLE_ARN
          value: {{ .Values.rrsa.roleArn | quote }}
        - name: ALIBABA_CLOUD_OIDC_PROVIDER_ARN
          value: {{ .Values.rrsa.oidcProviderArn | quote }}
        - name: ALIBABA_CLOUD_OIDC_TOKEN_FILE
          value: /var/run/secrets/ack.alibabacloud.com/rrsa-tokens/token
        {{- with .Values.rrsa.stsRegion }}
        - name: ALIBABA_CLOUD_STS_REGION
          value: {{ . | quote }}
        {{- end }}
        {{- end }}
        {{- with .Values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
      {{- with .Values.extraEnvFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - name: http
          containerPort: {{ int .Values.containerPort }}
          protocol: TCP
      terminationMessagePolicy: {{ .Values.terminationMessagePolicy }}
      {{- with .Values.lifecycle }}
      lifecycle:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.livenessProbe }}
      livenessProbe:
        {{- include "ack-upgrade-exporter.probe" (list $ . "/-/healthy") | nindent 8 }}
      {{- end }}
      {{- with .Values.readinessProbe }}
      readinessProbe:
        {{- include "ack-upgrade-exporter.probe" (list $ . "/-/ready") | nindent 8 }}
      {{- end }}
      {{- with .Values.startupProbe }}
      startupProbe:
        {{- include "ack-upgrade-exporter.probe" (list $ . "/-/ready") | nindent 8 }}
      {{- end }}
      {{- with .Values.resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.securityContext }}
      securityContext:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      volumeMounts:
        - name: config
          mountPath: /etc/ack-upgrade-exporter/config
          readOnly: true
        {{- if .Values.accessKey.existingSecret }}
        - name: credentials
          mountPath: /etc/ack-upgrade-exporter/credentials
          readOnly: true
        {{- end }}
        {{- if .Values.web.configExistingSecret.name }}
        - name: web-config
          mountPath: /etc/ack-upgrade-exporter/web
          readOnly: true
        {{- end }}
        {{- if and .Values.rrsa.enabled (eq .Values.rrsa.mode "projected") }}
        - name: rrsa-token
          mountPath: /var/run/secrets/ack.alibabacloud.com/rrsa-tokens
          readOnly: true
        {{- end }}
        {{- range concat .Values.extraConfigmapMounts .Values.extraSecretMounts }}
        - name: {{ .name | quote }}
          mountPath: {{ .mountPath | quote }}
          {{- with .subPath }}
          subPath: {{ . | quote }}
          {{- end }}
          readOnly: true
        {{- end }}
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    {{- with .Values.extraContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
    - name: config
      {{- if .Values.configExistingSecret.name }}
      secret:
        secretName: {{ .Values.configExistingSecret.name | quote }}
        defaultMode: 0440
      {{- else if .Values.configExistingConfigMap.name }}
      configMap:
        name: {{ .Values.configExistingConfigMap.name | quote }}
      {{- else if .Values.secretConfig }}
      secret:
        secretName: {{ include "ack-upgrade-exporter.fullname" . | quote }}
        defaultMode: 0440
      {{- else }}
      configMap:
        name: {{ include "ack-upgrade-exporter.fullname" . | quote }}
      {{- end }}
    {{- with .Values.accessKey.existingSecret }}
    - name: credentials
      secret:
        secretName: {{ . | quote }}
        defaultMode: 0440
    {{- end }}
    {{- with .Values.web.configExistingSecret.name }}
    - name: web-config
      secret:
        secretName: {{ . | quote }}
        defaultMode: 0440
    {{- end }}
    {{- if and .Values.rrsa.enabled (eq .Values.rrsa.mode "projected") }}
    - name: rrsa-token
      projected:
        defaultMode: 0440
        sources:
          - serviceAccountToken:
              audience: sts.aliyuncs.com
              expirationSeconds: {{ int .Values.rrsa.tokenExpirationSeconds }}
              path: token
    {{- end }}
    {{- range .Values.extraConfigmapMounts }}
    - name: {{ .name | quote }}
      configMap:
        name: {{ .configMap | quote }}
        {{- with .defaultMode }}
        defaultMode: {{ int . }}
        {{- end }}
    {{- end }}
    {{- range .Values.extraSecretMounts }}
    - name: {{ .name | quote }}
      secret:
        secretName: {{ .secretName | quote }}
        defaultMode: {{ int (default 288 .defaultMode) }}
    {{- end }}
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- /* The label with the cluster ID, which rules and dashboards go by. */ -}}
{{- define "ack-upgrade-exporter.clusterLabel" -}}
{{- default (dig "metrics" "cluster_label" "cluster" (default dict .Values.config)) .Values.clusterLabel -}}
{{- end }}

{{- /* Where the Chinese rules and runbooks are, below the English ones. */}}
{{- define "ack-upgrade-exporter.languageFolder" -}}
{{- if eq .Values.prometheusRule.language "zh" }}/zh-CN{{ end }}
{{- end }}
