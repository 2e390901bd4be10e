// What an installation may want otherwise. `(import 'mixin.libsonnet') + { _config+:: { ... } }` overrides any of it.
{
  _config:: {
    // Limits every metric of alerts, recording rules and dashboards, as in 'job="ack-upgrade-exporter"'.
    selector: '',

    // The label that holds the cluster ID: the exporter's metrics.cluster_label.
    clusterLabel: 'cluster',

    // Labels that the exporter's configuration gives the clusters and that say whose they are. The first that a cluster has is named in the text.
    ownerLabels: ['owner', 'team'],

    // Labels of cs_cluster_info that every alert about a cluster has. Add 'team' to route by it; a cluster that changes hands then pages again.
    identityLabels: ['account', 'region'],

    // Labels of a target that change when a replica or its pod does. No alert about a cluster has them.
    replicaLabels: ['instance', 'pod', 'container', 'node'],

    // A cluster that does not answer has no state on that page. The alerts look back this long for its last.
    lookback: '10m',

    // The language of the texts of alerts and of the runbooks that are linked: en or zh.
    language: 'en',

    // Whatever stands before the alert's name, without the folder of the language, and the host of Grafana.
    runbookUrl: 'https://ack-upgrade-exporter.example.com/runbooks',
    grafanaUrl: 'https://grafana.example.com',

    // The page of a cluster in the console; %s is its ID.
    consoleUrl: 'https://cs.console.aliyun.com/#/k8s/cluster/%s/v2/info/overview',

    // The dashboards. An upgrade that lasts longer than `long` seconds is orange, and longer than `tooLong` red. Support that ends within
    // `supportDays` is orange.
    dashboards: {
      from: 'now-6h',
      refresh: '30s',
      timezone: 'browser',
      tags: ['ack-upgrade', 'kubernetes', 'alibaba-cloud'],
      long: 1800,
      tooLong: 3600,
      supportDays: 30,
    },

    // Every alert: how severe it is, how long its condition must hold, how long it is kept firing after, and its threshold if it has one.
    // `enabled: false` leaves an alert out: { _config+:: { alerts+: { AckUpgradeStuck+: { 'for': '2h' } } } }.
    alerts: {
      AckUpgradeFailed: { severity: 'critical', 'for': '1m', keep_firing_for: '10m', threshold: 7 * 86400 },
      AckUpgradeFailedLongAgo: { severity: 'info', 'for': '15m', keep_firing_for: '10m', threshold: 7 * 86400 },
      AckUpgradeStuck: { severity: 'critical', 'for': '1h', keep_firing_for: '10m' },
      AckUpgradePrecheckTooLong: { severity: 'warning', 'for': '20m', keep_firing_for: '10m' },
      AckUpgradePausedOnError: { severity: 'critical', 'for': '1m', keep_firing_for: '10m' },
      AckUpgradePausedTooLong: { severity: 'warning', 'for': '1h', keep_firing_for: '10m' },
      AckUpgradeStateUnknown: { severity: 'warning', 'for': '15m', keep_firing_for: '10m' },
      AckUpgradeClusterNotAnswering: { severity: 'warning', 'for': '5m', keep_firing_for: '10m' },
      AckUpgradeDataStale: { severity: 'warning', 'for': '10m', keep_firing_for: '10m', threshold: 1800 },
      AckUpgradeClusterNeverQueried: { severity: 'warning', 'for': '30m' },
      AckUpgradeManyFailed: { severity: 'critical', 'for': '1m', keep_firing_for: '10m', threshold: 5 },
      AckUpgradeAccountNotAnswering: { severity: 'critical', 'for': '5m', keep_firing_for: '10m', threshold: 0.5 },
      AckUpgradePlanFailed: { severity: 'warning', 'for': '5m', keep_firing_for: '10m', threshold: 7 * 86400 },
      AckClusterVersionUnsupported: { severity: 'warning', 'for': '1h', keep_firing_for: '10m' },
      AckClusterVersionEndingSoon: { severity: 'info', 'for': '1h', keep_firing_for: '10m', threshold: 30 * 86400 },
      AckNodePoolUpgradeFailed: { severity: 'critical', 'for': '1m', keep_firing_for: '10m', threshold: 7 * 86400 },
      AckNodePoolBehind: { severity: 'warning', 'for': '6h', keep_firing_for: '10m', threshold: 2 },
      AckUpgradeWatchFailing: { severity: 'warning', 'for': '1h', keep_firing_for: '10m' },
      AckUpgradeExporterDown: { severity: 'critical', 'for': '5m', keep_firing_for: '5m' },
      AckUpgradeJobRenamed: { severity: 'warning', 'for': '5m' },
      AckUpgradeClusterLabelLost: { severity: 'critical', 'for': '5m', keep_firing_for: '5m' },
      AckUpgradeNoClusters: { severity: 'critical', 'for': '15m', keep_firing_for: '5m' },
      AckUpgradeClustersDropped: { severity: 'warning', 'for': '30m', keep_firing_for: '10m', threshold: 0.5 },
      AckUpgradeScrapeOverBudget: { severity: 'warning', 'for': '15m', keep_firing_for: '10m', threshold: 0.9 },
      AckUpgradeClockSkew: { severity: 'warning', 'for': '10m', keep_firing_for: '10m', threshold: 60 },
      AckUpgradeCredentialsRejected: { severity: 'critical', 'for': '10m', keep_firing_for: '10m', threshold: 0.5 },
      AckUpgradeThrottled: { severity: 'warning', 'for': '15m', keep_firing_for: '10m', threshold: 0.05 },
      AckUpgradeCredentialsExpiring: { severity: 'warning', 'for': '1m', keep_firing_for: '5m', threshold: 600 },
      AckUpgradeDiscoveryFailing: { severity: 'warning', 'for': '5m', keep_firing_for: '10m' },
      AckUpgradeReloadFailed: { severity: 'warning', 'for': '5m' },
      AckUpgradeShardsMissing: { severity: 'critical', 'for': '10m', keep_firing_for: '5m' },
      AckUpgradeShardingMismatch: { severity: 'critical', 'for': '15m', keep_firing_for: '5m' },
      AckUpgradeSourceSwitched: { severity: 'info', 'for': '1m', keep_firing_for: '10m' },
    },
  },
}
