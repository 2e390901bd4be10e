// Alerts, recording rules and dashboards for ack-upgrade-exporter, in the form that monitoring mixins have.
(import 'config.libsonnet') + {
  local config = $._config,

  prometheusAlerts+:: {
    groups+: [
      {
        name: 'ack-upgrade-clusters',
        rules: (import 'records.libsonnet')(config) + (import 'alerts/clusters.libsonnet')(config) + (import 'alerts/common.libsonnet')(config)
               + (import 'alerts/watched.libsonnet')(config),
      },
      { name: 'ack-upgrade-exporter', rules: (import 'alerts/exporter.libsonnet')(config) },
    ],
  },

  prometheusRules+:: {
    groups+: [
      { name: 'ack-upgrade-recording', interval: '1m', rules: (import 'recording.libsonnet')(config) },
    ],
  },

  grafanaDashboards+:: {
    'fleet.json': (import 'dashboards/fleet.libsonnet')(config),
    'cluster.json': (import 'dashboards/cluster.libsonnet')(config),
    'exporter.json': (import 'dashboards/exporter.libsonnet')(config),
  },
}
