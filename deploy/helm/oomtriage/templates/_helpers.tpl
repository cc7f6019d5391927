{{- define "oomtriage.name" -}}
{{- if eq .Release.Name .Chart.Name }}{{ .Chart.Name }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "oomtriage.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "oomtriage.labels" -}}
{{ include "oomtriage.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "oomtriage.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (include "oomtriage.name" .) }}
{{- end }}

{{/* config.yaml: yours, and what the chart decides. */}}
{{- define "oomtriage.config" -}}
{{- $config := dict "listen" "0.0.0.0:8080" }}
{{- if not .Values.secretKeys.store_url }}{{- $_ := set $config "store_url" "sqlite:////var/lib/oomtriage/state.db" }}{{- end }}
{{- range $setting, $key := .Values.secretKeys }}
{{- if $key }}{{- $_ := set $config (printf "%s_file" $setting) (printf "/etc/oomtriage/secret/%s" $key) }}{{- end }}
{{- end }}
{{- if .Values.caBundle.configMap }}
{{- range list "prometheus_ca_path" "alertmanager_ca_path" }}{{- $_ := set $config . (printf "/etc/oomtriage/ca/%s" $.Values.caBundle.key) }}{{- end }}
{{- end }}
{{- toYaml (merge (deepCopy .Values.config) $config) }}
{{- end }}
