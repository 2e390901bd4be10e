// Alerts, recording rules and dashboards for ack-upgrade-exporter, in the form that monitoring mixins have.
(import 'config.libsonnet') + {
  local config = $._config,

  prometheusAlerts+:: {
    groups+: [
      { name: 'ack-upgrade-clusters', rules: (import 'alerts/clusters.libsonnet')(config) + (import 'alerts/common.libsonnet')(config) },
      { name: 'ack-upgrade-exporter', rules: (import 'alerts/exporter.libsonnet')(config) },
    ],
  },

  prometheusRules+:: {
    groups+: [
      { name: 'ack-upgrade-recording', interval: '1m', rules: (import 'recording.libsonnet')(config) },
    ],
  },

  // The dashboards as JSON, with their keys in the order in which they were written. In the sources the label with the cluster ID is `<cluster>`.
  dashboardTexts:: {
    local labelled(text) = std.strReplace(text, '<cluster>', config.clusterLabel),
    'fleet.json': labelled(importstr 'dashboards/fleet.json'),
    'cluster.json': labelled(importstr 'dashboards/cluster.json'),
    'exporter.json': labelled(importstr 'dashboards/exporter.json'),
  },

  grafanaDashboards+:: { [name]: std.parseJson($.dashboardTexts[name]) for name in std.objectFieldsAll($.dashboardTexts) },
}
